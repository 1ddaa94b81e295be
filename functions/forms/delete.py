from functions.forms import editor
from shared.areas.forms import builder
from shared.runtime import Call, endpoint


@endpoint
async def forms_delete(call: Call) -> dict[str, bool]:
    """Delete a form with everything that was sent through it. Spec api-forms F5."""
    async with call.transaction() as tx:
        await builder.delete_form(tx, editor(call), call.id("id"))
    return {"success": True}
