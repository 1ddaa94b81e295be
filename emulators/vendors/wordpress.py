"""WordPress: sign-in at WordPress.com with its sites, and one self-hosted site with an application password.

Shapes: developer.wordpress.com/docs (oauth2, api) and developer.wordpress.org/rest-api/reference (users, posts).
"""

from __future__ import annotations

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.oauth import Dialect, Grant, OAuthVendor, Person
from emulators.vendors.vendor import Refused, basic_credentials, json_object, same

PEOPLE = (Person("40000001", "owner@brightsmile.test", "Bright Smile Owner", extra={"username": "brightsmile"}),)
SELF_HOSTED = {"username": "editor", "password": "abcd efgh ijkl mnop qrst uvwx"}


class WordPress(OAuthVendor):
    """WordPress.com under ``/oauth2`` and ``/rest/v1.1``; a site's own REST API under ``/wp-json``."""

    name = "wordpress"
    version = "v1.1"
    dialect = Dialect(authorize_path="/oauth2/authorize", token_path="/oauth2/token", lifetime_s=None)

    def __init__(
        self,
        faults: Faults,
        *,
        client_id: str = "50001",
        client_secret: str = "wordpress-secret-local",
        people: tuple[Person, ...] = PEOPLE,
        port: int = 0,
    ):
        super().__init__(faults, client_id=client_id, client_secret=client_secret, people=people, port=port)
        self.sites: list[dict[str, Any]] = []
        self.posts: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    def settings(self) -> dict[str, str]:
        return {
            "WORDPRESS_API_BASE": self.url,
            "WORDPRESS_CLIENT_ID": self.client_id,
            "WORDPRESS_LOCAL_SITES": self.url,
        }

    def routes(self) -> list[BaseRoute]:
        return [
            *self.oauth_routes(),
            Route("/rest/v1.1/me", self._me),
            Route("/rest/v1.1/me/sites", self._sites),
            Route("/rest/v1.1/sites/{site}/posts/new", self._post, methods=["POST"]),
            Route("/wp-json/", self._index),
            Route("/wp-json/wp/v2/users/me", self._editor),
            Route("/wp-json/wp/v2/posts", self._self_hosted_post, methods=["POST"]),
        ]

    def error_response(self, status: int, message: str) -> Response:
        code = {401: "invalid_token", 403: "unauthorized", 404: "unknown_blog", 429: "rate_limited"}
        return JSONResponse({"error": code.get(status, "invalid_input"), "message": message}, status)

    def token_answer(self, grant: Grant, answer: dict[str, Any]) -> dict[str, Any]:
        """WordPress.com tokens last until withdrawn; there is nothing to refresh."""
        site = self.sites[0] if self.sites else {"ID": 0, "URL": ""}
        return {
            "access_token": answer["access_token"],
            "token_type": "bearer",
            "scope": grant.scope,
            "blog_id": str(site["ID"]),
            "blog_url": site["URL"],
        }

    def add_site(self, site_id: int, name: str, url: str, *, jetpack: bool = False) -> dict[str, Any]:
        site = {
            "ID": site_id,
            "name": name,
            "description": "",
            "URL": url,
            "icon": {"img": f"{url}/icon.png"},
            "is_private": False,
            "jetpack": jetpack,
            "capabilities": {"publish_posts": True, "edit_posts": True},
            "plan": {"product_slug": "free_plan", "product_name_short": "Free"},
            "options": {"admin_url": f"{url}/wp-admin/"},
        }
        self.sites.append(site)
        return site

    async def _me(self, request: Request) -> Response:
        person = self.signed_in(request).person
        return JSONResponse(
            {
                "ID": int(person.id),
                "display_name": person.name,
                "username": person.extra.get("username", person.email),
                "email": person.email,
                "avatar_URL": person.picture,
            }
        )

    async def _sites(self, request: Request) -> Response:
        self.signed_in(request)
        return JSONResponse({"sites": self.sites})

    async def _post(self, request: Request) -> Response:
        self.signed_in(request)
        site = request.path_params["site"]
        if site not in {str(one["ID"]) for one in self.sites}:
            raise Refused(404, "Unknown blog")
        given = await json_object(request)
        post = self._add_post(site, str(given.get("title", "")), given)
        return JSONResponse({"ID": post["id"], "site_ID": int(site), "title": post["title"], "URL": post["link"]})

    async def _index(self, _request: Request) -> Response:
        return JSONResponse({"name": "Self-hosted", "url": self.url, "namespaces": ["wp/v2"]})

    async def _editor(self, request: Request) -> Response:
        self._application_password(request)
        return JSONResponse(
            {"id": 1, "name": "Site Editor", "slug": "editor", "email": "editor@brightsmile.test", "roles": ["editor"]}
        )

    async def _self_hosted_post(self, request: Request) -> Response:
        self._application_password(request)
        given = await json_object(request)
        title = given.get("title", "")
        raw = title.get("raw", "") if isinstance(title, dict) else str(title)
        return JSONResponse(self._add_post("self", raw, given), 201)

    def _application_password(self, request: Request) -> None:
        given = basic_credentials(request) or ("", "")
        plain = [one.replace(" ", "") for one in (given[1], SELF_HOSTED["password"])]  # blanks are for reading only
        if given[0] != SELF_HOSTED["username"] or not same(*plain):
            raise Refused(401, "The provided password is an invalid application password.")

    def _add_post(self, site: str, title: str, given: dict[str, Any]) -> dict[str, Any]:
        number = next(self._ids)
        post = {
            "id": number,
            "site": site,
            "title": title,
            "content": given.get("content", ""),
            "status": given.get("status", "publish"),
            "link": f"{self.url}/?p={number}",
        }
        self.posts.append(post)
        return post
