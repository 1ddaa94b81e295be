from typing import Any

from functions.forms import editor
from shared.areas.forms import submissions
from shared.runtime import Call, endpoint


@endpoint
async def forms_show_submission(call: Call) -> dict[str, Any]:
    """A submission with its answers; whoever looks is in the trail. Spec api-forms F10."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        found = await submissions.show(tx, editor(call), call.id("id"), call.id("submissionId"), ring)
    return {"submission": found}
