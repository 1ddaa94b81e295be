"""WordPress: sign-in at WordPress.com with its sites, and one self-hosted site with an application password.

Shapes: developer.wordpress.com/docs (oauth2, api) and developer.wordpress.org/rest-api/reference (users, posts, media).
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.oauth import Dialect, Grant, OAuthVendor, Person
from emulators.vendors.vendor import Refused, basic_credentials, json_object, same

PEOPLE = (Person("40000001", "owner@brightsmile.test", "Bright Smile Owner", extra={"username": "brightsmile"}),)
PASSWORD_ID = "a1b2c3d4-0000-4000-8000-000000000001"
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
        self.pictures: list[dict[str, Any]] = []
        self.passwords = {PASSWORD_ID: SELF_HOSTED["password"]}
        self.lost_answers = (
            0  # so many of the next new posts or pictures are made, and their makers told of a gateway's time-out
        )
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
            Route("/rest/v1.1/sites/{site}/posts/slug:{slug}", self._post_of_slug),
            Route("/rest/v1.1/sites/{site}/posts/{post}", self._change_post, methods=["POST"]),
            Route("/rest/v1.1/sites/{site}/media", self._pictures_of_search),
            Route("/rest/v1.1/sites/{site}/media/new", self._picture, methods=["POST"]),
            Route("/wp-content/uploads/{name}", self._show_picture),
            Route("/wp-json/", self._index),
            Route("/wp-json/wp/v2/users/me", self._editor),
            Route("/wp-json/wp/v2/users/me/application-passwords/introspect", self._own_password),
            Route("/wp-json/wp/v2/users/me/application-passwords/{uuid}", self._delete_password, methods=["DELETE"]),
            Route("/wp-json/wp/v2/posts", self._self_hosted_posts),
            Route("/wp-json/wp/v2/posts", self._self_hosted_post, methods=["POST"]),
            Route("/wp-json/wp/v2/posts/{post}", self._change_self_hosted_post, methods=["POST"]),
            Route("/wp-json/wp/v2/media", self._self_hosted_pictures),
            Route("/wp-json/wp/v2/media", self._self_hosted_picture, methods=["POST"]),
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
        site = self._site(request)
        given = await json_object(request)
        return self._made(self._shown(self._add_post(site, str(given.get("title", "")), given)), 200)

    async def _post_of_slug(self, request: Request) -> Response:
        site, slug = self._site(request), request.path_params["slug"]
        for post in self.posts:
            if (post["site"], post["slug"]) == (site, slug):
                return JSONResponse(self._shown(post))
        raise Refused(404, "Unknown post")

    async def _change_post(self, request: Request) -> Response:
        post = self._find(self._site(request), request.path_params["post"])
        return JSONResponse(self._shown(_change(post, await json_object(request))))

    async def _pictures_of_search(self, request: Request) -> Response:
        site, words = self._site(request), request.query_params.get("search", "")
        found = [one for one in self.pictures if one["site"] == site and words in one["file"]]
        return JSONResponse({"found": len(found), "media": [self._shown_picture(one) for one in found]})

    async def _picture(self, request: Request) -> Response:
        site = self._site(request)
        async with request.form() as form:
            sent = form.get("media[]")
            if not isinstance(sent, UploadFile) or not (sent.content_type or "").startswith("image/"):
                raise Refused(400, "No media provided in input.")
            made = self._add_picture(site, sent.filename or "", sent.content_type or "", await sent.read())
        return self._made({"media": [self._shown_picture(made)]}, 200)

    async def _show_picture(self, request: Request) -> Response:
        for picture in self.pictures:
            if picture["file"] == request.path_params["name"]:
                return Response(picture["data"], media_type=picture["type"])
        raise Refused(404, "Not found")

    def _shown_picture(self, picture: dict[str, Any]) -> dict[str, Any]:
        return {"ID": picture["id"], "URL": picture["link"], "file": picture["file"], "mime_type": picture["type"]}

    def _site(self, request: Request) -> str:
        self.signed_in(request)
        site = str(request.path_params["site"])
        if site not in {str(one["ID"]) for one in self.sites}:
            raise Refused(404, "Unknown blog")
        return site

    def _shown(self, post: dict[str, Any]) -> dict[str, Any]:
        return {"ID": post["id"], "site_ID": int(post["site"]), "title": post["title"], "URL": post["link"]}

    def _made(self, told: dict[str, Any], status: int) -> Response:
        """The answer of a post that is made, unless it gets lost on the way."""
        if self.lost_answers:
            self.lost_answers -= 1
            raise Refused(504, "Gateway Time-out")
        return JSONResponse(told, status)

    async def _index(self, _request: Request) -> Response:
        return JSONResponse({"name": "Self-hosted", "url": self.url, "namespaces": ["wp/v2"]})

    async def _editor(self, request: Request) -> Response:
        self._application_password(request)
        return JSONResponse(
            {"id": 1, "name": "Site Editor", "slug": "editor", "email": "editor@brightsmile.test", "roles": ["editor"]}
        )

    async def _self_hosted_posts(self, request: Request) -> Response:
        """Posts of one slug; without ``status`` only published ones, as WordPress lists them."""
        self._application_password(request)
        statuses = request.query_params.get("status", "publish").split(",")
        slug = request.query_params.get("slug")
        found = [one for one in self.posts if one["site"] == "self" and one["status"] in statuses]
        return JSONResponse([one for one in found if slug is None or one["slug"] == slug])

    async def _self_hosted_post(self, request: Request) -> Response:
        self._application_password(request)
        given = await json_object(request)
        title = given.get("title", "")
        raw = title.get("raw", "") if isinstance(title, dict) else str(title)
        return self._made(self._add_post("self", raw, given), 201)

    async def _change_self_hosted_post(self, request: Request) -> Response:
        self._application_password(request)
        return JSONResponse(_change(self._find("self", request.path_params["post"]), await json_object(request)))

    async def _self_hosted_pictures(self, request: Request) -> Response:
        """Pictures of one slug."""
        self._application_password(request)
        slug = request.query_params.get("slug")
        found = [one for one in self.pictures if one["site"] == "self" and slug in (None, one["slug"])]
        return JSONResponse([{"id": one["id"], "source_url": one["link"]} for one in found])

    async def _self_hosted_picture(self, request: Request) -> Response:
        """A picture as the body, its name in Content-Disposition."""
        self._application_password(request)
        named = re.fullmatch(r'attachment; filename="([\w.-]+)"', request.headers.get("Content-Disposition", ""))
        kind = request.headers.get("Content-Type", "")
        if named is None or not kind.startswith("image/"):
            raise Refused(400, "Sorry, you are not allowed to upload this file type.")
        made = self._add_picture("self", named[1], kind, await request.body())
        return self._made({"id": made["id"], "source_url": made["link"]}, 201)

    async def _own_password(self, request: Request) -> Response:
        used = self._application_password(request)
        return JSONResponse({"uuid": used, "app_id": "", "name": "Anchor", "created": "2026-01-01T00:00:00"})

    async def _delete_password(self, request: Request) -> Response:
        self._application_password(request)
        uuid = request.path_params["uuid"]
        if self.passwords.pop(uuid, None) is None:
            raise Refused(404, "Application password not found.")
        return JSONResponse({"deleted": True, "previous": {"uuid": uuid}})

    def _application_password(self, request: Request) -> str:
        """The id of the application password that the request shows; 401 without one that lives."""
        user, given = basic_credentials(request) or ("", "")
        for uuid, password in self.passwords.items():
            plain = [one.replace(" ", "") for one in (given, password)]  # blanks are for reading only
            if user == SELF_HOSTED["username"] and same(*plain):
                return uuid
        raise Refused(401, "The provided password is an invalid application password.")

    def _find(self, site: str, number: str) -> dict[str, Any]:
        for post in self.posts:
            if (post["site"], str(post["id"])) == (site, number):
                return post
        raise Refused(404, "Invalid post ID.")

    def _add_post(self, site: str, title: str, given: dict[str, Any]) -> dict[str, Any]:
        number = next(self._ids)
        post = {
            "id": number,
            "site": site,
            "title": title,
            "slug": self._free_slug(site, str(given.get("slug") or f"post-{number}")),
            "content": given.get("content", ""),
            "status": given.get("status", "publish"),
            "link": f"{self.url}/?p={number}",
        }
        self.posts.append(post)
        return post

    def _add_picture(self, site: str, name: str, kind: str, data: bytes) -> dict[str, Any]:
        picture = {
            "id": next(self._ids),
            "site": site,
            "slug": name.rpartition(".")[0],
            "file": name,
            "type": kind,
            "data": data,
            "link": f"{self.url}/wp-content/uploads/{name}",
        }
        self.pictures.append(picture)
        return picture

    def _free_slug(self, site: str, wanted: str) -> str:
        """A second post of a slug gets a number behind it, as WordPress does."""
        taken = {post["slug"] for post in self.posts if post["site"] == site}
        return next(slug for n in itertools.count(1) if (slug := wanted if n == 1 else f"{wanted}-{n}") not in taken)


def _change(post: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    post.update({name: given[name] for name in ("title", "content", "status") if name in given})
    return post
