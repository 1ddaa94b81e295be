"""TikTok: sign-in with ``client_key``, rotating refresh tokens, and the account's public figures.

Shapes: developers.tiktok.com/doc (login-kit-web, oauth-user-access-token-management, tiktok-api-v2-get-user-info).
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.oauth import Dialect, Grant, OAuthError, OAuthVendor, Person
from emulators.vendors.vendor import Refused, fields

PEOPLE = (
    Person(
        "-000local0000open",
        "owner@brightsmile.test",
        "Bright Smile",
        extra={
            "union_id": "local-union-1",
            "username": "brightsmile",
            "bio_description": "Smiles, brightly.",
            "profile_deep_link": "https://www.tiktok.com/@brightsmile",
            "is_verified": True,
            "follower_count": 1200,
            "following_count": 34,
            "likes_count": 5600,
            "video_count": 78,
        },
    ),
)
SCOPE_OF = {
    "open_id": "user.info.basic",
    "union_id": "user.info.basic",
    "avatar_url": "user.info.basic",
    "display_name": "user.info.basic",
    "username": "user.info.profile",
    "bio_description": "user.info.profile",
    "profile_deep_link": "user.info.profile",
    "is_verified": "user.info.profile",
    "follower_count": "user.info.stats",
    "following_count": "user.info.stats",
    "likes_count": "user.info.stats",
    "video_count": "user.info.stats",
}
CODES = {400: "invalid_params", 401: "access_token_invalid", 403: "scope_not_authorized", 429: "rate_limit_exceeded"}


class TikTok(OAuthVendor):
    """Sign-in and ``/v2/user/info/`` of one app."""

    name = "tiktok"
    version = "v2"
    dialect = Dialect(
        authorize_path="/v2/auth/authorize/",
        token_path="/v2/oauth/token/",
        client_id_name="client_key",
        scope_separator=",",
        lifetime_s=86400,
        pkce_required=True,
        rotates_refresh=True,
    )

    def __init__(
        self,
        faults: Faults,
        *,
        client_id: str = "tiktok-key-local",
        client_secret: str = "tiktok-secret-local",
        people: tuple[Person, ...] = PEOPLE,
        port: int = 0,
    ):
        super().__init__(faults, client_id=client_id, client_secret=client_secret, people=people, port=port)

    def settings(self) -> dict[str, str]:
        return {"TIKTOK_AUTH_BASE": self.url, "TIKTOK_API_BASE": self.url, "TIKTOK_CLIENT_KEY": self.client_id}

    def routes(self) -> list[BaseRoute]:
        return [
            *self.oauth_routes(),
            Route("/v2/oauth/revoke/", self._revoke, methods=["POST"]),
            Route("/v2/user/info/", self._user_info),
        ]

    def error_response(self, status: int, message: str) -> Response:
        error = {"code": CODES.get(status, "internal_error"), "message": message, "log_id": "local"}
        return JSONResponse({"data": {}, "error": error}, status)

    def token_error(self, error: OAuthError) -> Response:
        """TikTok answers 200 even when it refuses: the error is in the body."""
        body = {"error": error.code, "error_description": error.description, "log_id": "local"}
        return JSONResponse(body, 200)

    def token_answer(self, grant: Grant, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "open_id": grant.person.id, "refresh_expires_in": 365 * 86400}

    async def _revoke(self, request: Request) -> Response:
        params = await fields(request)
        try:
            self._check_client(request, params)
        except OAuthError as error:
            return self.token_error(error)
        self.revoke(str(params.get("token", "")))
        return JSONResponse({})

    async def _user_info(self, request: Request) -> Response:
        grant = self.signed_in(request)
        asked = [name for name in request.query_params.get("fields", "").split(",") if name]
        if not asked or not set(asked) <= set(SCOPE_OF):
            raise Refused(400, "fields is required and may only name known fields")
        if any(SCOPE_OF[name] not in grant.scope.split(",") for name in asked):
            raise Refused(403, "The user did not authorize the scope required for completing this request.")
        person = grant.person
        known = {"open_id": person.id, "avatar_url": person.picture, "display_name": person.name, **person.extra}
        user = {name: known[name] for name in asked}
        return JSONResponse({"data": {"user": user}, "error": {"code": "ok", "message": "", "log_id": "local"}})
