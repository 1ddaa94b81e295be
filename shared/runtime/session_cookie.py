"""The first-party cookie ``session``: an access token that lasts longer, for what cannot carry a header.

Links, images, downloads and pages older than their access token are served by it. Signing in sets it, use renews it.
It lasts hours, not minutes, because every call looks its session up anyway: one that was ended is refused at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from shared import tokens

if TYPE_CHECKING:
    from shared.runtime.cookies import Cookies
    from shared.runtime.identity import Identity
    from shared.runtime.services import Services

NAME = "session"


async def put(
    cookies: Cookies, services: Services, *, user_id: UUID, session_id: UUID, role: str, effective_role: str
) -> None:
    """Give the browser a fresh cookie. Lax: a mailed link to a file of ours works; writes check their origin."""
    lifetime = timedelta(seconds=services.settings.session_cookie_lifetime_s)
    token = tokens.sign(
        await services.secrets.get("JWT_SECRET"),
        user_id=user_id,
        session_id=session_id,
        role=role,
        effective_role=effective_role,
        lifetime=lifetime,
        now=datetime.now(UTC),
    )
    cookies.set(NAME, token, max_age_s=int(lifetime.total_seconds()), lax=True)


async def slide(who: Identity, cookies: Cookies, services: Services) -> None:
    """Renew the cookie that identified the caller, once it is some minutes old."""
    if not who.slides or who.user is None:
        return
    user = who.user
    await put(
        cookies,
        services,
        user_id=user.id,
        session_id=user.session_id,
        role=user.role,
        effective_role=user.effective_role,
    )


def clear(cookies: Cookies) -> None:
    cookies.clear(NAME, lax=True)
