"""TikTok: consent with ``client_key``, refresh tokens that rotate, and the account's public figures.

TikTok refuses with status 200 and an ``error`` in the body, which may be a word (token endpoint) or an object whose
``code`` is "ok" (API). The token payload may come under ``data``.
Sources: developers.tiktok.com/doc (login-kit-web, oauth-user-access-token-management, tiktok-api-v2-get-user-info,
tiktok-api-v2-error-handling).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from shared.errors import Reconnect, Rejected, TryLater, VendorError, vendor_error
from shared.integrations.oauth.client import WITHDRAWN, Account, OAuthClient, Registration, Tokens, code_of, text_at

if TYPE_CHECKING:
    import httpx

_GONE = {"access_token_invalid", "access_token_expired"}
_NOT_ALLOWED = {"scope_not_authorized", "scope_permission_missed"}
_OURS = {"invalid_client", "invalid_request", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}
_FIGURES = {
    "id": "open_id",
    "unionId": "union_id",
    "username": "username",
    "displayName": "display_name",
    "bio": "bio_description",
    "profileUrl": "profile_deep_link",
    "picture": "avatar_url",
    "isVerified": "is_verified",
    "followerCount": "follower_count",
    "followingCount": "following_count",
    "likesCount": "likes_count",
    "videoCount": "video_count",
}


class TikTokClient(OAuthClient):
    """*api*: ``https://open.tiktokapis.com``."""

    name: ClassVar[str] = "tiktok"
    client_id_name: ClassVar[str] = "client_key"
    scope_separator: ClassVar[str] = ","

    def __init__(self, http: httpx.AsyncClient, registration: Registration, *, api: str) -> None:
        super().__init__(http, registration)
        self._api = api

    async def account(self, tokens: Tokens) -> Account:
        user = await self._user(tokens.access_token, ("open_id", "display_name"))
        if not text_at(user, "open_id"):
            raise TryLater(self.name, reason="user info names nobody")
        return Account(id=user["open_id"], name=text_at(user, "display_name") or user["open_id"])

    async def profile(self, token: str) -> dict[str, Any]:
        """``{id, unionId, username, displayName, bio, profileUrl, picture, isVerified, followerCount, …}``."""
        user = await self._user(token, tuple(_FIGURES.values()))
        return {ours: user.get(theirs) for ours, theirs in _FIGURES.items()}

    async def withdraw(self, *, access_token: str, refresh_token: str | None) -> bool:
        """TikTok withdraws by access token, and only by a living one.

        The refresh token may be spent, by a try whose end was never told: then the access token may live still.
        """
        with suppress(Reconnect):
            renewed = await self.renew(access_token=access_token, refresh_token=refresh_token)
            access_token = renewed.access_token if renewed else access_token
        form = {
            self.client_id_name: self._registration.client_id,
            "client_secret": self._registration.client_secret,
            "token": access_token,
        }
        answer = await self._send("POST", f"{self._api}/v2/oauth/revoke/", data=form)
        told = self._read(answer)
        if not answer.is_success or told.get("error"):
            refusal = self.token_refusal(answer.status_code, told, answer.headers.get("Retry-After"))
            if not isinstance(refusal, Reconnect):  # else it is gone already
                raise refusal
        return True

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        told = super()._read(answer)
        nested = told.get("data")
        return {**nested, **told} if isinstance(nested, dict) and "access_token" in nested else told

    def failed(self, told: Mapping[str, Any]) -> bool:
        return text_at(told, "error", "code") not in ("", "ok")

    def meaning(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        code = code_of(text_at(told, "error", "code"))
        if code in _GONE or status == 401:
            return Reconnect(self.name, status=401, reason=WITHDRAWN)
        if code in _NOT_ALLOWED:
            return Reconnect(self.name, status=403, reason=f"TikTok refuses this account access ({code}).")
        if code in ("rate_limit_exceeded", "internal_error"):
            return vendor_error(self.name, 429 if code.startswith("rate") else 503, retry_after=retry_after)
        if status < 400:
            return Rejected(self.name, status=status, reason=code)
        return vendor_error(self.name, status, retry_after=retry_after)

    def token_refusal(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        code = code_of(told.get("error"))
        if code in _OURS:
            return Rejected(self.name, status=status, reason=code)
        if status < 400 and code not in ("invalid_grant", "access_denied"):
            return TryLater(self.name, status=status, reason=code or "no token in the answer")
        return super().token_refusal(
            status, {"error": "invalid_grant"} if code == "access_denied" else told, retry_after
        )

    async def _user(self, token: str, fields: tuple[str, ...]) -> dict[str, Any]:
        told = await self._ask("GET", f"{self._api}/v2/user/info/", token, params={"fields": ",".join(fields)})
        data = told.get("data")
        user = data.get("user") if isinstance(data, Mapping) else None
        return user if isinstance(user, dict) else {}
