"""A client's published posts on the client's own WordPress site."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from emulators.vertex_answers import png
from tests.functions.conftest import World
from tests.functions.connections.accounts import Accounts

POSTS = "/api/hub/blog-posts"
IMAGE = f"data:image/png;base64,{base64.b64encode(png('a roof')).decode()}"


@pytest.fixture
async def owner(world: World, accounts: Accounts) -> AsyncIterator[UUID]:
    """A client with a site of their own, which is nobody's afterwards."""
    client_id = await world.client()
    connection_id = await accounts.self_hosted(client_id)
    yield client_id
    await world.db.execute("delete from oauth_connections where id = $1", connection_id)


async def deliver(world: World) -> int:
    """Deliver what waits for WordPress; how much."""
    waiting = [one for one in world.sent.tasks if one["function"] == "connections_publish_post"]
    for one in waiting:
        answer = await world.deliver_task(one["function"], one["payload"], key=UUID(one["headers"]["X-Outbox-Id"]))
        assert answer.status_code == 204
        world.sent.tasks.remove(one)
    return len(waiting)


async def save(world: World, owner: UUID, method: str = "POST", path: str = "", **body: Any) -> dict[str, Any]:
    answer = await world.call(method, f"{POSTS}{path}", json=body, headers=await world.sign_in(owner))
    assert answer.status_code == 200, answer.text
    post: dict[str, Any] = answer.json()["blog_post"]
    return post


async def test_a_published_post_is_on_the_clients_site(world: World, accounts: Accounts, owner: UUID) -> None:
    """With every change, once; a draft is not, and a post that becomes one again is a draft there too."""
    post = await save(world, owner, title="Slate", content="<p>One</p>")
    assert await deliver(world) == 0

    await save(world, owner, "PUT", f"/{post['id']}", status="published")
    await save(world, owner, "PUT", f"/{post['id']}", title="Slate roofs", content="<p>Two</p>")
    assert await deliver(world) == 2
    [there] = accounts.wordpress.posts
    assert (there["title"], there["content"], there["status"]) == ("Slate roofs", "<p>Two</p>", "publish")

    await save(world, owner, "PUT", f"/{post['id']}", status="draft")
    await deliver(world)
    [there] = accounts.wordpress.posts
    assert there["status"] == "draft"
    await save(world, owner, "PUT", f"/{post['id']}", content="<p>Three</p>")
    assert await deliver(world) == 0


async def test_its_images_are_shown_there_to_everybody(world: World, accounts: Accounts, owner: UUID) -> None:
    """Under an address of their own; nothing else is, whoever's it is."""
    post = await save(world, owner, title="Slate", content=f'<img src="{IMAGE}"><p>a</p>', status="published")
    await deliver(world)

    [there] = accounts.wordpress.posts
    base = world.services.settings.app_base_url
    address = there["content"].partition('src="')[2].partition('"')[0]
    assert address.startswith(f"{base}/blog-images/")
    assert address.removeprefix(f"{base}/blog-images/") == post["content"].partition("/uploads/")[2].partition('"')[0]
    shown = await world.call("GET", address.removeprefix(base))
    assert (shown.status_code, shown.content) == (200, png("a roof"))
    assert shown.headers["cross-origin-resource-policy"] == "cross-origin"

    sent = {"attachment": ("plan.txt", b"the plan", "text/plain")}
    mine = await world.call("POST", "/api/hub/requests", data={}, files=sent, headers=await world.sign_in(owner))
    private = mine.json()["request"]["attachment_url"].removeprefix("/uploads/")
    for hidden in (private, f"{post['id']}/a.png"):
        assert (await world.call("GET", f"/blog-images/{hidden}")).status_code == 404


async def test_a_client_without_a_site_publishes_here(world: World) -> None:
    """Nothing is sent anywhere."""
    owner = await world.client()
    await save(world, owner, title="Slate", content="<p>a</p>", status="published")

    assert await deliver(world) == 0
