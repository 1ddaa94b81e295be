from functions.tasks import thinking
from shared.areas.tasks import overviews
from shared.areas.tasks.overviews import OverviewQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_show_overview(call: Call, query: OverviewQuery) -> Json:
    """Show the caller's overview of the day, written by the AI once a day or on request. Spec api-tasks §10."""
    return Json(await overviews.read(thinking(call), call.user.id, refresh=bool(query.refresh)))
