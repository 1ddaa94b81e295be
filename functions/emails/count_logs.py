from shared.areas.emails import mail_log
from shared.areas.emails.models import StatsQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def emails_count_logs(call: Call, query: StatsQuery) -> Json:
    """Count the mails of the last days by type and status. Spec api-accounts EM4."""
    return Json(await mail_log.count_logs(call.db, days=query.days))
