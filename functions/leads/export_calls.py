from datetime import UTC, datetime

from starlette.responses import Response, StreamingResponse

from shared.areas.leads import queries
from shared.runtime import Call, endpoint


@endpoint
async def leads_export_calls(call: Call) -> Response:
    """Stream all of the client's calls as CSV; no cell is a formula. Spec L13."""
    name = f"leads-export-{datetime.now(UTC):%Y-%m-%d}.csv"
    return StreamingResponse(
        queries.export(call.db, call.subject_id),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
