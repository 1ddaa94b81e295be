"""The OAuth 2.0 that Google, Microsoft, Facebook, TikTok and WordPress.com share: consent page, codes, tokens.

RFC 6749 and RFC 7636: a code works once (using it twice also withdraws its tokens), for the client and redirect address
it was given to, with the verifier of its challenge. What a vendor does differently is a field of ``Dialect``.
"""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.vendor import Refused, Vendor, basic_credentials, bearer_token, fields, same

CODE_LIFETIME_S = 600


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where a vendor's OAuth differs from the textbook."""

    authorize_path: str
    token_path: str
    client_id_name: str = "client_id"
    client_secret_name: str = "client_secret"
    scope_separator: str = " "
    lifetime_s: int | None = 3600  # None: the access token does not expire
    pkce_required: bool = False
    rotates_refresh: bool = False  # a refresh returns a new refresh token and withdraws the old one
    token_by_get: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account at the vendor."""

    id: str
    email: str
    name: str
    email_verified: bool = True
    picture: str = "https://example.com/picture.png"
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Grant:
    """One person's consent for one client. Its tokens live and die with it."""

    client_id: str
    person: Person
    scope: str
    redirect_uri: str
    offline: bool
    nonce: str = ""
    challenge: str = ""
    code_used: bool = False
    issued_at: float = field(default_factory=time.time)
    withdrawn: bool = False


@dataclass(slots=True)
class AccessToken:
    grant: Grant
    expires_at: float


class OAuthError(Exception):
    """An error of the token endpoint, as RFC 6749 §5.2 names it."""

    def __init__(self, code: str, description: str, status: int = 400):
        super().__init__(code)
        self.code, self.description, self.status = code, description, status


