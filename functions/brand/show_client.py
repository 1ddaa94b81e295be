from shared.areas.brand import service
from shared.areas.brand.models import Brand
from shared.runtime import Call, endpoint


@endpoint
async def brand_show_client(call: Call) -> dict[str, Brand]:
    """Show a client's brand to an admin. Spec api-accounts BR3."""
    return {"brand": await service.show_clients(call.db, call.id("user_id"))}
