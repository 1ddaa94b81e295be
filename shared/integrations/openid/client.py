"""Sends a browser to a provider, and learns from the code it brings back who the person is.

The id_token is verified (RS256 with the provider's published keys; issuer, audience, expiry, nonce) although it comes
straight from the provider over TLS. Errors: TryLater, Rejected (also for a token that does not hold).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from shared.errors import Rejected, vendor_error
from shared.integrations.oauth import http as wire
from shared.integrations.openid.providers import Provider

if TYPE_CHECKING:
    import httpx

_KEYS_KEPT_S = 600


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever signed in at the provider. ``email_proven``: the provider knows that the address is theirs."""

    subject: str
    email: str
    email_proven: bool
    first_name: str
    last_name: str
    picture: str | None


@dataclass(slots=True)
class KeySet:
    """A provider's published keys by id, kept for minutes."""

    keys: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    read_at: float = -_KEYS_KEPT_S


class OpenIdClient:
    """One provider. *keys* outlives the client: pass the instance's own."""

    def __init__(self, http: httpx.AsyncClient, provider: Provider, client_secret: str, keys: KeySet) -> None:
        self._http = http
        self._provider = provider
        self._client_secret = client_secret
        self._keys = keys

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser."""
        query = {
            "client_id": self._provider.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": self._provider.scope,
            "state": state,
            "nonce": nonce,
            **wire.challenge(verifier),
            "prompt": "select_account",
        }
        return f"{self._provider.authorize_url}?{urlencode(query)}"

    async def redeem(self, code: str, *, redirect_uri: str, verifier: str, nonce: str) -> Person:
        """Exchange the code of a callback for the person's identity."""
        answer = await self._ask(
            "POST",
            self._provider.token_url,
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "client_id": self._provider.client_id,
                "client_secret": self._client_secret,
                "code_verifier": verifier,
            },
        )
        claims = await self._claims(str(answer.get("id_token", "")), nonce)
        return Person(
            subject=self._provider.subject(claims),
            email=str(claims.get("email") or "").strip().lower(),
            email_proven=self._provider.email_proven(claims),
            first_name=str(claims.get("given_name") or str(claims.get("name", "")).partition(" ")[0]),
            last_name=str(claims.get("family_name") or str(claims.get("name", "")).partition(" ")[2]),
            picture=str(claims["picture"]) if claims.get("picture") else None,
        )

    async def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        import jwt

        try:
            key_id = str(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                jwt.PyJWK(dict(await self._key(key_id)), algorithm="RS256").key,
                algorithms=["RS256"],
                audience=self._provider.client_id,
                leeway=60,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.InvalidTokenError, jwt.PyJWKError) as error:
            raise self._rejected(type(error).__name__) from None
        if claims.get("nonce") != nonce:
            raise self._rejected("the id_token is for another sign-in")
        if not self._provider.issued_by(claims):
            raise self._rejected("the id_token has another issuer")
        try:
            self._provider.subject(claims)
        except KeyError:
            raise self._rejected("the id_token names nobody") from None
        return claims

    async def _key(self, key_id: str) -> Mapping[str, Any]:
        fresh = time.monotonic() - self._keys.read_at < _KEYS_KEPT_S
        if key_id not in self._keys.keys or not fresh:
            answer = await self._ask("GET", self._provider.keys_url)
            found = [key for key in answer.get("keys", []) if isinstance(key, dict) and "kid" in key]
            self._keys.keys = {str(key["kid"]): key for key in found}
            self._keys.read_at = time.monotonic()
        if key_id not in self._keys.keys:
            raise self._rejected("the id_token is signed with an unknown key")
        return self._keys.keys[key_id]

    async def _ask(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        answer = await wire.send(self._http, self._provider.name, method, url, **request)
        if not answer.is_success:
            raise vendor_error(self._provider.name, answer.status_code, retry_after=answer.headers.get("Retry-After"))
        return wire.read_object(self._provider.name, answer)

    def _rejected(self, reason: str) -> Rejected:
        return Rejected(self._provider.name, reason=reason)
