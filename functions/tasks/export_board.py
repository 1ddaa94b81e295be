from starlette.responses import Response

from shared.areas.tasks import boards
from shared.runtime import Call, endpoint


@endpoint
async def tasks_export_board(call: Call) -> Response:
    """Download the items of a board as CSV; no cell is a formula. Spec api-tasks §3."""
    board_id = call.id("boardId")
    return Response(
        await boards.export(call.db, call.user.id, board_id),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="board-{board_id}.csv"'},
    )
