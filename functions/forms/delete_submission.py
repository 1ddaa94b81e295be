from functions.forms import editor
from shared.areas.forms import submissions
from shared.runtime import Call, endpoint


@endpoint
async def forms_delete_submission(call: Call) -> dict[str, bool]:
    """Delete a submission with its answers and PDFs."""
    async with call.transaction() as tx:
        await submissions.delete(tx, editor(call), call.id("id"), call.id("submissionId"))
    return {"success": True}
