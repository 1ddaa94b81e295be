"""Sign-in by code (RFC 6749 §4.1, RFC 7636) and calls with the token it earns; a vendor overrides what it does its way.

Errors of every call: TryLater (unreachable, overloaded, rationing), Reconnect (status 401: the consent is gone; 403: it
does not cover this), Rejected (our app or our request is wrong). Their reasons are our own words or a vendor's error
code of at most 64 letters, never a body.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from shared.errors import Reconnect, Rejected, TryLater, VendorError, vendor_error
from shared.integrations.oauth import http as wire

if TYPE_CHECKING:
    import httpx

WITHDRAWN = "The consent was withdrawn or has expired. Please connect again."
MAX_PAGES = 50  # of one list: beyond it, somebody else's mistake would become our outage
_SECONDS = re.compile(r"[0-9]{1,9}")
_CODE = re.compile(r"[A-Za-z_]{2,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Our app at a vendor, and where that vendor signs people in."""

    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a token endpoint gave. ``lifetime_s`` None: until it is withdrawn. ``told``: what else it said."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    lifetime_s: int | None = None
    scopes: tuple[str, ...] = ()
    token_type: str
    told: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose consent it is; ``facts`` are no secrets."""

    id: str
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class OAuthClient:
    """One vendor. Secrets and tokens travel in bodies and headers only: addresses end up in logs."""

    name: ClassVar[str]
    client_id_name: ClassVar[str] = "client_id"
    scope_separator: ClassVar[str] = " "
    pkce: ClassVar[bool] = True
    consent_extras: ClassVar[Mapping[str, str]] = {}

    def __init__(self, http: httpx.AsyncClient, registration: Registration) -> None:
        self._http = http
        self._registration = registration

    def authorization_url(self, *, redirect_uri: str, state: str, verifier: str) -> str:
        """Where to send the browser for the person's consent."""
        query = {
            self.client_id_name: self._registration.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": self.scope_separator.join(self._registration.scopes),
            "state": state,
            **self.consent_extras,
        }
        if self.pkce:
            query |= wire.challenge(verifier)
        return f"{self._registration.authorize_url}?{urlencode(query)}"

    async def redeem(self, code: str, *, redirect_uri: str, verifier: str) -> Tokens:
        """Exchange the code of a callback."""
        proof = {"code_verifier": verifier} if self.pkce else {}
        return await self._tokens(grant_type="authorization_code", code=code, redirect_uri=redirect_uri, **proof)

    async def renew(self, *, access_token: str, refresh_token: str | None) -> Tokens | None:
        """New tokens for the refresh token; None without one."""
        if not refresh_token:
            return None
        return await self._tokens(grant_type="refresh_token", refresh_token=refresh_token)

    async def withdraw(self, *, access_token: str, refresh_token: str | None) -> bool:
        """Take the consent back, also one that is gone already; False where this vendor offers no way to."""
        return False

    # -- what vendors do their own way ---------------------------------------------------------------------------------

    def meaning(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        """What an unsuccessful answer of the API says."""
        return vendor_error(self.name, status, retry_after=retry_after)

    def token_refusal(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        """What an unsuccessful answer of the token endpoint says (RFC 6749 §5.2)."""
        code = code_of(told.get("error"))
        if code == "invalid_grant":
            return Reconnect(self.name, status=401, reason=WITHDRAWN)
        if status == 429 or status >= 500:
            return vendor_error(self.name, status, retry_after=retry_after)
        return Rejected(self.name, status=status, reason=code)

    def failed(self, told: Mapping[str, Any]) -> bool:
        """Whether an answer with a good status is a refusal all the same."""
        return False

    # -- calls ---------------------------------------------------------------------------------------------------------

    async def _tokens(self, **params: str) -> Tokens:
        form = {
            self.client_id_name: self._registration.client_id,
            "client_secret": self._registration.client_secret,
            **params,
        }
        answer = await self._send("POST", self._registration.token_url, data=form)
        told = self._read(answer)
        if not answer.is_success or not text_at(told, "access_token"):
            raise self.token_refusal(answer.status_code, told, answer.headers.get("Retry-After"))
        lifetime = _SECONDS.fullmatch(str(told.get("expires_in")))
        return Tokens(
            access_token=told["access_token"],
            refresh_token=text_at(told, "refresh_token") or None,
            lifetime_s=int(lifetime[0]) if lifetime else None,
            scopes=scopes_of(told.get("scope")),
            token_type=code_of(told.get("token_type")) or "Bearer",
            told=told,
        )

    async def _ask(self, method: str, url: str, token: str, **request: Any) -> dict[str, Any]:
        """One call of the API with a person's token."""
        answer = await self._send(method, url, headers={"Authorization": f"Bearer {token}"}, **request)
        told = self._read(answer)
        if not answer.is_success or self.failed(told):
            raise self.meaning(answer.status_code, told, answer.headers.get("Retry-After"))
        return told

    async def _send(self, method: str, url: str, **request: Any) -> httpx.Response:
        return await wire.send(self._http, self.name, method, url, **request)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        return wire.read_object(self.name, answer)

    async def _pages(
        self, url: str, token: str, params: Mapping[str, str | int], *, list_name: str, turn: NextPage
    ) -> AsyncIterator[dict[str, Any]]:
        """Every object of a list, page after page; *turn* reads from a page what to add to ask for the next one."""
        more: Mapping[str, str] | None = {}
        for _ in range(MAX_PAGES):
            page = await self._ask("GET", url, token, params={**params, **(more or {})})
            listed = page.get(list_name)
            for one in listed if isinstance(listed, list) else []:
                if isinstance(one, dict):
                    yield one
            more = turn(page)
            if more is None:
                return
        raise TryLater(self.name, reason=f"more than {MAX_PAGES} pages")


NextPage = Callable[[Mapping[str, Any]], Mapping[str, str] | None]


class Turn:
    """Reads where a page says that another one follows."""

    def __init__(self, parameter: str, *path: str) -> None:
        self._parameter, self._path = parameter, path

    def __call__(self, page: Mapping[str, Any]) -> dict[str, str] | None:
        found = text_at(page, *self._path)
        return {self._parameter: found} if found else None


def text_at(told: Any, *path: str) -> str:
    """The text at a path of keys; empty for anything else that may be there."""
    for key in path:
        told = told.get(key) if isinstance(told, Mapping) else None
    return told if isinstance(told, str) else ""


def code_of(value: Any) -> str:
    """A vendor's error code, when it looks like one: the only words of theirs that may reach a log."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def scopes_of(value: Any) -> tuple[str, ...]:
    """What a token covers, whether the vendor parts its names by commas or by blanks."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else ()
