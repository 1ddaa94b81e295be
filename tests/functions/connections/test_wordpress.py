"""WordPress: application passwords proved before they are kept, public sites only, and posts that are there once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from emulators.faults import Fault
from emulators.serving import AsgiServer
from emulators.vendors.wordpress import SELF_HOSTED
from shared.areas.connections import publishing
from shared.areas.connections.publishing import Article
from shared.integrations.wordpress.site import basic
from tests.functions.conftest import World
from tests.functions.connections.accounts import Accounts
from tests.functions.people import run_tasks


async def connect(world: World, client_id: UUID, url: str, **more: str) -> httpx.Response:
    headers = await world.sign_in(await world.user("admin"))
    body = {
        "clientId": str(client_id),
        "siteUrl": url,
        "username": SELF_HOSTED["username"],
        "applicationPassword": SELF_HOSTED["password"],
        **more,
    }
    return await world.call("POST", "/api/hub/wordpress/connect", json=body, headers=headers)


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
        self.me: Response = JSONResponse({"id": 1, "name": "x", "roles": []})
        routes = [Route("/wp-json/", self._index), Route("/wp-json/wp/v2/users/me", self._me), Route("/", self._home)]
        self.server = AsgiServer(Starlette(routes=routes))

    async def _index(self, request: Request) -> Response:
        self.seen.append(request)
        return RedirectResponse(self.redirect, 302) if self.redirect else JSONResponse(self.api)

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


# --- publishing -------------------------------------------------------------------------------------------------------

ARTICLE = Article(source=f"blog_post:{uuid4()}", title="Five Tips, für Zähne", content="<p>Brush.</p>")


async def publish(world: World, owner: UUID, article: Article = ARTICLE) -> dict[str, Any]:
    """Request and return the task."""
    async with world.db.transaction() as tx:
        assert await publishing.request(tx, owner, article) is not None
    work = tx.outbox[-1]
    return {"payload": work.payload, "key": work.id}


async def dot_com(world: World, accounts: Accounts, owner: UUID) -> None:
    accounts.wordpress.add_site(7, "Bright", "https://bright.example")
    connection_id = await accounts.connected(owner, "wordpress", ends_in=None)
    headers = await world.sign_in(await world.user("admin"))
    body = {"resource_type": "wordpress_site", "resource_id": "7", "resource_name": "Bright", "is_primary": True}
    path = f"/api/hub/oauth-connections/{connection_id}/resources"
    assert (await world.call("POST", path, json=body, headers=headers)).status_code == 200


BOTH = pytest.mark.parametrize("kind", ["self-hosted", "wordpress.com"])


async def blog(world: World, accounts: Accounts, kind: str) -> UUID:
    owner = await world.client()
    if kind == "self-hosted":
        await accounts.self_hosted(owner)
    else:
        await dot_com(world, accounts, owner)
    return owner


@BOTH
async def test_a_post_is_published_once(world: World, accounts: Accounts, kind: str) -> None:
    """Delivered three times, one post; asked for again with other words, the same post says those."""
    owner = await blog(world, accounts, kind)
    work = await publish(world, owner)
    for _ in range(3):
        assert (await world.deliver_task("connections_publish_post", **work)).status_code == 204
    [post] = accounts.wordpress.posts
    assert (post["title"], post["content"], post["status"]) == (ARTICLE.title, ARTICLE.content, "publish")
    [state] = await publishing.state(world.db, owner, ARTICLE.source)
    assert state["is_sent"] and state["remote_url"] == post["link"] and state["last_error"] is None

    changed = replace(ARTICLE, title="Six Tips", content="<p>Floss.</p>")
    assert (
        await world.deliver_task("connections_publish_post", **await publish(world, owner, changed))
    ).status_code == 204
    [post] = accounts.wordpress.posts
    assert (post["title"], post["content"]) == ("Six Tips", "<p>Floss.</p>")


@BOTH
async def test_a_lost_answer_makes_no_second_post(world: World, accounts: Accounts, kind: str) -> None:
    """The site made the post and its answer was lost: the next try finds it instead of making another."""
    owner = await blog(world, accounts, kind)
    accounts.wordpress.lost_answers = 1
    work = await publish(world, owner)
    answers = [(await world.deliver_task("connections_publish_post", **work)).status_code for _ in range(2)]
    assert answers == [503, 204]
    assert len(accounts.wordpress.posts) == 1
    [state] = await publishing.state(world.db, owner, ARTICLE.source)
    assert state["is_sent"]


@BOTH
async def test_two_runs_at_once_make_one_post(world: World, accounts: Accounts, kind: str) -> None:
    """Two requests for one article, delivered side by side: one post, with the later words."""
    owner = await blog(world, accounts, kind)
    first = await publish(world, owner)
    second = await publish(world, owner, replace(ARTICLE, title="Later"))
    world.faults.put("wordpress", Fault(latency_ms=60))
    answers = await asyncio.gather(
        *(world.deliver_task("connections_publish_post", **work) for work in (first, second))
    )
    assert sorted(answer.status_code for answer in answers) in ([204, 204], [204, 503])
    [post] = accounts.wordpress.posts
    assert post["title"] == "Later"


@BOTH
async def test_an_outage_is_waited_for(world: World, accounts: Accounts, kind: str) -> None:
    """While the site is out the work stays in the queue; nothing is lost."""
    owner = await blog(world, accounts, kind)
    work = await publish(world, owner)
    world.faults.put("wordpress", Fault(status=503, times=1))
    answers = [(await world.deliver_task("connections_publish_post", **work)).status_code for _ in range(2)]
    assert answers == [503, 204] and len(accounts.wordpress.posts) == 1


async def test_a_post_that_somebody_deleted_comes_back_when_it_is_changed(world: World, accounts: Accounts) -> None:
    """Gone from the site, and published anew by a later request."""
    owner = await blog(world, accounts, "self-hosted")
    await world.deliver_task("connections_publish_post", **await publish(world, owner))
    accounts.wordpress.posts.clear()
    await world.deliver_task("connections_publish_post", **await publish(world, owner))
    assert len(accounts.wordpress.posts) == 1


@pytest.mark.parametrize("how", ["connected again", "edited"])
async def test_a_post_waits_for_a_broken_connection(world: World, accounts: Accounts, how: str) -> None:
    """A refused password parks the post with its reason; a new one sends it, however it is brought."""
    owner = await world.client()
    connected = await connect(world, owner, accounts.wordpress.url)
    assert connected.status_code == 200
    passwords, accounts.wordpress.passwords = dict(accounts.wordpress.passwords), {}
    answer = await world.deliver_task("connections_publish_post", **await publish(world, owner))
    [state] = await publishing.state(world.db, owner, ARTICLE.source)
    assert answer.status_code == 204 and not state["is_sent"] and "connect again" in state["last_error"]

    accounts.wordpress.passwords = passwords
    world.sent.tasks.clear()
    if how == "connected again":
        healed = await connect(world, owner, accounts.wordpress.url)
    else:
        headers = await world.sign_in(await world.user("admin"))
        credentials = {"access_token": basic(SELF_HOSTED["username"], SELF_HOSTED["password"])}
        path = f"/api/hub/oauth-connections/{connected.json()['connection']['id']}"
        healed = await world.call("PUT", path, json=credentials, headers=headers)
    assert healed.status_code == 200
    await run_tasks(world)
    [state] = await publishing.state(world.db, owner, ARTICLE.source)
    assert state["is_sent"] and len(accounts.wordpress.posts) == 1


async def test_without_a_site_nothing_is_published(world: World, accounts: Accounts) -> None:
    """A client without WordPress has nothing to wait for."""
    async with world.db.transaction() as tx:
        assert await publishing.request(tx, await world.client(), ARTICLE) is None
    assert tx.outbox == []
