from datetime import UTC, datetime

from shared.areas.accounts import store
from shared.runtime import Call, Json, endpoint


@endpoint
async def accounts_list_devices(call: Call) -> Json:
    """List the devices that the caller trusts. Spec api-accounts AU19."""
    return Json(await store.list_devices(call.db, call.user.id, datetime.now(UTC)))
