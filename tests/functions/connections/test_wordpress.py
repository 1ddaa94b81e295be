"""WordPress sites with application passwords: proved before they are kept, and public ones only."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from emulators.serving import AsgiServer
from emulators.vendors.wordpress import SELF_HOSTED
from shared.integrations.wordpress.site import basic
from tests.functions.conftest import World
from tests.functions.connections.accounts import Accounts, connect


async def test_an_application_password_is_proved_and_kept(world: World, accounts: Accounts) -> None:
    """The connection shows site and user, never the password; testing it says who we are there."""
    client_id = await world.client()
    answer = await connect(world, client_id, f"{accounts.wordpress.url}/")
    assert answer.status_code == 200, answer.text
    shown = answer.json()["connection"]
    assert shown["provider"] == "wordpress" and shown["token_type"] == "Basic" and shown["is_connected"]
    assert shown["external_metadata"]["site_url"] == accounts.wordpress.url
    assert shown["external_metadata"]["username"] == "editor"
    assert shown["external_metadata"]["user_roles"] == ["editor"]
    row = dict(await accounts.row(UUID(shown["id"])))
    for secret in (
        SELF_HOSTED["password"],
        SELF_HOSTED["password"].replace(" ", ""),
        (await accounts.tokens(UUID(shown["id"])))[0],
    ):
        assert secret not in str(row) and secret not in answer.text

    headers = await world.sign_in(await world.user("admin"))
    tested = await world.call("POST", "/api/hub/wordpress/test", json={"connectionId": shown["id"]}, headers=headers)
    assert tested.json()["user"] == {"id": "1", "name": "Site Editor", "email": "editor@brightsmile.test"}
    assert (await connect(world, client_id, accounts.wordpress.url)).json()["connection"]["id"] == shown["id"]


async def test_a_connection_to_wordpress_com_is_tested_too(world: World, accounts: Accounts) -> None:
    """Whoever consented is named; a connection to another vendor is a 400, an unknown one a 404."""
    headers, client_id = await world.sign_in(await world.user("admin")), await world.client()
    cases = (
        (await accounts.connected(client_id, "wordpress", ends_in=None), 200),
        (await accounts.connected(client_id, "google"), 400),
        (uuid4(), 404),
    )
    for connection_id, status in cases:
        answer = await world.call(
            "POST", "/api/hub/wordpress/test", json={"connectionId": str(connection_id)}, headers=headers
        )
        assert answer.status_code == status
        assert status != 200 or answer.json()["user"]["name"] == "Robin Sample"


async def test_a_wrong_password_is_a_401_and_nothing_is_kept(world: World, accounts: Accounts) -> None:
    """What did not work is not stored."""
    client_id = await world.client()
    answer = await connect(world, client_id, accounts.wordpress.url, applicationPassword="wrong wrong")
    assert (answer.status_code, answer.json()["code"]) == (401, "WORDPRESS_REFUSES")
    assert not await world.db.fetchval("select count(*) from oauth_connections where client_id = $1", client_id)
    assert (await connect(world, uuid4(), accounts.wordpress.url)).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://127.0.0.1",
            "https://localhost",
            "https://10.0.0.8",
            "https://169.254.169.254/latest",
            "https://[::1]",
        ),
        *("https://[::ffff:127.0.0.1]", "https://0.0.0.0", "http://example.com", "https://127.1", "https://2130706433"),
        *(
            "ftp://example.com",
            "https://user:pw@example.com",
            "https://example.com:22",
            "javascript:alert(1)",
            "https://",
        ),
        *("file:///etc/passwd", "https://exa mple.com", "https://[fe80::1]"),
    ],
)
async def test_only_public_sites_are_called(world: World, accounts: Accounts, url: str) -> None:
    """Private, link-local, loopback, plain and odd addresses are a 400 that names the field."""
    answer = await connect(world, await world.client(), url)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == "siteUrl"


async def test_in_the_cloud_no_address_is_exempt(world: World, accounts: Accounts) -> None:
    """The laptop's list of local sites counts on a laptop only."""
    world.services.settings = replace(world.services.settings, environment="prod")
    answer = await connect(world, await world.client(), accounts.wordpress.url)
    assert answer.status_code == 400


# --- sites that mean us harm ------------------------------------------------------------------------------------------


