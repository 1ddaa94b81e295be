from shared.areas.tasks import boards
from shared.runtime import Call, endpoint


@endpoint
async def tasks_delete_board(call: Call) -> dict[str, bool]:
    """Delete a board with all that is on it. Spec api-tasks §3."""
    async with call.transaction() as tx:
        await boards.delete(tx, call, call.id("boardId"))
    return {"ok": True}
