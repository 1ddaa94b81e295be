"""What the connections area reaches beyond the database, and what it asks of a vendor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.areas.ports import GetKeyRing, Warn
from shared.db.database import Database, Transaction


class Granted(Protocol):
    """What a vendor's token endpoint gave. ``lifetime_s`` None: until it is withdrawn."""

    @property
    def access_token(self) -> str: ...
    @property
    def refresh_token(self) -> str | None: ...
    @property
    def lifetime_s(self) -> int | None: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def token_type(self) -> str: ...


class VendorAccount(Protocol):
    """Whose consent it is. ``facts`` are no secrets: they become the connection's ``external_metadata``."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


class OAuthVendor(Protocol):
    """A vendor with sign-in by code (``integrations.oauth``). Every call may raise TryLater, Reconnect or Rejected."""

    def authorization_url(self, *, redirect_uri: str, state: str, verifier: str) -> str: ...

    async def redeem(self, code: str, *, redirect_uri: str, verifier: str) -> Granted: ...

    async def account(self, granted: Granted) -> VendorAccount: ...

    async def renew(self, *, access_token: str, refresh_token: str | None) -> Granted | None:
        """New tokens; None where this vendor renews nothing."""
        ...

    async def withdraw(self, *, access_token: str, refresh_token: str | None) -> bool:
        """Take the consent back, also one that is gone already; False where this vendor offers no way to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Our registration at a vendor, as a superadmin has configured it. Empty texts and lists: the vendor's own."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = ""
    auth_url: str = ""
    token_url: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where we are. ``bases``: the public addresses of this site, its own first; ``dashboard``: the dashboard's;
    ``origins_of``: a vendor's own addresses."""

    bases: tuple[str, ...]
    dashboard: str
    origins_of: Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """``transaction`` is the caller's own: what it publishes or enqueues leaves after its commit.

    ``vendor(provider, app)`` gives the vendor's client with the configured app, else with the one of the environment;
    None when there is neither.
    """

    db: Database
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    key_ring: GetKeyRing
    vendor: Callable[[str, App | None], Awaitable[OAuthVendor | None]]
    warn: Warn
