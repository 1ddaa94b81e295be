"""Posts on a client's WordPress site: there once, with their images, and as they are here, whatever happens between."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from emulators.faults import Fault
from emulators.vendors.wordpress import SELF_HOSTED
from emulators.vertex_answers import png
from shared import manifest
from shared.areas.connections import publishing
from shared.areas.connections.publishing import Article
from shared.integrations.wordpress.site import basic
from tests.functions.conftest import World
from tests.functions.connections.accounts import Accounts, connect
from tests.functions.people import run_tasks

ARTICLE = Article(source=f"blog_post:{uuid4()}", title="Five Tips, für Zähne", content="<p>Brush.</p>")


async def publish(world: World, owner: UUID, article: Article = ARTICLE) -> dict[str, Any]:
    """Request and return the task."""
    async with world.db.transaction() as tx:
        assert await publishing.publish(tx, owner, article) is not None
    work = tx.outbox[-1]
    return {"payload": work.payload, "key": work.id}


async def stands(world: World, owner: UUID) -> Any:
    """Where the one post of a client stands."""
    return await world.db.fetchrow(
        "select *, sent_rev >= wanted_rev as is_sent from wordpress_posts where client_id = $1", owner
    )


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
    state = await stands(world, owner)
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
    state = await stands(world, owner)
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
    state = await stands(world, owner)
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
    state = await stands(world, owner)
    assert state["is_sent"] and len(accounts.wordpress.posts) == 1


async def test_without_a_site_nothing_is_published(world: World, accounts: Accounts) -> None:
    """A client without WordPress has nothing to wait for."""
    async with world.db.transaction() as tx:
        assert await publishing.publish(tx, await world.client(), ARTICLE) is None
    assert tx.outbox == []


# --- from a client's blog ---------------------------------------------------------------------------------------------

IMAGE = f"data:image/png;base64,{base64.b64encode(png('a roof')).decode()}"
PICTURED = f'<p><img src="{IMAGE}" alt="a roof"></p><p>Text</p>'


class Author:
    """A client at work on their blog."""

    def __init__(self, world: World, client_id: UUID, headers: dict[str, str]) -> None:
        self.world, self.id, self.headers = world, client_id, headers

    async def __call__(self, method: str, path: str = "", **body: Any) -> httpx.Response:
        options = {"json": body} if body else {}
        answer = await self.world.call(method, f"/api/hub/blog-posts{path}", headers=self.headers, **options)
        assert answer.status_code == 200, answer.text
        return answer

    async def post(self, **body: Any) -> dict[str, Any]:
        made = await self("POST", **{"title": "Slate & <b>roofs</b>", "content": "<p>Hello</p>", **body})
        return made.json()["blog_post"]  # type: ignore[no-any-return]


async def author(world: World, owner: UUID) -> Author:
    return Author(world, owner, await world.sign_in(owner))


@BOTH
async def test_a_published_blog_post_is_on_the_clients_site(world: World, accounts: Accounts, kind: str) -> None:
    """Published here, it is there, its title as text and its image in the site's own library; a draft stays here."""
    writer = await author(world, await blog(world, accounts, kind))
    await writer.post(title="A draft")
    made = await writer.post(status="published", content=PICTURED)
    await run_tasks(world)

    [post], [picture] = accounts.wordpress.posts, accounts.wordpress.pictures
    assert (post["title"], post["status"]) == ("Slate &amp; &lt;b&gt;roofs&lt;/b&gt;", "publish")
    assert picture["data"] == png("a roof") and picture["type"] == "image/png"
    assert f'<img src="{picture["link"]}" alt="a roof">' in post["content"]
    assert "/uploads/" in made["content"] and "base64" not in post["content"]


@BOTH
async def test_the_site_shows_what_is_published_and_no_more(world: World, accounts: Accounts, kind: str) -> None:
    """Other words follow; taken back or deleted, the post is a draft there; published again, it is back."""
    writer = await author(world, await blog(world, accounts, kind))
    made = await writer.post(content=PICTURED)

    async def shown(method: str, **changes: Any) -> tuple[str, str]:
        await writer(method, f"/{made['id']}", **changes)
        await run_tasks(world)
        [post] = accounts.wordpress.posts
        return post["title"], post["status"]

    assert await shown("PUT", status="published", title="One") == ("One", "publish")
    assert await shown("PUT", title="Two") == ("Two", "publish")
    assert await shown("PUT", status="draft", title="Not yet") == ("Two", "draft")
    assert await shown("PUT", title="Still not") == ("Two", "draft")
    assert await shown("PUT", status="published") == ("Still not", "publish")
    assert await shown("DELETE") == ("Still not", "draft")
    assert len(accounts.wordpress.pictures) == 1 and "/wp-content/" in accounts.wordpress.posts[0]["content"]


async def test_what_was_published_before_there_was_a_site_stays_here(world: World, accounts: Accounts) -> None:
    """Its people may have it on their site already: an edit brings nothing there, a new publication does."""
    owner = await world.client()
    writer = await author(world, owner)
    made = await writer.post(status="published")
    await accounts.self_hosted(owner)
    await writer("PUT", f"/{made['id']}", title="Edited")
    await writer("PUT", f"/{made['id']}", status="draft")
    await run_tasks(world)
    assert accounts.wordpress.posts == []
    await writer("PUT", f"/{made['id']}", status="published")
    await run_tasks(world)
    assert [post["title"] for post in accounts.wordpress.posts] == ["Edited"]


