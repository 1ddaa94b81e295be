from shared.areas.brand import service
from shared.areas.brand.models import Brand
from shared.runtime import Call, endpoint


@endpoint
async def brand_show(call: Call) -> dict[str, Brand]:
    """Show the client's brand. Spec api-accounts BR1."""
    return {"brand": await service.show(call.db, call.subject_id)}
