from shared.areas.profiles import service
from shared.runtime import Call, endpoint


@endpoint
async def profiles_show_analytics(call: Call) -> dict[str, str | None]:
    """The address of the client's Looker dashboard. Spec api-accounts PR5, seeds INTEGRATIONS §6."""
    return {"looker_url": await service.looker_url(call.db, call.subject_id)}
