from shared.areas.brand import service
from shared.areas.brand.models import Brand, BrandTexts
from shared.runtime import Call, endpoint


@endpoint
async def brand_save_client(call: Call, body: BrandTexts) -> dict[str, Brand]:
    """Save the texts of a client's brand as an admin; its files stay. Spec api-accounts BR4."""
    async with call.transaction() as tx:
        return {"brand": await service.save_clients(tx, call.id("user_id"), body)}
