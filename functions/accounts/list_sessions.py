from datetime import UTC, datetime

from shared.areas.accounts import store
from shared.runtime import Call, Json, endpoint


@endpoint
async def accounts_list_sessions(call: Call) -> Json:
    """List where the caller is signed in. Spec api-accounts AU17."""
    return Json(await store.list_sessions(call.db, call.user.id, call.user.session_id, datetime.now(UTC)))
