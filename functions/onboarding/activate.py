from typing import Any

from shared.areas.accounts.service import means, recognise
from shared.areas.onboarding import service
from shared.areas.onboarding.models import Activate
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_activate(call: Call, body: Activate) -> dict[str, Any]:
    """Make the client's account by link: name, password, signed in. Spec api-accounts ON6, seeds DATA_FLOWS §1."""
    call.refuse_foreign_pages()
    token, browser, outside = call.path["token"], recognise(call), await means(call.services)
    password_hash = await service.password_for_activation(call.db, token, body, outside)
    async with call.transaction() as tx:
        signed_in = await service.activate(tx, token, body, browser, outside, password_hash=password_hash)
    signed_in.keep(call.cookies, outside, browser)
    return {"success": True, "user_id": signed_in.user.id, **signed_in.answer(outside).model_dump()}
