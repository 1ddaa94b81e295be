"""Clients' accounts at stand-ins of Google, Facebook, TikTok and WordPress, and a way through their consent pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx

from emulators.vendors.facebook import Facebook
from emulators.vendors.google import BUSINESS, Google
from emulators.vendors.oauth import OAuthVendor
from emulators.vendors.oauth import Person as Consenting
from emulators.vendors.tiktok import TikTok
from emulators.vendors.wordpress import SELF_HOSTED, WordPress
from shared.areas.connections.outside import Outside
from shared.crypto import KeyRing, column_context
from shared.integrations.wordpress.site import basic
from shared.runtime.context import Context
from tests.functions.conftest import SECRETS, World

SCOPES = {
    "google": f"openid email profile {BUSINESS}",
    "facebook": "email,pages_show_list,instagram_basic",
    "tiktok": "user.info.basic,user.info.profile,user.info.stats",
    "wordpress": "global posts media",
}
SECRET_OF = {
    "google": "GOOGLE_OAUTH_CLIENT_SECRET",
    "facebook": "FACEBOOK_APP_SECRET",
    "tiktok": "TIKTOK_CLIENT_SECRET",
    "wordpress": "WORDPRESS_CLIENT_SECRET",
}
MINUTE = timedelta(minutes=1)


@dataclass
class Accounts:
    """The vendors, and what is connected there."""

    world: World
    google: Google
    facebook: Facebook
    tiktok: TikTok
    wordpress: WordPress

    def vendor(self, provider: str) -> OAuthVendor:
        return getattr(self, provider)  # type: ignore[no-any-return]

    def somebody(self, provider: str) -> Consenting:
        """A new person with an account at the vendor."""
        number = str(uuid4().int % 10**15)
        one = Consenting(number, f"{number}@mailbox.test", "Robin Sample", extra={"username": f"robin{number}"})
        self.vendor(provider).people.append(one)
        return one

    async def connected(
        self,
        client_id: UUID,
        provider: str,
        *,
        person: Consenting | None = None,
        ends_in: timedelta | None = timedelta(hours=1),
        refresh: bool = True,
    ) -> UUID:
        """A connection with tokens that the vendor has just given."""
        person = person or self.somebody(provider)
        given = self.vendor(provider).issue(person, SCOPES[provider])
        return await self.stored(
            client_id,
            provider,
            person.id,
            access=given["access_token"],
            refresh=given.get("refresh_token") if refresh else None,
            expires_at=datetime.now(UTC) + ends_in if ends_in is not None else None,
        )

    async def stored(
        self,
        client_id: UUID,
        provider: str,
        account_id: str,
        *,
        access: str,
        refresh: str | None = None,
        expires_at: datetime | None = None,
        token_type: str = "Bearer",
        facts: dict[str, Any] | None = None,
    ) -> UUID:
        connection_id, ring = uuid4(), KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])

        def seal(column: str, token: str | None) -> str | None:
            return token and ring.seal_text(token, context=column_context("oauth_connections", column, connection_id))

        await self.world.db.execute(
            """insert into oauth_connections (id, client_id, provider, provider_account_id, provider_account_name,
                   encrypted_access_token, encrypted_refresh_token, kms_key_id, expires_at, token_type,
                   external_metadata)
               values ($1, $2, $3, $4, 'Robin Sample', $5, $6, 't1', $7, $8, $9)""",
            connection_id, client_id, provider, account_id, seal("encrypted_access_token", access),
            seal("encrypted_refresh_token", refresh), expires_at, token_type, facts or {},
        )  # fmt: skip
        return connection_id

    async def self_hosted(self, client_id: UUID) -> UUID:
        """A connection to the site with an application password."""
        credentials = basic(SELF_HOSTED["username"], SELF_HOSTED["password"])
        url = self.wordpress.url
        facts = {"site_url": url, "rest_root": f"{url}/wp-json/", "username": SELF_HOSTED["username"]}
        return await self.stored(client_id, "wordpress", url, access=credentials, token_type="Basic", facts=facts)

    async def tokens(self, connection_id: UUID) -> tuple[str, str]:
        """What the connection has sealed, in clear."""
        row, ring = await self.row(connection_id), KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])
        access, refresh = (
            ring.open_text(row[name], context=column_context("oauth_connections", name, connection_id))
            if row[name]
            else ""
            for name in ("encrypted_access_token", "encrypted_refresh_token")
        )
        return access, refresh

    async def row(self, connection_id: UUID) -> Any:
        return await self.world.db.fetchrow("select * from oauth_connections where id = $1", connection_id)

    def outside(self, seen: list[tuple[str, dict[str, Any]]] | None = None) -> Outside:
        """What a use case of another area is given."""
        services = self.world.services
        context = Context(function=None, services=services, request_id="")  # type: ignore[arg-type]
        told = seen if seen is not None else []
        return Outside(
            db=services.db,
            transaction=context.transaction,
            key_ring=services.key_ring,
            vendor=services.oauth_vendor,
            warn=lambda event, **more: told.append((event, more)),
        )


async def consent(address: str, person: Consenting, decision: str = "allow") -> str:
    """Press a button on the vendor's consent page; where it sends the browser back to, as path and query."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(address, data={"person": person.id, "decision": decision})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def told(address: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def connect(world: World, client_id: UUID, url: str, **more: str) -> httpx.Response:
    """Connect a site with an application password, as an admin does."""
    headers = await world.sign_in(await world.user("admin"))
    body = {
        "clientId": str(client_id),
        "siteUrl": url,
        "username": SELF_HOSTED["username"],
        "applicationPassword": SELF_HOSTED["password"],
        **more,
    }
    return await world.call("POST", "/api/hub/wordpress/connect", json=body, headers=headers)
