"""Google: consent with a refresh token, and the accounts and locations of Business Profile.

Sources: developers.google.com/identity/protocols/oauth2/web-server, /my-business/reference/accountmanagement/rest,
/my-business/reference/businessinformation/rest (pageSize: 20 accounts, 100 locations at most).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from shared.errors import Reconnect, TryLater, VendorError, vendor_error
from shared.integrations.oauth.client import Account, OAuthClient, Registration, Tokens, Turn, code_of, text_at

if TYPE_CHECKING:
    import httpx

_MASK = "name,title,storefrontAddress,websiteUri"
_RATIONED = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}


class GoogleClient(OAuthClient):
    """*apis*, *accounts* and *information*: the hosts of userinfo, of account management, of business information."""

    name: ClassVar[str] = "google"
    # without prompt=consent, only the very first consent earns a refresh token
    consent_extras: ClassVar[Mapping[str, str]] = {"access_type": "offline", "prompt": "consent"}

    def __init__(
        self,
        http: httpx.AsyncClient,
        registration: Registration,
        *,
        apis: str,
        oauth: str,
        accounts: str,
        information: str,
    ) -> None:
        super().__init__(http, registration)
        self._userinfo_url = f"{apis}/oauth2/v3/userinfo"
        self._revoke_url = f"{oauth}/revoke"
        self._accounts_url = f"{accounts}/v1/accounts"
        self._information = information

    async def account(self, tokens: Tokens) -> Account:
        """The person who consented, not one of their business accounts."""
        told = await self._ask("GET", self._userinfo_url, tokens.access_token)
        email = text_at(told, "email")
        subject = text_at(told, "sub")
        if not subject:
            raise TryLater(self.name, reason="userinfo names nobody")
        return Account(id=subject, name=text_at(told, "name") or email or subject, facts={"email": email})

    async def withdraw(self, *, access_token: str, refresh_token: str | None) -> bool:
        """Withdraw the person's whole consent for our app, of which this is one token."""
        token = refresh_token or access_token
        answer = await self._send("POST", self._revoke_url, data={"token": token})
        told = self._read(answer)
        if not answer.is_success and told.get("error") not in ("invalid_token", "invalid_grant"):  # it is gone already
            raise self.token_refusal(answer.status_code, told, answer.headers.get("Retry-After"))
        return True

    async def business_accounts(self, token: str) -> list[dict[str, Any]]:
        """``[{name: "accounts/1", accountName, type, role, state}]``; none where Business Profile knows nobody."""
        try:
            return [
                {
                    "name": text_at(one, "name"),
                    "accountName": text_at(one, "accountName"),
                    "type": text_at(one, "type"),
                    "role": text_at(one, "role"),
                    "state": text_at(one, "verificationState"),
                }
                async for one in self._pages(
                    self._accounts_url,
                    token,
                    {"pageSize": 20},
                    list_name="accounts",
                    turn=Turn("pageToken", "nextPageToken"),
                )
            ]
        except VendorError as error:
            if error.status == 404:
                return []
            raise

    async def locations(self, token: str, account: str) -> list[dict[str, Any]]:
        """The locations of ``accounts/1``: ``[{name: "locations/1", title, address, websiteUri}]``."""
        try:
            return [
                {
                    "name": text_at(one, "name"),
                    "title": text_at(one, "title"),
                    "address": one["storefrontAddress"] if isinstance(one.get("storefrontAddress"), dict) else {},
                    "websiteUri": text_at(one, "websiteUri"),
                }
                async for one in self._pages(
                    f"{self._information}/v1/{account}/locations",
                    token,
                    {"readMask": _MASK, "pageSize": 100},
                    list_name="locations",
                    turn=Turn("pageToken", "nextPageToken"),
                )
            ]
        except VendorError as error:
            if error.status == 404:
                return []
            raise

    def meaning(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        error = told.get("error")
        code = code_of(text_at(error, "status"))
        if status == 403 and _reasons(error) & _RATIONED:
            return TryLater(self.name, status=status, reason=code)
        if status == 401:
            return Reconnect(self.name, status=401, reason="Google does not accept this connection's token any more.")
        if status == 403:
            return Reconnect(self.name, status=403, reason=f"Google refuses this account access ({code or status}).")
        return vendor_error(self.name, status, retry_after=retry_after)


def _reasons(error: Any) -> set[str]:
    """The machine-readable reasons of an error, in its old (``errors``) and new (``details``) place."""
    if not isinstance(error, Mapping):
        return set()
    listed = [*(error.get("errors") or []), *(error.get("details") or [])]
    return {text_at(one, "reason") for one in listed}
