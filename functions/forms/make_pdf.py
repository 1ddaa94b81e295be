from typing import Any

from functions.forms import editor
from shared.areas.forms import submissions
from shared.runtime import Call, endpoint


@endpoint
async def forms_make_pdf(call: Call) -> dict[str, Any]:
    """Draw a submission as a PDF and keep it under a key of its own. Spec api-forms F20."""
    who, form_id, submission_id = editor(call), call.id("id"), call.id("submissionId")
    ring = await call.services.key_ring()
    drawn = await submissions.draw_pdf(call.db, who, form_id, submission_id, ring)
    kept, key = await submissions.keep_pdf(call.db, drawn, who, call.services.storage)
    async with call.transaction() as tx:
        artifact = await submissions.attach_pdf(tx, who, form_id, submission_id, drawn, kept, key, ring)
    return {"success": True, "artifact": artifact}
