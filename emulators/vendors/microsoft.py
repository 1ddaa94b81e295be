"""Microsoft: sign-in for any tenant and the profile of Graph.

Shapes: learn.microsoft.com/entra/identity-platform (v2-oauth2-auth-code-flow, id-token-claims) and Graph ``/me``.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.google import public_jwk
from emulators.vendors.oauth import Dialect, Grant, OAuthVendor, Person

KEY_ID = "local-ms-1"
TENANT = "11111111-2222-4333-8444-555555555555"

PEOPLE = (
    Person("aaaaaaaa-0000-4000-8000-000000000001", "owner@brightsmile.test", "Bright Smile Owner"),
    Person("aaaaaaaa-0000-4000-8000-000000000002", "admin@anchor.test", "Anchor Admin"),
    # whoever runs a tenant may write any address into ``mail``: this one is not its owner
    Person(
        "bbbbbbbb-0000-4000-8000-000000000003",
        "admin@anchor.test",
        "Somebody Else",
        email_verified=False,
        extra={"tid": "99999999-2222-4333-8444-555555555555", "upn": "mallory@evil.test"},
    ),
)


class Microsoft(OAuthVendor):
    """Sign-in under any tenant segment (``common``, ``organizations``, an id)."""

    name = "microsoft"
    version = "v2.0"
    dialect = Dialect(
        authorize_path="/{tenant}/oauth2/v2.0/authorize",
        token_path="/{tenant}/oauth2/v2.0/token",
        rotates_refresh=True,
    )

    def __init__(
        self,
        faults: Faults,
        *,
        client_id: str = "22222222-0000-4000-8000-000000000001",
        client_secret: str = "microsoft-secret-local",
        people: tuple[Person, ...] = PEOPLE,
        port: int = 0,
    ):
        super().__init__(faults, client_id=client_id, client_secret=client_secret, people=people, port=port)

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def settings(self) -> dict[str, str]:
        return {
            "MICROSOFT_LOGIN_BASE": self.url,
            "MICROSOFT_GRAPH_BASE": self.url,
            "MICROSOFT_OAUTH_CLIENT_ID": self.client_id,
        }

    def routes(self) -> list[BaseRoute]:
        return [
            *self.oauth_routes(),
            Route("/v1.0/me", self._me),
            Route("/{tenant}/discovery/v2.0/keys", self._keys),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery),
        ]

    def error_response(self, status: int, message: str) -> Response:
        code = {401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied", 429: "TooManyRequests"}
        return JSONResponse({"error": {"code": code.get(status, "generalException"), "message": message}}, status)

    def token_answer(self, grant: Grant, answer: dict[str, Any]) -> dict[str, Any]:
        scopes = grant.scope.split()
        if "offline_access" not in scopes:
            answer.pop("refresh_token", None)
        if "openid" in scopes:
            answer["id_token"] = self._id_token(grant)
        return answer

    def _id_token(self, grant: Grant) -> str:
        person, now = grant.person, int(time.time())
        tenant = person.extra.get("tid", TENANT)
        claims = {
            "iss": f"{self.url}/{tenant}/v2.0",
            "aud": self.client_id,
            "sub": f"pairwise-{person.id}",
            "oid": person.id,
            "tid": tenant,
            "email": person.email,
            "xms_edov": person.email_verified,
            "name": person.name,
            "preferred_username": person.extra.get("upn", person.email),
            "ver": "2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        }
        if grant.nonce:
            claims["nonce"] = grant.nonce
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    async def _me(self, request: Request) -> Response:
        person = self.signed_in(request, "User.Read").person
        upn = person.extra.get("upn", person.email)
        return JSONResponse(
            {"id": person.id, "displayName": person.name, "mail": person.email, "userPrincipalName": upn}
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [public_jwk(self._key, KEY_ID)]})

    async def _discovery(self, request: Request) -> Response:
        tenant = request.path_params["tenant"]
        issuer = "{tenantid}" if tenant in ("common", "organizations") else tenant
        return JSONResponse(
            {
                "issuer": f"{self.url}/{issuer}/v2.0",
                "authorization_endpoint": f"{self.url}/{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{self.url}/{tenant}/oauth2/v2.0/token",
                "jwks_uri": f"{self.url}/{tenant}/discovery/v2.0/keys",
            }
        )
