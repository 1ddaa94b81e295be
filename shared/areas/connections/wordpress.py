"""WordPress sites with an application password: connecting one, and trying whether a connection works.

Source: spec api-leads O25, O26.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast
from uuid import UUID

from shared.areas.clients.audit import Actor
from shared.areas.connections import apps, rules, saving, service, tokens
from shared.areas.connections.models import ConnectWordPress
from shared.areas.connections.offers import stated
from shared.areas.connections.outside import Outside
from shared.areas.connections.saving import Consent
from shared.db.database import Transaction
from shared.errors import Invalid, NotFound, Reconnect, Rejected, TryLater, Unauthorized

_NO_API = "There is no WordPress REST API at this address."


class Editor(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def roles(self) -> tuple[str, ...]: ...


class Site(Protocol):
    async def editor(self) -> Editor: ...


class Found(Protocol):
    @property
    def root(self) -> str: ...
    @property
    def name(self) -> str: ...


class Person(Protocol):
    async def person(self, token: str) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """*find* a site's REST API by its address; *site*: a client of it by its root and credentials; *credentials* of
    user and password."""

    find: Callable[[str], Awaitable[Found]]
    site: Callable[[str, str], Site]
    credentials: Callable[[str, str], str]


async def prove(outside: Outside, sites: Sites, given: ConnectWordPress) -> Consent:
    """Try the application password at its site. Raises Invalid (address), NotFound (no REST API), Unauthorized."""
    await service.require_client(outside.db, given.clientId)
    try:
        url = rules.site_address(given.siteUrl)
    except ValueError as error:
        raise Invalid.field("siteUrl", "must be the address of a site, such as https://example.com") from error
    credentials = sites.credentials(given.username, given.applicationPassword)
    try:
        found = await sites.find(url)
        editor = await sites.site(found.root, credentials).editor()
    except Reconnect as error:
        if error.status == 403:
            raise Unauthorized(error.reason, code="WORDPRESS_FORBIDS") from error
        raise Unauthorized("WordPress refuses this user and application password.", code="WORDPRESS_REFUSES") from error
    except Rejected as error:
        if error.status == 404:
            raise NotFound(_NO_API, code="NO_REST_API") from error
        raise Invalid.field("siteUrl", error.reason or "is not the address of a WordPress site") from error
    except TryLater as error:
        raise Invalid.field("siteUrl", f"cannot be reached ({error.reason or error.status})") from error
    return Consent(
        provider="wordpress",
        account_id=url,
        account_name=found.name[:200] or url,
        access_token=credentials,
        refresh_token=None,
        token_type=rules.BASIC,
        scopes=(),
        expires_at=None,
        facts={
            "site_url": url,
            "rest_root": found.root,
            "username": given.username,
            "user_id": editor.id,
            "user_email": editor.email[:254],
            "user_roles": [role[:60] for role in editor.roles[:20]],
        },
    )


async def save(tx: Transaction, outside: Outside, client_id: UUID, consent: Consent, actor: Actor) -> str:
    """The connection as JSON text."""
    return await service.show(tx, await saving.save(tx, client_id, consent, await outside.key_ring(), actor))


async def test(outside: Outside, sites: Sites, connection_id: UUID) -> dict[str, Any]:
    """Who we are at the site or at WordPress.com: ``{id, name, email}``."""
    row = await service.facts(outside.db, connection_id)
    if row["provider"] != "wordpress":
        raise Invalid("This is not a connection to WordPress.", code="NOT_WORDPRESS")

    async def who(token: str) -> dict[str, Any]:
        if row["token_type"] != rules.BASIC:
            return await cast(Person, await apps.vendor(outside, "wordpress")).person(token)
        editor = await sites.site(rules.rest_root(row["external_metadata"]), token).editor()
        return {"id": editor.id, "name": editor.name, "email": editor.email}

    async with stated():
        return await tokens.using(outside, row["client_id"], connection_id, who)
