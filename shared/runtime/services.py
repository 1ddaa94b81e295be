"""What a running instance holds on to: the database, Google's services, the vendors. Each is made on first use.

Handlers get it as ``call.services`` or ``job.services`` and hand single services to their area's use cases; areas never
import this.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.config import Settings, settings
from shared.db.database import Database

if TYPE_CHECKING:
    import httpx

    from shared.crypto import KeyRing
    from shared.gcp.firestore import Firestore
    from shared.gcp.pubsub import Topics
    from shared.gcp.secrets import Secrets
    from shared.gcp.storage import Storage
    from shared.gcp.tasks import Tasks
    from shared.gcp.vertex import Ai
    from shared.integrations.ctm.client import CtmClient
    from shared.integrations.google_business.client import GoogleBusiness
    from shared.integrations.mailgun.client import MailgunClient
    from shared.integrations.monday.client import MondayClient
    from shared.integrations.oauth.vendors import App
    from shared.integrations.openid.client import KeySet, OpenIdClient
    from shared.integrations.wordpress.site import Found, WordPressSite


class Services:
    """The outside of one instance. Replaceable as a whole in tests (``shared.runtime.services.use``)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._http: dict[str, httpx.AsyncClient] = {}
        self._key_ring: KeyRing | None = None
        self._openid_keys: dict[str, KeySet] = {}

    @cached_property
    def db(self) -> Database:
        chosen = self.settings
        return Database(
            chosen.database_url,
            size=chosen.database_pool_size,
            timeout_s=chosen.database_timeout_s,
            acquire_timeout_s=chosen.database_acquire_timeout_s,
        )

    @cached_property
    def secrets(self) -> Secrets:
        from shared.gcp.secrets import Secrets

        return Secrets(self.settings)

    @cached_property
    def tasks(self) -> Tasks:
        from shared.gcp.tasks import Tasks

        return Tasks(self.settings)

    @cached_property
    def topics(self) -> Topics:
        from shared.gcp.pubsub import Topics

        return Topics(self.settings)

    @cached_property
    def storage(self) -> Storage:
        from shared.gcp.storage import Storage

        return Storage(self.settings)

    @cached_property
    def ai(self) -> Ai:
        from shared.gcp.vertex import Ai

        return Ai(self.settings)

    @cached_property
    def firestore(self) -> Firestore:
        from shared.gcp.firestore import Firestore

        return Firestore(self.settings)

    @cached_property
    def ai_slots(self) -> asyncio.Semaphore:
        """How many prompts this instance may have open at Vertex."""
        return asyncio.Semaphore(self.settings.vertex_at_once)

    async def key(self, name: str) -> bytes:
        """A secret that is used as a key, as bytes."""
        return (await self.secrets.get(name)).encode()

    async def key_ring(self) -> KeyRing:
        """The encryption keys, read once."""
        if self._key_ring is None:
            from shared.crypto import KeyRing

            self._key_ring = KeyRing.parse(await self.secrets.get("ENCRYPTION_KEYS"))
        return self._key_ring

    async def renew_key_ring(self) -> None:
        """Read the newest keys from Secret Manager: another instance has sealed with one that is not mounted here."""
        from shared.crypto import KeyRing

        self._key_ring = KeyRing.parse(await self.secrets.reload("ENCRYPTION_KEYS"))

    async def mailgun(self) -> MailgunClient:
        from shared.integrations.mailgun import client

        if "mailgun" not in self._http:
            key = await self.secrets.get("MAILGUN_API_KEY")
            self._http["mailgun"] = client.connect(
                self.settings.mailgun_api_base, api_key=key, timeout_s=self.settings.mailgun_timeout_s
            )
        sender = client.address(self.settings.mailgun_from_email, self.settings.mailgun_from_name)
        return client.MailgunClient(self._http["mailgun"], self.settings.mailgun_domain, sender=sender)

    def ctm(self, account: str, key: str, secret: str) -> CtmClient:
        """A client of one CTM account, on a connection pool shared by all of them."""
        from shared.integrations.ctm import client

        if "ctm" not in self._http:
            self._http["ctm"] = client.connect(self.settings.ctm_api_base, timeout_s=self.settings.ctm_timeout_s)
        return client.CtmClient(self._http["ctm"], account, key=key, secret=secret)

    async def monday(self) -> MondayClient:
        """The agency's monday.com account."""
        from shared.integrations.monday import client

        if "monday" not in self._http:
            self._http["monday"] = client.connect(
                self.settings.monday_api_base,
                token=await self.secrets.get("MONDAY_API_KEY"),
                version=self.settings.monday_api_version,
                timeout_s=self.settings.monday_timeout_s,
            )
        return client.MondayClient(self._http["monday"])

    def google_business(self, token: str) -> GoogleBusiness:
        """Business Profile as the person sees it whose access token this is, on a connection pool shared by all."""
        from shared.integrations.google_business import client

        known = self.settings
        if "google business" not in self._http:
            self._http["google business"] = client.connect(known.google_business_timeout_s)
        bases = client.Bases(
            known.google_business_accounts_base,
            known.google_business_information_base,
            known.google_business_reviews_base,
        )
        return client.GoogleBusiness(self._http["google business"], bases, token)

    async def openid(self, name: str) -> OpenIdClient | None:
        """The client of the identity provider *name*; None when it is not configured. KeyError when there is none."""
        from shared.integrations.oauth import http
        from shared.integrations.openid import client
        from shared.integrations.openid.providers import PROVIDERS

        provider = PROVIDERS[name](self.settings)
        if not provider.client_id:
            return None
        if "openid" not in self._http:
            self._http["openid"] = http.connect(self.settings.openid_timeout_s)
        keys = self._openid_keys.setdefault(name, client.KeySet())
        return client.OpenIdClient(self._http["openid"], provider, await self.secrets.get(provider.secret), keys)

    async def oauth_vendor(self, name: str, app: App | None) -> Any:
        """The client of the vendor *name* (``integrations.oauth.vendors``) for *app*, else for the app of the
        settings; None when there is neither. KeyError when there is no such vendor."""
        from shared.integrations.oauth import http
        from shared.integrations.oauth.vendors import VENDORS

        vendor = VENDORS[name](self.settings)
        if app is None and not vendor.client_id:
            return None
        registration = vendor.registration(app, "" if app else await self.secrets.get(vendor.secret))
        if "oauth" not in self._http:
            self._http["oauth"] = http.connect(self.settings.connections_timeout_s)
        return vendor.make(self._http["oauth"], registration)

    def oauth_origins(self, name: str) -> frozenset[str]:
        """The addresses at which the vendor *name* signs people in."""
        from shared.integrations.oauth.vendors import VENDORS

        return VENDORS[name](self.settings).origins

    async def find_wordpress(self, site_url: str) -> Found:
        """The REST API of a site whose address a person typed."""
        from shared.integrations.wordpress import site

        return await site.discover(self._sites(), site_url, within_s=self.settings.connections_timeout_s)

    def wordpress_site(self, root: str, credentials: str) -> WordPressSite:
        """A client of a site's REST API, for the holder of an application password."""
        from shared.integrations.wordpress import site

        within_s = self.settings.connections_timeout_s
        return site.WordPressSite(self._sites(), root, credentials, within_s=within_s)

    def _sites(self) -> httpx.AsyncClient:
        from shared.integrations.wordpress import site

        if "sites" not in self._http:
            trusted = self.settings.wordpress_local_sites if self.settings.is_local else ()
            self._http["sites"] = site.connect(self.settings.connections_timeout_s, trusted=trusted)
        return self._http["sites"]

    async def close(self) -> None:
        """Close what was opened."""
        for http in self._http.values():
            await http.aclose()
        self._http.clear()
        for name in ("tasks", "topics", "firestore", "secrets", "storage", "ai", "db"):
            if name in self.__dict__:
                await self.__dict__.pop(name).close()


_current: Services | None = None


def services() -> Services:
    """The services of this instance."""
    global _current
    if _current is None:
        _current = Services(settings())
    return _current


def use(replacement: Services | None) -> None:
    """Serve with *replacement* from now on; None forgets it, so that the next use reads the environment again."""
    global _current
    _current = replacement