async def test_a_post_that_was_taken_back_in_time_is_never_made(world: World, accounts: Accounts) -> None:
    """Published and taken back before the work began: the site has nothing, not even a draft."""
    writer = await author(world, await blog(world, accounts, "self-hosted"))
    made = await writer.post(status="published")
    await writer("PUT", f"/{made['id']}", status="draft")
    await run_tasks(world)
    assert accounts.wordpress.posts == [] and (await stands(world, writer.id))["is_sent"]


@BOTH
async def test_an_image_is_brought_once(world: World, accounts: Accounts, kind: str) -> None:
    """A lost answer, another edit and another post with the same image make no second picture of it."""
    writer = await author(world, await blog(world, accounts, kind))
    accounts.wordpress.lost_answers = 1
    made = await writer.post(status="published", content=PICTURED)
    [work] = [one for one in world.sent.tasks if one["function"] == "connections_publish_post"]
    key = UUID(work["headers"]["X-Outbox-Id"])
    lost = await world.deliver_task("connections_publish_post", work["payload"], key=key)
    assert (lost.status_code, accounts.wordpress.posts) == (503, [])
    await writer("PUT", f"/{made['id']}", title="Again")
    await writer.post(status="published", content=made["content"])
    await run_tasks(world)
    assert len(accounts.wordpress.pictures) == 1 and len(accounts.wordpress.posts) == 2


async def test_an_outage_between_two_images_brings_neither_twice(world: World, accounts: Accounts) -> None:
    """What the site has is known without asking it."""
    owner = await blog(world, accounts, "self-hosted")
    writer = await author(world, owner)
    other = f"data:image/png;base64,{base64.b64encode(png('a wall')).decode()}"
    await writer.post(status="published", content=f'{PICTURED}<img src="{other}">')
    [row] = await world.db.fetch("select id, content from wordpress_posts where client_id = $1", owner)
    first = next(iter(publishing.rules.own_images(row["content"]).values()))
    await world.db.execute(
        "insert into wordpress_pictures (post_id, file_id, remote_url) values ($1, $2, 'https://site.test/a.png')",
        row["id"], first,
    )  # fmt: skip
    await run_tasks(world)
    [post], [picture] = accounts.wordpress.posts, accounts.wordpress.pictures
    assert picture["data"] == png("a wall") and 'src="https://site.test/a.png"' in post["content"]


async def test_nobody_publishes_another_clients_image(world: World, accounts: Accounts) -> None:
    """An address of somebody else's file, or of none, in one's own post brings nothing: the image is left out."""
    stranger = await author(world, await world.client())
    theirs = (await stranger.post(content=PICTURED))["content"]
    writer = await author(world, await blog(world, accounts, "self-hosted"))
    gone = f'<img src="/uploads/{uuid4()}/x.png"><img src="/uploads/old/x.png"><img src="https://site.test/y.png">'
    await writer.post(status="published", content=f"<p>Mine</p>{theirs}{gone}")
    await run_tasks(world)
    [post] = accounts.wordpress.posts
    assert accounts.wordpress.pictures == []
    assert post["content"].count("<img") == 1 and 'src="https://site.test/y.png"' in post["content"]


async def test_the_staff_hears_once_why_a_post_does_not_arrive(world: World, accounts: Accounts) -> None:
    """The reason is a notice to the head staff, for each new reason one."""
    head = await world.user("superadmin")
    writer = await author(world, await blog(world, accounts, "self-hosted"))
    world.faults.put("wordpress", Fault(status=403))
    made = await writer.post(status="published")
    await writer("PUT", f"/{made['id']}", title="Again")
    await run_tasks(world)
    rows = await world.db.fetch("select title, body from notifications where user_id = $1", head)
    assert [row["title"] for row in rows] == ["A blog post could not be brought to its site"]
    assert "does not let this user do that" in rows[0]["body"]
    assert not (await stands(world, writer.id))["is_sent"]


async def test_the_staff_hears_of_a_site_that_is_out_for_hours(world: World, accounts: Accounts) -> None:
    """The last of the queue's tries says so; saved again, the post arrives."""
    head = await world.user("superadmin")
    writer = await author(world, await blog(world, accounts, "self-hosted"))
    world.faults.put("wordpress", Fault(status=503))
    made = await writer.post(status="published")
    [work] = [task for task in world.sent.tasks if task["function"] == "connections_publish_post"]
    world.sent.tasks.remove(work)
    key, last = UUID(work["headers"]["X-Outbox-Id"]), manifest.QUEUES["vendors"].attempts - 1
    for retries, status in ((0, 503), (last, 204)):
        answer = await world.deliver_task("connections_publish_post", work["payload"], key=key, retries=retries)
        assert answer.status_code == status, answer.text
    bodies = [row["body"] for row in await world.db.fetch("select body from notifications where user_id = $1", head)]
    assert len(bodies) == 1 and publishing.OUT_TOO_LONG in bodies[0]
    dead = await world.db.fetchval("select dead_reason from outbox where id = $1", key)
    assert dead == publishing.OUT_TOO_LONG

    world.faults.clear("wordpress")
    await writer("PUT", f"/{made['id']}", title="Again")
    await run_tasks(world)
    assert [post["title"] for post in accounts.wordpress.posts] == ["Again"]


def test_a_run_ends_before_its_hold_of_the_post() -> None:
    """Else two runs could make one post at once."""
    assert publishing.LEASE.total_seconds() > manifest.BY_NAME["connections_publish_post"].timeout_s
