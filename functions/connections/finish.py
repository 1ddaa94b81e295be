from starlette.responses import RedirectResponse

from functions.connections import outside, provider_of, surroundings
from shared.areas.connections import consents
from shared.areas.connections.models import CallbackQuery
from shared.errors import TryLater
from shared.runtime import Call, endpoint


@endpoint
async def connections_finish(call: Call, query: CallbackQuery) -> RedirectResponse:
    """Connect the account of whoever comes back from the vendor, and return to the dashboard. Spec O15-O18."""
    provider, around = provider_of(call), surroundings(call)
    name = consents.cookie_name(provider)
    returned = consents.Returned(
        provider=provider,
        code=query.code,
        state=query.state,
        error=query.error,
        cookie=call.request.cookies.get(name),
    )
    call.cookies.clear(name, path=consents.COOKIE_PATH, lax=True)
    try:
        client_id = await consents.finish(
            outside(call), call.services.firestore, returned, ip=call.ip, user_agent=call.user_agent
        )
    except consents.NotConnected as ended:
        return RedirectResponse(consents.failed_page(around, provider, ended.why), 302)
    except TryLater:  # our own database: a person in the middle of a redirect is told so in the dashboard
        return RedirectResponse(consents.failed_page(around, provider, "provider_unavailable"), 302)
    return RedirectResponse(consents.done_page(around, provider, client_id), 302)