class Site:
    """A web site that is no plain WordPress. What it was sent is in ``seen``."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.api: Any = {"name": "Odd", "namespaces": ["wp/v2"]}
        self.redirect = ""
        self.raw: bytes | None = None
        self.headers: dict[str, str] = {}
        self.me: Response = JSONResponse({"id": 1, "name": "x", "roles": []})
        routes = [Route("/wp-json/", self._index), Route("/wp-json/wp/v2/users/me", self._me), Route("/", self._home)]
        self.server = AsgiServer(Starlette(routes=routes))

    async def _index(self, request: Request) -> Response:
        self.seen.append(request)
        if self.redirect:
            return RedirectResponse(self.redirect, 302)
        return Response(self.raw, headers=self.headers) if self.raw else JSONResponse(self.api)

    async def _home(self, request: Request) -> Response:
        self.seen.append(request)
        return PlainTextResponse("<html>secret inside page</html>")

    async def _me(self, request: Request) -> Response:
        self.seen.append(request)
        return self.me


@pytest.fixture
async def site(world: World, accounts: Accounts) -> AsyncIterator[Site]:
    one = Site()
    await one.server.start()
    known = (*world.services.settings.wordpress_local_sites, one.server.url)
    world.services.settings = replace(world.services.settings, wordpress_local_sites=known)
    yield one
    await one.server.stop()


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/wp-json/", "https://10.0.0.1/wp-json/", "https://localhost/"])
async def test_a_redirect_to_a_private_address_is_not_followed(world: World, site: Site, target: str) -> None:
    """A public site cannot send us inside."""
    site.redirect = target
    answer = await connect(world, await world.client(), site.server.url)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "siteUrl")
    assert "public" in answer.json()["message"]


async def test_redirects_without_end_end(world: World, site: Site) -> None:
    """Three are followed, not more."""
    site.redirect = f"{site.server.url}/wp-json/"
    answer = await connect(world, await world.client(), site.server.url)
    assert answer.status_code in (400, 404) and len(site.seen) <= 8


async def test_credentials_follow_no_redirect(world: World, accounts: Accounts, site: Site) -> None:
    """Discovery sends none; the request that carries them goes to the API's own address, and nowhere from there."""
    site.me = RedirectResponse(f"{accounts.wordpress.url}/wp-json/wp/v2/users/me", 302)
    answer = await connect(world, await world.client(), site.server.url)
    assert answer.status_code == 400
    assert [bool(one.headers.get("authorization")) for one in site.seen] == [False, True]


async def test_a_site_without_the_api_is_a_404_and_its_page_stays_there(world: World, site: Site) -> None:
    """Nothing of what the page says is in the answer."""
    site.api = {"secret": "inside"}
    answer = await connect(world, await world.client(), site.server.url)
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_REST_API")
    assert "secret" not in answer.text


async def test_an_endless_answer_is_cut_off(world: World, site: Site) -> None:
    """Two megabytes where a small object belongs are not read to their end."""
    site.api = {"name": "x" * 2_000_000, "namespaces": ["wp/v2"]}
    answer = await connect(world, await world.client(), site.server.url)
    assert answer.status_code == 400 and "too long" in answer.json()["message"]


async def test_a_compressed_answer_is_not_unpacked(world: World, site: Site) -> None:
    """Nobody asked for it; a thousand bytes that would become millions are none of an API's answers."""
    site.headers = {"content-encoding": "gzip"}
    site.raw = gzip.compress(json.dumps({"name": "x" * 900_000, "namespaces": ["wp/v2"]}).encode())
    answer = await connect(world, await world.client(), site.server.url)
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_REST_API")
    assert all(one.headers["accept-encoding"] == "identity" for one in site.seen)


async def test_editing_a_connection_sends_its_password_nowhere_else(
    world: World, accounts: Accounts, site: Site
) -> None:
    """Nobody is shown the password, and nobody can have it sent to a site of theirs; with one of their own they may."""
    connection_id = await accounts.self_hosted(await world.client())
    headers, path = await world.sign_in(await world.user("admin")), f"/api/hub/oauth-connections/{connection_id}"
    elsewhere = {"site_url": site.server.url, "rest_root": f"{site.server.url}/wp-json/", "note": "new"}

    edited = await world.call("PUT", path, json={"external_metadata": elsewhere}, headers=headers)
    test = {"json": {"connectionId": str(connection_id)}, "headers": headers}
    tested = await world.call("POST", "/api/hub/wordpress/test", **test)

    assert edited.json()["connection"]["external_metadata"]["note"] == "new"
    assert tested.json()["user"]["name"] == "Site Editor" and site.seen == []
    own = {"external_metadata": elsewhere, "access_token": basic("me", "mine")}
    assert (await world.call("PUT", path, json=own, headers=headers)).status_code == 200
    await world.call("POST", "/api/hub/wordpress/test", **test)
    assert [one.headers["authorization"] for one in site.seen] == [f"Basic {basic('me', 'mine')}"]


async def test_a_consents_token_is_no_password_of_a_site(world: World, accounts: Accounts, site: Site) -> None:
    """A WordPress.com token is sent to WordPress.com, whatever somebody writes beside it."""
    connection_id = await accounts.connected(await world.client(), "wordpress", ends_in=None)
    headers = await world.sign_in(await world.user("admin"))
    elsewhere = {"token_type": "Basic", "external_metadata": {"rest_root": f"{site.server.url}/wp-json/"}}
    await world.call("PUT", f"/api/hub/oauth-connections/{connection_id}", json=elsewhere, headers=headers)
    test = {"json": {"connectionId": str(connection_id)}, "headers": headers}
    assert (await world.call("POST", "/api/hub/wordpress/test", **test)).json()["user"]["name"] == "Robin Sample"
    assert site.seen == []
