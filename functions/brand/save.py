from shared.areas.brand import service
from shared.areas.brand.models import Brand, SaveBrand
from shared.runtime import Call, Form, endpoint


@endpoint
async def brand_save(call: Call, body: Form) -> dict[str, Brand]:
    """Save the client's brand: texts, new files, deletions. Spec api-accounts BR2."""
    given, subject = body.parsed(SaveBrand), call.subject_id
    body.files("logos", "style_guide", at_most=10)
    logos, guides = body.uploads.get("logos", []), body.uploads.get("style_guide", [])
    added = await service.keep(
        call.db,
        call.services.storage,
        [("logos", "logo", logos), ("style_guide", "style_guide", guides)],
        owner_id=subject,
        by=call.user.id,
    )
    async with call.transaction() as tx:
        return {"brand": await service.save(tx, subject, given, added=added, deleted=given.deletions)}