class OAuthVendor(Vendor):
    """A vendor with sign-in. Subclasses name their ``dialect`` and add the API behind the tokens."""

    dialect: Dialect

    def __init__(
        self, faults: Faults, *, client_id: str, client_secret: str, people: tuple[Person, ...] = (), port: int = 0
    ):
        super().__init__(faults, port=port)
        self.client_id, self.client_secret = client_id, client_secret
        self.people = list(people)
        self._codes: dict[str, Grant] = {}
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, Grant] = {}

    def oauth_routes(self) -> list[BaseRoute]:
        methods = ["GET", "POST"] if self.dialect.token_by_get else ["POST"]
        return [
            Route(self.dialect.authorize_path, self._consent_page, methods=["GET"]),
            Route(self.dialect.authorize_path, self._consent, methods=["POST"]),
            Route(self.dialect.token_path, self._token, methods=methods),
        ]

    # -- what a vendor may say differently ----------------------------------------------------------------------------

    def is_offline(self, params: Mapping[str, str]) -> bool:
        """Whether this consent earns a refresh token."""
        return True

    def token_answer(self, grant: Grant, answer: dict[str, Any]) -> dict[str, Any]:
        """The token endpoint's success, from the textbook's answer."""
        return answer

    def token_error(self, error: OAuthError) -> Response:
        return JSONResponse({"error": error.code, "error_description": error.description}, error.status)

    # -- for tests and the console ------------------------------------------------------------------------------------

    def issue(self, person: Person, scope: str, *, offline: bool = True) -> dict[str, Any]:
        """Tokens as if *person* had just consented, for demo data and tests."""
        return self._issue(Grant(self.client_id, person, scope, "", offline))

    def expire_access_tokens(self) -> None:
        """Every access token is from now on too old; refresh tokens still work."""
        for token in self._access.values():
            token.expires_at = 0

    def withdraw(self, person: Person) -> None:
        """The person removes our access in their account: nothing of ours works any more."""
        grants = [*self._refresh.values(), *(token.grant for token in self._access.values())]
        for grant in grants:
            grant.withdrawn = grant.withdrawn or grant.person.id == person.id

    # -- consent ------------------------------------------------------------------------------------------------------

    async def _consent_page(self, request: Request) -> Response:
        params = dict(request.query_params)
        refusal = self._check_request(params)
        return refusal or HTMLResponse(_page(self.name, self.people, params, self.dialect))

    async def _consent(self, request: Request) -> Response:
        """The form of the page: ``person`` (id) and ``decision`` (allow or deny), plus the request's own parameters."""
        form = await request.form()
        params = {**request.query_params, **{name: str(value) for name, value in form.items()}}
        refusal = self._check_request(params)
        if refusal is not None:
            return refusal
        state = {"state": params["state"]} if "state" in params else {}
        if params.get("decision") == "deny":
            denied = {"error": "access_denied", "error_description": "The person said no", **state}
            return _redirect(params["redirect_uri"], denied)
        person = next((one for one in self.people if one.id == params.get("person")), None)
        if person is None:
            raise Refused(400, "person: unknown")
        code = secrets.token_urlsafe(32)
        self._codes[code] = Grant(
            client_id=self.client_id,
            person=person,
            scope=params.get("scope", ""),
            redirect_uri=params["redirect_uri"],
            offline=self.is_offline(params),
            nonce=params.get("nonce", ""),
            challenge=params.get("code_challenge", ""),
        )
        return _redirect(params["redirect_uri"], {"code": code, **state, "scope": params.get("scope", "")})

    def _check_request(self, params: Mapping[str, str]) -> Response | None:
        """A page when nobody may be redirected (RFC 6749 §4.1.2.1), a redirect that names the error, or None."""
        if params.get(self.dialect.client_id_name) != self.client_id:
            return _error_page(401, "invalid_client", "The OAuth client was not found.")
        target = params.get("redirect_uri", "")
        if urlsplit(target).hostname not in ("localhost", "127.0.0.1"):
            return _error_page(400, "redirect_uri_mismatch", "The redirect address is not registered.")
        problem = self._problem(params)
        if problem is None:
            return None
        state = {"state": params["state"]} if "state" in params else {}
        return _redirect(target, {"error": problem[0], "error_description": problem[1], **state})

    def _problem(self, params: Mapping[str, str]) -> tuple[str, str] | None:
        if params.get("response_type") != "code":
            return "unsupported_response_type", "response_type must be code"
        challenged = bool(params.get("code_challenge"))
        if challenged and params.get("code_challenge_method") != "S256":
            return "invalid_request", "code_challenge_method must be S256"
        if self.dialect.pkce_required and not challenged:
            return "invalid_request", "code_challenge is missing"
        return None

    # -- tokens -------------------------------------------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        params = dict(request.query_params) if request.method == "GET" else await fields(request)
        try:
            self._check_client(request, params)
            return JSONResponse(self._exchange(params), headers={"Cache-Control": "no-store"})
        except OAuthError as error:
            return self.token_error(error)

    def _check_client(self, request: Request, params: Mapping[str, Any]) -> None:
        names = (self.dialect.client_id_name, self.dialect.client_secret_name)
        given = basic_credentials(request) or tuple(str(params.get(name, "")) for name in names)
        if not (same(given[0], self.client_id) and same(given[1], self.client_secret)):
            raise OAuthError("invalid_client", "The OAuth client or its secret is wrong.", 401)

    def _exchange(self, params: Mapping[str, Any]) -> dict[str, Any]:
        kind = params.get("grant_type") or ("authorization_code" if params.get("code") else "")
        match kind:
            case "authorization_code":
                return self._issue(self._redeem(params))
            case "refresh_token":
                return self._renew(str(params.get("refresh_token", "")))
            case _:
                return self.other_grant(str(kind), params)

    def other_grant(self, kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
        raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {kind}")

    def _redeem(self, params: Mapping[str, Any]) -> Grant:
        grant = self._codes.get(str(params.get("code", "")))
        if grant is None or grant.issued_at + CODE_LIFETIME_S < time.time():
            raise OAuthError("invalid_grant", "Malformed or expired auth code.")
        if grant.code_used:
            grant.withdrawn = True
            raise OAuthError("invalid_grant", "The auth code was already used.")
        if params.get("redirect_uri") != grant.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri differs from the one of the authorization request.")
        verifier = str(params.get("code_verifier", ""))
        if grant.challenge and not same(challenge(verifier), grant.challenge):
            raise OAuthError("invalid_grant", "Invalid code verifier.")
        grant.code_used = True
        return grant

    def _renew(self, refresh_token: str) -> dict[str, Any]:
        grant = self._refresh.get(refresh_token)
        if grant is None or grant.withdrawn:
            raise OAuthError("invalid_grant", "Token has been expired or revoked.")
        if not self.dialect.rotates_refresh:
            return self._issue(grant, with_refresh=False)
        del self._refresh[refresh_token]
        return self._issue(grant)

    def _issue(self, grant: Grant, *, with_refresh: bool = True) -> dict[str, Any]:
        access = secrets.token_urlsafe(40)
        lifetime = self.dialect.lifetime_s
        self._access[access] = AccessToken(grant, time.time() + lifetime if lifetime else float("inf"))
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "scope": grant.scope}
        if lifetime:
            answer["expires_in"] = lifetime
        if with_refresh and grant.offline:
            answer["refresh_token"] = secrets.token_urlsafe(40)
            self._refresh[answer["refresh_token"]] = grant
        return self.token_answer(grant, answer)

    def grant_of(self, token: str) -> Grant | None:
        """The consent behind a living access token."""
        found = self._access.get(token)
        if found is None or found.expires_at < time.time() or found.grant.withdrawn:
            return None
        return found.grant

    def signed_in(self, request: Request, scope: str = "") -> Grant:
        """The consent behind the request's bearer token; 401 without, 403 when it lacks *scope*."""
        grant = self.grant_of(bearer_token(request) or request.query_params.get("access_token", ""))
        if grant is None:
            raise Refused(401, "Request had invalid authentication credentials.")
        if scope and scope not in grant.scope.replace(",", " ").split():
            raise Refused(403, "Request had insufficient authentication scopes.")
        return grant

    def revoke(self, token: str) -> bool:
        """Withdraw the consent behind an access or a refresh token; False when there is none."""
        grant = self._refresh.get(token) or (self._access[token].grant if token in self._access else None)
        if grant is None:
            return False
        grant.withdrawn = True
        return True


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _redirect(target: str, params: Mapping[str, str]) -> Response:
    joint = "&" if "?" in target else "?"
    return RedirectResponse(f"{target}{joint}{urlencode(params)}", 302)


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem;color-scheme:light dark}"
    "label{display:block;padding:.5rem 0}button{font:inherit;padding:.5rem 1.25rem;margin-right:.5rem}"
    "code{overflow-wrap:anywhere}"
)


def _page(vendor: str, people: list[Person], params: Mapping[str, str], dialect: Dialect) -> str:
    hint = params.get("login_hint", "")
    chosen = next((one.id for one in people if one.email == hint), people[0].id if people else "")
    choices = "".join(
        f'<label><input type="radio" name="person" value="{html.escape(one.id)}"{" checked" * (one.id == chosen)}>'
        f" {html.escape(one.name)} <small>{html.escape(one.email)}</small></label>"
        for one in people
    )
    scopes = "".join(
        f"<li><code>{html.escape(scope)}</code></li>"
        for scope in params.get("scope", "").replace(dialect.scope_separator, " ").split()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in with {vendor}</title>'
        f"<style>{STYLE}</style><h1>Sign in with {vendor}</h1><p>A stand-in of the local cloud: choose who you are.</p>"
        f'<form method="post">{choices}<p>Anchor asks for:</p><ul>{scopes}</ul>'
        '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>'
    )


def _error_page(status: int, code: str, words: str) -> Response:
    page = f"<!doctype html><title>Error</title><style>{STYLE}</style><h1>Error {status}: {code}</h1><p>{words}</p>"
    return HTMLResponse(page, status)
