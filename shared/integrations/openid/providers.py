"""What Google and Microsoft do differently: addresses, issuer, and when an e-mail address is proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.config import Settings

Name = Literal["google", "microsoft"]
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider of identities, as our client needs to know it."""

    name: Name
    client_id: str
    authorize_url: str
    token_url: str
    keys_url: str
    scope: str
    secret: str  # its name in config.SECRETS
    issued_by: Callable[[Claims], bool]
    subject: Callable[[Claims], str]
    email_proven: Callable[[Claims], bool]


def google(settings: Settings) -> Provider:
    base = settings.google_accounts_base.rstrip("/")
    return Provider(
        name="google",
        client_id=settings.google_oauth_client_id,
        authorize_url=f"{base}/o/oauth2/v2/auth",
        token_url=f"{settings.google_oauth_base.rstrip('/')}/token",
        keys_url=f"{settings.google_apis_base.rstrip('/')}/oauth2/v3/certs",
        scope="openid email profile",
        secret="GOOGLE_OAUTH_CLIENT_SECRET",
        issued_by=lambda claims: claims.get("iss") in (base, base.removeprefix("https://")),
        subject=lambda claims: str(claims["sub"]),
        email_proven=lambda claims: claims.get("email_verified") in (True, "true"),
    )


def microsoft(settings: Settings) -> Provider:
    base = settings.microsoft_login_base.rstrip("/")
    return Provider(
        name="microsoft",
        client_id=settings.microsoft_oauth_client_id,
        authorize_url=f"{base}/common/oauth2/v2.0/authorize",
        token_url=f"{base}/common/oauth2/v2.0/token",
        keys_url=f"{base}/common/discovery/v2.0/keys",
        scope="openid email profile",
        secret="MICROSOFT_OAUTH_CLIENT_SECRET",
        issued_by=lambda claims: bool(claims.get("tid")) and claims.get("iss") == f"{base}/{claims['tid']}/v2.0",
        subject=lambda claims: f"{claims['tid']}.{claims['oid']}",
        email_proven=lambda claims: claims.get("xms_edov") in (True, 1, "1", "true"),
    )


PROVIDERS: dict[str, Callable[[Settings], Provider]] = {"google": google, "microsoft": microsoft}
