from shared.areas.emails import mail_log
from shared.areas.emails.models import LogQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def emails_list_logs(call: Call, query: LogQuery) -> Json:
    """List the mails of the log, newest first. Spec api-accounts EM2."""
    return Json(await mail_log.list_logs(call.db, query))
