"""A WordPress site of anybody's, over its own REST API with an application password.

The site's address comes from a person and its answers from a stranger: only public HTTPS addresses are called
(``public_only``), credentials never follow a redirect, answers are read up to a limit, and none of their text is kept.
Sources: developer.wordpress.org/rest-api/using-the-rest-api/discovery and /authentication, /reference (users, posts,
media, application-passwords).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.errors import Reconnect, Rejected, TryLater, vendor_error
from shared.integrations.oauth.client import text_at
from shared.integrations.wordpress.posts import UPLOAD_S, Draft, Picture, Posted

if TYPE_CHECKING:
    import httpx

_LONGEST_ANSWER = 1024 * 1024
_MOST_REDIRECTS = 3
_ALL_STATUSES = "publish,future,draft,pending,private"
REFUSED = "The site refuses the application password. Please connect again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A site's REST API. ``root``: what a path of the API is appended to, ``https://site/wp-json/`` or
    ``https://site/?rest_route=/``."""

    root: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Whose application password it is."""

    id: str
    name: str
    email: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    url: str
    told: Any = field(repr=False)


class NoRestApi(Rejected):
    """The address answers, but not as a WordPress site."""


def connect(timeout_s: float, *, trusted: Iterable[str] = ()) -> httpx.AsyncClient:
    """A client that reaches public sites only. *trusted*: origins that are exempt."""
    import httpx

    from shared.integrations.wordpress.public_only import PublicOnly

    known = frozenset(address.rstrip("/") for address in trusted)
    # no compression: a stranger's few bytes could become many before they are counted
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    return httpx.AsyncClient(transport=PublicOnly(known), timeout=timeout_s, trust_env=False, headers=headers)


async def discover(http: httpx.AsyncClient, site_url: str, *, within_s: float) -> Found:
    """Find the REST API of a site, with pretty permalinks or without. Raises NoRestApi, TryLater, NotPublic."""
    for root in (f"{site_url}/wp-json/", f"{site_url}/?rest_route=/"):
        answer = await _fetch(http, "GET", root, within_s=within_s, redirects=_MOST_REDIRECTS)
        namespaces = answer.told.get("namespaces") if isinstance(answer.told, dict) else None
        if answer.status == 200 and isinstance(namespaces, list) and "wp/v2" in namespaces:
            return Found(root=_with_slash(answer.url), name=text_at(answer.told, "name"))
        if answer.status == 429 or answer.status >= 500:
            raise TryLater("wordpress", status=answer.status)
    raise NoRestApi("wordpress", status=404, reason="no REST API at this address")


def _with_slash(url: str) -> str:
    return url if "?" in url or url.endswith("/") else f"{url}/"


def basic(username: str, password: str) -> str:
    """The credentials as the Authorization header and the connection's token hold them. Blanks in an application
    password are for reading only."""
    return base64.b64encode(f"{username}:{''.join(password.split())}".encode()).decode()


class WordPressSite:
    """One site, for the holder of *credentials* (``basic``)."""

    def __init__(self, http: httpx.AsyncClient, root: str, credentials: str, *, within_s: float) -> None:
        self._http, self._root, self._credentials, self._within_s = http, root, credentials, within_s

    async def editor(self) -> Editor:
        told = await self._object("GET", "wp/v2/users/me", {"context": "edit"})
        roles = told.get("roles")
        return Editor(
            id=str(told.get("id", "")),
            name=text_at(told, "name") or text_at(told, "slug"),
            email=text_at(told, "email"),
            roles=tuple(role for role in (roles if isinstance(roles, list) else []) if isinstance(role, str)),
        )

    async def find(self, slug: str) -> Posted | None:
        """The post of this slug, in whatever status; None when there is none."""
        params = {"slug": slug, "status": _ALL_STATUSES, "context": "edit", "_fields": "id,link"}
        found = (await self._call("GET", "wp/v2/posts", params)).told
        return _posted(found[0]) if isinstance(found, list) and found else None

    async def create(self, draft: Draft) -> Posted:
        return _posted(await self._object("POST", "wp/v2/posts", {"_fields": "id,link"}, _form(draft)))

    async def update(self, post_id: str, draft: Draft) -> Posted | None:
        """None when the post is gone from the site."""
        path = f"wp/v2/posts/{int(post_id)}"
        try:
            return _posted(await self._object("POST", path, {"_fields": "id,link"}, _form(draft)))
        except Rejected as error:
            if error.status in (404, 410):
                return None
            raise

    async def find_picture(self, slug: str) -> str | None:
        """The address of the picture of this slug; None when there is none."""
        found = (await self._call("GET", "wp/v2/media", {"slug": slug, "_fields": "source_url"})).told
        return _address(found[0]) if isinstance(found, list) and found else None

    async def add_picture(self, picture: Picture) -> str:
        """The address of the new picture."""
        headers = {
            "Content-Type": picture.content_type,
            "Content-Disposition": f'attachment; filename="{picture.file_name}"',
        }
        made = await self._call(
            "POST", "wp/v2/media", {"_fields": "source_url"}, headers=headers, content=picture.data, within_s=UPLOAD_S
        )
        return _address(made.told)

    async def withdraw(self) -> bool:
        """Delete the application password that we use; False where the site does not say which one it is."""
        try:
            told = await self._object("GET", "wp/v2/users/me/application-passwords/introspect", {"_fields": "uuid"})
            name = text_at(told, "uuid")
            if not name or not name.replace("-", "").isalnum():
                return False
            await self._call("DELETE", f"wp/v2/users/me/application-passwords/{name}", {})
        except Reconnect as error:
            return error.status == 401  # it is gone already
        except Rejected as error:
            if error.status in (404, 410):  # a site older than 5.7 cannot say which password it is
                return False
            raise
        return True

    async def _object(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        told = (await self._call(method, path, params, json=body)).told
        if not isinstance(told, dict):
            raise TryLater("wordpress", reason="unreadable answer")
        return told

    async def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        within_s: float | None = None,
        **body: Any,
    ) -> Answer:
        answer = await _fetch(
            self._http, method, self._root + path, within_s=within_s or self._within_s, params=params,
            headers={"Authorization": f"Basic {self._credentials}", **(headers or {})}, **body,
        )  # fmt: skip
        if answer.status < 300:
            return answer
        if answer.status < 400:
            raise Rejected("wordpress", status=answer.status, reason="the site sends its REST API elsewhere")
        if answer.status == 401:
            raise Reconnect("wordpress", status=401, reason=REFUSED)
        if answer.status == 403:
            raise Reconnect("wordpress", status=403, reason="The site does not let this user do that.")
        raise vendor_error("wordpress", answer.status)


async def _fetch(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    within_s: float,
    redirects: int = 0,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    **body: Any,
) -> Answer:
    """One answer, read up to the limit, within the time for all of it; each redirect is a request of its own. *body*:
    ``json`` or ``content``."""
    import httpx

    target = httpx.URL(url).copy_merge_params(dict(params or {}))
    try:
        async with asyncio.timeout(within_s):
            for left in reversed(range(redirects + 1)):
                async with http.stream(method, target, headers=headers, timeout=within_s, **body) as answer:
                    if left and answer.has_redirect_location:
                        target = target.join(answer.headers["location"])
                        continue
                    return Answer(answer.status_code, str(target), await _read(answer))
    except (httpx.RequestError, TimeoutError) as error:
        raise TryLater("wordpress", reason=type(error).__name__) from error
    except (httpx.InvalidURL, ValueError) as error:
        raise Rejected("wordpress", reason="not an address") from error
    raise AssertionError("unreachable")


async def _read(answer: httpx.Response) -> Any:
    """The JSON of an answer as it was sent; None when it is none. Too long is TryLater: none of it can be trusted."""
    raw = bytearray()
    async for chunk in answer.aiter_raw():
        raw += chunk
        if len(raw) > _LONGEST_ANSWER:
            raise TryLater("wordpress", status=answer.status_code, reason="the answer is too long")
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return None


def _form(draft: Draft) -> dict[str, str]:
    return {"title": draft.title, "content": draft.content, "status": draft.status, "slug": draft.slug}


def _address(told: Any) -> str:
    address = text_at(told, "source_url")
    if not address:
        raise TryLater("wordpress", reason="the answer names no picture")
    return address


def _posted(told: Any) -> Posted:
    number = told.get("id") if isinstance(told, Mapping) else None
    if not isinstance(number, int):
        raise TryLater("wordpress", reason="the answer names no post")
    return Posted(id=str(number), url=text_at(told, "link"))
