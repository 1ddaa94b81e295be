from shared.areas.emails import mail_log
from shared.runtime import Call, Json, endpoint


@endpoint
async def emails_show_log(call: Call) -> Json:
    """Show one mail of the log, its HTML made harmless. Spec api-accounts EM3."""
    return Json(await mail_log.show_log(call.db, call.id("id")))
