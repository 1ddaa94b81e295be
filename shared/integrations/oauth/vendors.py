"""Makes each vendor's client from the settings, and from an app that a superadmin has configured.

A configured address must be the vendor's own: it is where people are sent to consent, and where our secret goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from shared.config import Settings
from shared.errors import Rejected
from shared.integrations.oauth.client import OAuthClient, Registration

if TYPE_CHECKING:
    import httpx

_META_SCOPES = (
    *("email", "public_profile", "pages_show_list", "pages_read_engagement", "pages_manage_posts"),
    *("pages_read_user_content", "instagram_basic", "instagram_content_publish", "instagram_manage_comments"),
    "instagram_manage_insights",
)


class App(Protocol):
    """A configured app; empty texts and lists mean the vendor's own."""

    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> str: ...
    @property
    def auth_url(self) -> str: ...
    @property
    def token_url(self) -> str: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One vendor as the settings know it."""

    client_id: str
    secret: str  # its name in config.SECRETS
    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    make: Callable[[httpx.AsyncClient, Registration], OAuthClient]

    @property
    def origins(self) -> frozenset[str]:
        return frozenset((_origin(self.authorize_url), _origin(self.token_url)))

    def registration(self, app: App | None, secret: str) -> Registration:
        """Our app there: the configured one, else that of the settings with *secret*. Rejected when a configured
        address belongs to somebody else."""
        if app is None:
            return Registration(
                client_id=self.client_id,
                client_secret=secret,
                authorize_url=self.authorize_url,
                token_url=self.token_url,
                scopes=self.scopes,
            )
        return Registration(
            client_id=app.client_id,
            client_secret=app.client_secret,
            authorize_url=self._own(app.auth_url, self.authorize_url),
            token_url=self._own(app.token_url, self.token_url),
            scopes=tuple(app.scopes) or self.scopes,
        )

    def _own(self, configured: str, usual: str) -> str:
        if configured and _origin(configured) not in self.origins:
            raise Rejected("oauth", reason="the configured address is not the vendor's")
        return configured or usual


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def google(settings: Settings) -> Vendor:
    from shared.integrations.google.client import GoogleClient

    accounts, oauth = settings.google_accounts_base.rstrip("/"), settings.google_oauth_base.rstrip("/")
    return Vendor(
        client_id=settings.google_oauth_client_id,
        secret="GOOGLE_OAUTH_CLIENT_SECRET",
        authorize_url=f"{accounts}/o/oauth2/v2/auth",
        token_url=f"{oauth}/token",
        scopes=("openid", "email", "profile", "https://www.googleapis.com/auth/business.manage"),
        make=lambda http, registration: GoogleClient(
            http,
            registration,
            apis=settings.google_apis_base.rstrip("/"),
            oauth=oauth,
            accounts=settings.google_business_accounts_base.rstrip("/"),
            information=settings.google_business_information_base.rstrip("/"),
        ),
    )


def facebook(settings: Settings) -> Vendor:
    from shared.integrations.facebook.client import FacebookClient

    version = settings.facebook_graph_version
    graph = f"{settings.facebook_graph_base.rstrip('/')}/{version}"
    return Vendor(
        client_id=settings.facebook_app_id,
        secret="FACEBOOK_APP_SECRET",
        authorize_url=f"{settings.facebook_dialog_base.rstrip('/')}/{version}/dialog/oauth",
        token_url=f"{graph}/oauth/access_token",
        scopes=_META_SCOPES,
        make=lambda http, registration: FacebookClient(http, registration, graph=graph),
    )


def tiktok(settings: Settings) -> Vendor:
    from shared.integrations.tiktok.client import TikTokClient

    api = settings.tiktok_api_base.rstrip("/")
    return Vendor(
        client_id=settings.tiktok_client_key,
        secret="TIKTOK_CLIENT_SECRET",
        authorize_url=f"{settings.tiktok_auth_base.rstrip('/')}/v2/auth/authorize/",
        token_url=f"{api}/v2/oauth/token/",
        scopes=(
            "user.info.basic",
            "user.info.profile",
            "user.info.stats",
            "video.list",
            "video.publish",
            "video.upload",
        ),
        make=lambda http, registration: TikTokClient(http, registration, api=api),
    )


def wordpress(settings: Settings) -> Vendor:
    from shared.integrations.wordpress.dot_com import WordPressComClient

    api = settings.wordpress_api_base.rstrip("/")
    return Vendor(
        client_id=settings.wordpress_client_id,
        secret="WORDPRESS_CLIENT_SECRET",
        authorize_url=f"{api}/oauth2/authorize",
        token_url=f"{api}/oauth2/token",
        scopes=("global", "posts", "media"),
        make=lambda http, registration: WordPressComClient(http, registration, api=api),
    )


VENDORS: dict[str, Callable[[Settings], Vendor]] = {
    "google": google,
    "facebook": facebook,
    "tiktok": tiktok,
    "wordpress": wordpress,
}
NAMES: Sequence[str] = tuple(VENDORS)
