"""Facebook and Instagram: sign-in, long-lived tokens, pages, and the Instagram accounts behind them.

Shapes: developers.facebook.com/docs (facebook-login/guides/advanced/manual-flow, graph-api, instagram-platform). One
Graph serves both, so the fault ``instagram`` strikes only requests that ask about Instagram.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from emulators.faults import Faults
from emulators.vendors.oauth import Dialect, Grant, OAuthError, OAuthVendor, Person
from emulators.vendors.vendor import Refused, whole_number

PEOPLE = (Person("10158000000000001", "owner@brightsmile.test", "Bright Smile Owner"),)
LONG_LIVED_S = 60 * 24 * 3600
ERRORS = {401: ("OAuthException", 190), 403: ("OAuthException", 200), 429: ("OAuthException", 4)}


class Facebook(OAuthVendor):
    """The dialog and the Graph of one app. Pages carry their Instagram account under ``instagram``."""

    name = "facebook"
    version = "v18.0"
    dialect = Dialect(
        authorize_path="/{version}/dialog/oauth",
        token_path="/{version}/oauth/access_token",
        scope_separator=",",
        lifetime_s=5400,
        token_by_get=True,
    )

    def __init__(
        self,
        faults: Faults,
        *,
        client_id: str = "330000000000001",
        client_secret: str = "facebook-secret-local",
        people: tuple[Person, ...] = PEOPLE,
        port: int = 0,
    ):
        super().__init__(faults, client_id=client_id, client_secret=client_secret, people=people, port=port)
        self.pages: list[dict[str, Any]] = []
        self.declined: set[str] = set()

    def settings(self) -> dict[str, str]:
        return {
            "FACEBOOK_DIALOG_BASE": self.url,
            "FACEBOOK_GRAPH_BASE": self.url,
            "FACEBOOK_APP_ID": self.client_id,
        }

    def routes(self) -> list[BaseRoute]:
        return [
            *self.oauth_routes(),
            Route("/{version}/me", self._me),
            Route("/{version}/me/accounts", self._accounts),
            Route("/{version}/me/permissions", self._permissions),
            Route("/{version}/me/permissions", self._withdraw, methods=["DELETE"]),
            Route("/{version}/{node}", self._node),
        ]

    def fault_names(self, scope: Scope) -> tuple[str, ...]:
        about_instagram = b"instagram" in scope["query_string"]
        return ("facebook", "instagram") if about_instagram else ("facebook",)

    def error_response(self, status: int, message: str) -> Response:
        kind, code = ERRORS.get(status, ("GraphMethodException", 100 if status < 500 else 2))
        error = {"message": message, "type": kind, "code": code, "fbtrace_id": "Alocal"}
        # Graph says 400 where others say 401
        return JSONResponse({"error": error}, 400 if status == 401 else status)

    def token_error(self, error: OAuthError) -> Response:
        code = 190 if error.code == "invalid_token" else 100
        body = {"message": error.description, "type": "OAuthException", "code": code, "fbtrace_id": "Alocal"}
        return JSONResponse({"error": body}, 400)

    def token_answer(self, grant: Grant, answer: dict[str, Any]) -> dict[str, Any]:
        """Facebook has no refresh tokens and answers a lower-case type without the scope."""
        shown = {"access_token": answer["access_token"], "token_type": "bearer"}
        if "expires_in" in answer:
            shown["expires_in"] = answer["expires_in"]
        return shown

    def other_grant(self, kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """A living token may be exchanged for one of sixty days; a dead one may not."""
        if kind != "fb_exchange_token":
            return super().other_grant(kind, params)
        grant = self.grant_of(str(params.get("fb_exchange_token", "")))
        if grant is None:
            raise OAuthError("invalid_token", "Error validating access token: Session has expired.")
        answer = self._issue(grant)
        self._access[answer["access_token"]].expires_at += LONG_LIVED_S - int(answer["expires_in"])
        return {**answer, "expires_in": LONG_LIVED_S}

    def add_page(self, page_id: str, name: str, *, instagram: Mapping[str, Any] | None = None) -> dict[str, Any]:
        page: dict[str, Any] = {
            "id": page_id,
            "name": name,
            "category": "Dentist & Dental Office",
            "link": f"https://www.facebook.com/{page_id}",
            "picture": {"data": {"url": "https://example.com/page.png", "is_silhouette": False}},
            "access_token": f"page-token-{page_id}",
        }
        if instagram:
            page["instagram_business_account"] = {
                "id": str(instagram["id"]),
                "username": instagram["username"],
                "name": instagram.get("name", name),
                "profile_picture_url": "https://example.com/ig.png",
                "followers_count": instagram.get("followers_count", 0),
                "media_count": instagram.get("media_count", 0),
            }
        self.pages.append(page)
        return page

    async def _me(self, request: Request) -> Response:
        person = self.signed_in(request).person
        shown = {"id": person.id, "name": person.name, "email": person.email}
        return JSONResponse(_pick({**shown, "picture": {"data": {"url": person.picture}}}, _asked(request, "id,name")))

    async def _accounts(self, request: Request) -> Response:
        self.signed_in(request, "pages_show_list")
        limit = whole_number(request.query_params, "limit", default=25, most=100)
        start = _after(request.query_params.get("after", ""))
        shown = self.pages[start : start + limit]
        asked = _asked(request, "id,name,category,access_token")
        body: dict[str, Any] = {"data": [_pick(page, asked) for page in shown]}
        if shown:
            after = _cursor(start + limit)
            body["paging"] = {"cursors": {"before": _cursor(start), "after": after}}
            if start + limit < len(self.pages):
                query = urlencode({**request.query_params, "after": after})
                body["paging"]["next"] = f"{self.url}{request.url.path}?{query}"
        return JSONResponse(body)

    async def _node(self, request: Request) -> Response:
        """A page, or an Instagram account, by id; a page's own token reads it too."""
        node_id = request.path_params["node"]
        token = request.query_params.get("access_token", "")
        if token not in {page["access_token"] for page in self.pages}:
            self.signed_in(request)
        for page in self.pages:
            for node in (page, page.get("instagram_business_account", {})):
                if node.get("id") == node_id:
                    return JSONResponse(_pick(node, _asked(request, "id,name,username")))
        raise Refused(400, f"Unsupported get request. Object with ID '{node_id}' does not exist")

    async def _permissions(self, request: Request) -> Response:
        """Everything that was asked for, but what the person took out (``declined``)."""
        asked = self.signed_in(request).scope.split(",")
        told = [
            {"permission": one, "status": "declined" if one in self.declined else "granted"} for one in asked if one
        ]
        return JSONResponse({"data": told})

    async def _withdraw(self, request: Request) -> Response:
        self.signed_in(request).withdrawn = True
        return JSONResponse({"success": True})


def _asked(request: Request, default: str) -> str:
    return request.query_params.get("fields") or default


def _pick(node: Mapping[str, Any], asked: str) -> dict[str, Any]:
    """The fields that were asked for, one level of ``name{inner,…}`` deep; the id always comes."""
    shown = {"id": node["id"]}
    for name, inner in re.findall(r"(\w+)(?:\{([^}]*)\})?", asked):
        if name not in node:
            continue
        value = node[name]
        if name == "instagram_business_account":
            value = _pick(value, inner or "id")
        shown[name] = value
    return shown


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(start).encode()).decode().rstrip("=")


def _after(cursor: str) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))) if cursor else 0
    except (ValueError, TypeError) as error:
        raise Refused(400, "(#100) Invalid cursor") from error
