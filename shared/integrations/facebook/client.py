"""Facebook's Graph: consent exchanged for sixty days, pages, and the Instagram business accounts behind them.

Graph answers 400 for nearly everything: the error's ``code`` says what it means. Each call carries ``appsecret_proof``,
so that a token alone is no use to anybody else.
Sources: developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived, /docs/graph-api/guides
(error-handling, secure-requests), /docs/graph-api/reference/user/accounts.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from shared.errors import Reconnect, Rejected, TryLater, VendorError, vendor_error
from shared.integrations.oauth.client import WITHDRAWN, Account, OAuthClient, Registration, Tokens, Turn, text_at

if TYPE_CHECKING:
    import httpx

_PAGE_SIZE = 100
_GONE = {102, 190, 463, 467}  # the session or the token has ended
_RATIONED = {4, 17, 32, 613} | set(range(80000, 80010))
_TRANSIENT = {1, 2}
_NOT_ALLOWED = {3, 10} | set(range(200, 300))
_INSTAGRAM = "instagram_business_account{id,username,name,profile_picture_url,followers_count,media_count}"


class FacebookClient(OAuthClient):
    """*graph*: Graph's address with its version, ``https://graph.facebook.com/v18.0``."""

    name: ClassVar[str] = "facebook"
    scope_separator: ClassVar[str] = ","
    pkce: ClassVar[bool] = False
    consent_extras: ClassVar[Mapping[str, str]] = {"auth_type": "rerequest"}

    def __init__(self, http: httpx.AsyncClient, registration: Registration, *, graph: str) -> None:
        super().__init__(http, registration)
        self._graph = graph

    async def redeem(self, code: str, *, redirect_uri: str, verifier: str) -> Tokens:
        """A token of sixty days; of hours, when Facebook will not exchange it now: it is renewed before it ends."""
        tokens = await super().redeem(code, redirect_uri=redirect_uri, verifier=verifier)
        try:
            tokens = await self._exchange(tokens.access_token)
        except VendorError as error:
            if isinstance(error, Reconnect):
                raise
        return replace(tokens, scopes=await self._granted(tokens.access_token))

    async def renew(self, *, access_token: str, refresh_token: str | None) -> Tokens | None:
        """A living token is exchanged for a new one of sixty days; a dead one is beyond help."""
        return await self._exchange(access_token)

    async def account(self, tokens: Tokens) -> Account:
        told = await self._get("me", tokens.access_token, fields="id,name,email,picture")
        if not text_at(told, "id"):
            raise TryLater(self.name, reason="me names nobody")
        facts = {"email": text_at(told, "email"), "picture": text_at(told, "picture", "data", "url")}
        return Account(id=told["id"], name=text_at(told, "name") or told["id"], facts=facts)

    async def withdraw(self, *, access_token: str, refresh_token: str | None) -> bool:
        """Remove our app from the person's account."""
        url = f"{self._graph}/me/permissions"
        try:
            await self._ask("DELETE", url, access_token, params=self._proof(access_token))
        except Reconnect as error:
            if error.status != 401:
                raise
        return True

    async def pages(self, token: str) -> list[dict[str, Any]]:
        """``[{id, name, category, picture, link, instagramBusinessAccountId}]``; never a page's token."""
        fields = "id,name,category,picture{url},link,instagram_business_account"
        return [
            {
                "id": text_at(page, "id"),
                "name": text_at(page, "name"),
                "category": text_at(page, "category"),
                "picture": text_at(page, "picture", "data", "url"),
                "link": text_at(page, "link"),
                "instagramBusinessAccountId": text_at(page, "instagram_business_account", "id") or None,
            }
            async for page in self._accounts(token, fields)
        ]

    async def instagram_accounts(self, token: str) -> list[dict[str, Any]]:
        """``[{id, username, name, picture, followersCount, mediaCount, linkedPageId, linkedPageName}]``."""
        found = []
        async for page in self._accounts(token, f"id,name,{_INSTAGRAM}"):
            account = page.get("instagram_business_account")
            if isinstance(account, dict):
                found.append(
                    {
                        "id": text_at(account, "id"),
                        "username": text_at(account, "username"),
                        "name": text_at(account, "name"),
                        "picture": text_at(account, "profile_picture_url"),
                        "followersCount": _count(account.get("followers_count")),
                        "mediaCount": _count(account.get("media_count")),
                        "linkedPageId": text_at(page, "id"),
                        "linkedPageName": text_at(page, "name"),
                    }
                )
        return found

    def meaning(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        error = told.get("error")
        code = error.get("code") if isinstance(error, Mapping) else None
        transient = isinstance(error, Mapping) and error.get("is_transient") is True
        if code in _GONE:
            return Reconnect(self.name, status=401, reason=WITHDRAWN)
        if code in _RATIONED or code in _TRANSIENT or transient:
            return TryLater(self.name, status=status, reason=f"code {code}")
        if code in _NOT_ALLOWED:
            return Reconnect(self.name, status=403, reason=f"Facebook refuses this account access (code {code}).")
        if status >= 500 or status == 429:
            return vendor_error(self.name, status, retry_after=retry_after)
        return Rejected(self.name, status=status, reason=f"code {code}" if isinstance(code, int) else "")

    def token_refusal(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        return self.meaning(status, told, retry_after)

    async def _exchange(self, token: str) -> Tokens:
        return await self._tokens(grant_type="fb_exchange_token", fb_exchange_token=token)

    async def _granted(self, token: str) -> tuple[str, ...]:
        """What the person has allowed: they may take single permissions out of what we ask for."""
        told = await self._get("me/permissions", token)
        listed = told.get("data")
        return tuple(
            text_at(one, "permission")
            for one in (listed if isinstance(listed, list) else [])
            if text_at(one, "status") == "granted"
        )

    def _accounts(self, token: str, fields: str) -> Any:
        params: dict[str, str | int] = {"fields": fields, "limit": _PAGE_SIZE, **self._proof(token)}
        return self._pages(f"{self._graph}/me/accounts", token, params, list_name="data", turn=_next_page)

    async def _get(self, node: str, token: str, **params: str) -> dict[str, Any]:
        return await self._ask("GET", f"{self._graph}/{node}", token, params={**params, **self._proof(token)})

    def _proof(self, token: str) -> dict[str, str]:
        secret = self._registration.client_secret.encode()
        return {"appsecret_proof": hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()}


def _next_page(page: Mapping[str, Any]) -> dict[str, str] | None:
    """Graph gives a cursor with every page, and ``next`` only where another one follows."""
    return _after(page) if text_at(page, "paging", "next") else None


_after = Turn("after", "paging", "cursors", "after")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
