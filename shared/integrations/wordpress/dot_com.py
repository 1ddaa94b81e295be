"""WordPress.com: consent without expiry, the person's sites, and their posts (also of Jetpack sites).

Sources: developer.wordpress.com/docs/oauth2, /docs/api/1.1/get/me, /get/me/sites, /get/sites/$site/posts/slug:$slug,
/post/sites/$site/posts/new, /post/sites/$site/posts/$post_ID, /get/sites/$site/media, /post/sites/$site/media/new.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from shared.errors import Reconnect, Rejected, TryLater, VendorError, vendor_error
from shared.integrations.oauth.client import WITHDRAWN, Account, OAuthClient, Registration, Tokens, code_of, text_at
from shared.integrations.wordpress.posts import UPLOAD_S, Draft, Picture, Posted

if TYPE_CHECKING:
    import httpx

_SITE_FIELDS = "ID,name,description,URL,icon,is_private,jetpack,capabilities,plan,options"


class WordPressComClient(OAuthClient):
    """*api*: ``https://public-api.wordpress.com``. Its consents end only when the person ends them there."""

    name: ClassVar[str] = "wordpress"
    pkce: ClassVar[bool] = False

    def __init__(self, http: httpx.AsyncClient, registration: Registration, *, api: str) -> None:
        super().__init__(http, registration)
        self._rest = f"{api}/rest/v1.1"

    async def account(self, tokens: Tokens) -> Account:
        told = await self._ask("GET", f"{self._rest}/me", tokens.access_token)
        number = told.get("ID")
        if not isinstance(number, int | str) or not number:
            raise TryLater(self.name, reason="me names nobody")
        facts = {
            "blog_id": _text(tokens.told.get("blog_id")),
            "blog_url": text_at(tokens.told, "blog_url"),
            "username": text_at(told, "username"),
            "email": text_at(told, "email"),
        }
        return Account(id=str(number), name=text_at(told, "display_name") or str(number), facts=facts)

    async def person(self, token: str) -> dict[str, str]:
        """``{id, name, email}`` of whoever consented."""
        told = await self._ask("GET", f"{self._rest}/me", token)
        return {"id": _text(told.get("ID")), "name": text_at(told, "display_name"), "email": text_at(told, "email")}

    async def sites(self, token: str) -> list[dict[str, Any]]:
        """``[{id, blogId, name, description, url, adminUrl, icon, isPrivate, isJetpack, capabilities, plan}]``."""
        told = await self._ask("GET", f"{self._rest}/me/sites", token, params={"fields": _SITE_FIELDS})
        listed = told.get("sites")
        return [_site(one) for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]

    def meaning(self, status: int, told: Mapping[str, Any], retry_after: str | None) -> VendorError:
        code = code_of(told.get("error"))
        if status == 401 or code == "invalid_token":
            return Reconnect(self.name, status=401, reason=WITHDRAWN)
        if status == 403:
            return Reconnect(self.name, status=403, reason=f"WordPress.com refuses this account access ({code}).")
        return vendor_error(self.name, status, retry_after=retry_after)

    def blog(self, site: str, token: str) -> WordPressComBlog:
        """One site's posts, for whoever holds *token*."""
        return WordPressComBlog(self, f"{self._rest}/sites/{quote(site, safe='')}", token)

    async def ask(self, method: str, url: str, token: str, **request: Any) -> dict[str, Any]:
        return await self._ask(method, url, token, **request)


class WordPressComBlog:
    """Posts of one site."""

    def __init__(self, client: WordPressComClient, site_url: str, token: str) -> None:
        self._client, self._site_url, self._token = client, site_url, token

    async def find(self, slug: str) -> Posted | None:
        """The post of this slug, in whatever status; None when there is none."""
        url = f"{self._site_url}/posts/slug:{quote(slug, safe='')}"
        try:
            told = await self._client.ask("GET", url, self._token, params={"fields": "ID,URL", "context": "edit"})
        except VendorError as error:
            if error.status == 404:
                return None
            raise
        return _posted(told)

    async def create(self, draft: Draft) -> Posted:
        return _posted(await self._client.ask("POST", f"{self._site_url}/posts/new", self._token, json=_form(draft)))

    async def update(self, post_id: str, draft: Draft) -> Posted | None:
        """None when the post is gone from the site."""
        url = f"{self._site_url}/posts/{quote(post_id, safe='')}"
        try:
            return _posted(await self._client.ask("POST", url, self._token, json=_form(draft)))
        except VendorError as error:
            if error.status == 404:
                return None
            raise

    async def find_picture(self, slug: str) -> str | None:
        """The address of the picture of this slug; None when there is none."""
        params = {"search": slug, "fields": "URL,file"}
        told = await self._client.ask("GET", f"{self._site_url}/media", self._token, params=params)
        return next((text_at(one, "URL") for one in _media(told) if text_at(one, "file").startswith(f"{slug}.")), None)

    async def add_picture(self, picture: Picture) -> str:
        """The address of the new picture."""
        files = {"media[]": (picture.file_name, picture.data, picture.content_type)}
        url = f"{self._site_url}/media/new"
        told = await self._client.ask("POST", url, self._token, files=files, timeout=UPLOAD_S)
        for one in _media(told):
            if address := text_at(one, "URL"):
                return address
        raise Rejected("wordpress", reason="WordPress.com does not take a picture of the post.")


def _media(told: Mapping[str, Any]) -> list[Any]:
    listed = told.get("media")
    return listed if isinstance(listed, list) else []


def _form(draft: Draft) -> dict[str, str]:
    return {"title": draft.title, "content": draft.content, "status": draft.status, "slug": draft.slug}


def _posted(told: Mapping[str, Any]) -> Posted:
    if not told.get("ID"):
        raise TryLater("wordpress", reason="the answer names no post")
    return Posted(id=str(told["ID"]), url=text_at(told, "URL"))


def _site(one: Mapping[str, Any]) -> dict[str, Any]:
    capabilities, plan = one.get("capabilities"), one.get("plan")
    return {
        "id": _text(one.get("ID")),
        "blogId": _text(one.get("ID")),
        "name": text_at(one, "name"),
        "description": text_at(one, "description"),
        "url": text_at(one, "URL"),
        "adminUrl": text_at(one, "options", "admin_url"),
        "icon": text_at(one, "icon", "img") or None,
        "isPrivate": one.get("is_private") is True,
        "isJetpack": one.get("jetpack") is True,
        "capabilities": capabilities if isinstance(capabilities, dict) else {},
        "plan": (text_at(plan, "product_name_short") or text_at(plan, "product_slug")) or None,
    }


def _text(value: Any) -> str:
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
