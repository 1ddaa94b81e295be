from functions.forms import editor
from shared.areas.forms import submissions
from shared.areas.forms.builder_models import ExportQuery
from shared.runtime import Call, Streamed, endpoint


@endpoint
async def forms_export_submissions(call: Call, query: ExportQuery) -> Streamed:
    """A form's submissions as CSV, sent as it is read. Health data only for admins who ask for it."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        source, name = await submissions.export(tx, call.db, editor(call), call.id("id"), query, ring)
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
    return Streamed(source, {**headers, "Cache-Control": "no-store"})
