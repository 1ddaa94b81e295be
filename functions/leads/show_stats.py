from shared.areas.leads import queries
from shared.areas.leads.models import StatsQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_show_stats(call: Call, query: StatsQuery) -> Json:
    """Count the client's calls of the last days by category, caller, source and day. Spec L12."""
    return Json(await queries.stats(call.db, call.subject_id, query.days))
