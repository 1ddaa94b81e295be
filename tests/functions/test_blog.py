"""Clients' blog posts and what the AI suggests for them, as their functions are called."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from emulators.faults import Fault
from emulators.vertex_answers import png
from tests.functions.conftest import World

POSTS = "/api/hub/blog-posts"
IMAGE = f"data:image/png;base64,{base64.b64encode(png('a roof')).decode()}"


class Author:
    """A client at work on their blog."""

    def __init__(self, world: World, client_id: UUID, headers: dict[str, str]):
        self.world, self.id, self.headers = world, client_id, headers

    async def __call__(self, method: str, path: str = "", **body: Any) -> httpx.Response:
        options = {"json": body} if body else {}
        return await self.world.call(method, f"{POSTS}{path}", headers=self.headers, **options)

    async def post(self, **body: Any) -> dict[str, Any]:
        answer = await self("POST", **{"title": "Slate roofs", "content": "<p>Hello</p>", **body})
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()["blog_post"]
        return made


@pytest.fixture
async def author(world: World) -> AsyncIterator[Author]:
    client_id = await world.client()
    yield Author(world, client_id, await world.sign_in(client_id))
    world.vertex.configure({"answers": {}})


async def test_a_post_is_written_read_changed_and_deleted(author: Author) -> None:
    """The shapes that the dashboard reads; the newest change comes first."""
    first, second = await author.post(title="One"), await author.post(title="Two")

    changed = (await author("PUT", f"/{first['id']}", title="One more")).json()["blog_post"]
    listed = (await author("GET")).json()["blog_posts"]
    gone = await author("DELETE", f"/{second['id']}")

    assert set(changed) == {
        *("id", "user_id", "title", "content", "status", "created_at", "updated_at", "published_at")
    }
    assert (changed["title"], changed["status"], changed["published_at"]) == ("One more", "draft", None)
    assert [post["title"] for post in listed] == ["One more", "Two"]
    assert (await author("GET", f"/{first['id']}")).json() == {"blog_post": changed}
    assert (gone.status_code, gone.json()) == (200, {"success": True})
    assert (await author("GET", f"/{second['id']}")).status_code == 404
    assert (await author("DELETE", f"/{second['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": "<p>a</p>"}, "title"),
        ({"title": " ", "content": "<p>a</p>"}, "title"),
        ({"title": "a"}, "content"),
        ({"title": "a", "content": "<script>alert(1)</script>"}, "content"),
        ({"title": "a", "content": "<p>a</p>", "status": "live"}, "status"),
        ({"title": "a", "content": '<img src="data:image/svg+xml;base64,AAAA">'}, "content"),
        ({"title": "a", "content": '<img src="data:image/png;base64,AAAA">'}, "content"),
        ({"title": "a", "content": f"<p>{'x' * 500_000}</p>"}, "content"),
        ({"title": "a", "content": "<div>" * 2000 + "a"}, "content"),
    ],
)
async def test_a_post_that_cannot_be_one_is_refused(author: Author, body: dict[str, Any], field: str) -> None:
    """400 names the field."""
    answer = await author("POST", **body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


async def test_a_post_holds_nothing_that_could_act(author: Author) -> None:
    """Scripts, handlers and script addresses are gone from what is stored; the text stays."""
    content = (
        '<h2 onclick="x()">A</h2><script>x()</script><a href="javascript:x()">b</a><iframe src="//e.test"></iframe>'
    )

    post = await author.post(content=content)

    assert post["content"].startswith("<h2>A</h2>")
    assert not any(word in post["content"] for word in ("onclick", "script", "iframe"))


async def test_an_image_inside_of_a_post_becomes_a_file(author: Author, world: World) -> None:
    """Anybody can see it under its address; it goes when no post shows it any more."""
    content = f'<p><img src="{IMAGE}" alt="a"></p><p>Text</p><img src="{IMAGE}">'
    post = await author.post(content=content)
    file = await world.db.fetchrow("select * from stored_files where owner_id = $1", author.id)
    address = f"/uploads/{file['id']}/slate-roofs.png"

    assert post["content"].count(f'src="{address}"') == 2
    assert "base64" not in post["content"]
    shown = await world.call("GET", address, headers=await world.sign_in(await world.client()))
    assert (shown.status_code, shown.content) == (200, png("a roof"))

    copy = await author.post(content=post["content"])
    await author("PUT", f"/{post['id']}", content="<p>Text</p>")
    assert await world.db.fetchval("select count(*) from stored_files where owner_id = $1", author.id) == 1
    await author("PUT", f"/{post['id']}", content=copy["content"])
    await author("DELETE", f"/{copy['id']}")
    await author("DELETE", f"/{post['id']}")
    assert await world.db.fetchval("select count(*) from stored_files where owner_id = $1", author.id) == 0
    assert len(await world.outbox("files_delete", objects=[f"blog/{file['id']}"])) == 1


async def test_a_post_with_a_large_image_is_saved(author: Author) -> None:
    """Two megabytes of image are no reason to lose a draft."""
    data = base64.b64encode(png("x") + b"\0" * 2_000_000).decode()

    post = await author.post(content=f'<img src="data:image/png;base64,{data}"><p>a</p>')

    assert post["content"].startswith('<img src="/uploads/')


async def test_naming_somebody_elses_file_in_a_post_deletes_nothing_of_theirs(author: Author, world: World) -> None:
    """A post drops only images that came with it."""
    stranger = await world.client()
    other = Author(world, stranger, await world.sign_in(stranger))
    theirs = await other.post(content=f'<img src="{IMAGE}"><p>a</p>')

    mine = await author.post(content=theirs["content"])
    await author("DELETE", f"/{mine['id']}")

    assert await world.db.fetchval("select count(*) from stored_files where owner_id = $1", stranger) == 1


async def test_the_first_publication_is_told_once(author: Author, world: World) -> None:
    """The account manager gets a notice and a mail; saving again, or a draft, tells nobody."""
    manager = await world.user("team", email=f"{author.id.hex}.manager@anchor.test")
    await world.db.execute(
        "insert into monday_people (id, name, email) values ($1, 'M', $2) on conflict (id) do nothing",
        str(author.id.int % 10**12), f"{author.id.hex}.manager@anchor.test",
    )  # fmt: skip
    await world.db.execute(
        "update client_profiles set account_manager_person_id = $2 where user_id = $1",
        author.id, str(author.id.int % 10**12),
    )  # fmt: skip
    post = await author.post(title="<b>Roofs</b>")

    first = (await author("PUT", f"/{post['id']}", status="published")).json()["blog_post"]
    await author("PUT", f"/{post['id']}", status="draft")
    again = (await author("PUT", f"/{post['id']}", status="published")).json()["blog_post"]

    assert first["published_at"] is not None
    assert again["published_at"] == first["published_at"]
    notices = await world.db.fetch("select * from notifications where user_id = $1", manager)
    mails = await world.db.fetch("select * from email_logs where client_id = $1", author.id)
    assert [(row["title"], row["link_url"]) for row in notices] == [("Blog post published", "/client-hub")]
    assert [(row["email_type"], row["recipient_email"]) for row in mails] == [
        ("blog_notification", f"{author.id.hex}.manager@anchor.test")
    ]
    assert "&lt;b&gt;Roofs" in mails[0]["html_body"]
    assert "<b>Roofs" not in mails[0]["html_body"]


async def _brand(author: Author) -> None:
    await author.world.db.execute(
        """insert into brand_assets (user_id, business_name, business_description, website_url)
           values ($1, 'North Roofs', 'Roofers of the north', 'https://north.test')""",
        author.id,
    )
    await author.world.db.execute(
        "insert into services (user_id, name, active) values ($1, 'Slate', true), ($1, 'Retired', false)", author.id
    )


async def test_ideas_and_a_draft_come_from_what_the_business_tells(author: Author, world: World) -> None:
    """Brand and active services are in the prompt, nobody's name or address is; ideas are plain titles."""
    await _brand(author)
    world.vertex.clear()

    ideas = (await author("POST", "/ai/ideas")).json()["ideas"]
    draft = (await author("POST", "/ai/draft", title="Why slate lasts")).json()["content"]

    asked = world.vertex.prompts()
    assert len(ideas) == 10
    assert not any(idea[0].isdigit() and "." in idea[:3] for idea in ideas)
    assert "<h2>" in draft
    assert "```" not in draft
    for prompt in asked:
        assert all(word in prompt["text"] for word in ("North Roofs", "https://north.test", "1. Slate"))
        assert not any(word in prompt["text"] + prompt["system"] for word in ("Retired", "@example.test", "Pat"))
    assert [round(prompt["config"]["temperature"], 2) for prompt in asked] == [0.65, 0.55]
    assert [prompt["config"]["max_output_tokens"] for prompt in asked] == [400, 4096]


async def test_a_drawn_image_can_be_saved_in_a_post(author: Author) -> None:
    """The answer is a data URL, as the dashboard puts it into the HTML; saving turns it into a file."""
    drawn = (await author("POST", "/ai/image", title="Slate", style="watercolour", aspectRatio="4:3")).json()
    post = await author.post(content=f'<img src="{drawn["dataUrl"]}"><p>a</p>')

    assert drawn["mimeType"] == "image/png"
    assert drawn["dataUrl"].startswith("data:image/png;base64,")
    assert post["content"].startswith('<img src="/uploads/')
    asked = author.world.vertex.prompts()[-1]
    assert (asked["config"]["image_config"]["aspect_ratio"], "watercolour" in asked["text"]) == ("4:3", True)


@pytest.mark.parametrize(
    ("canned", "status", "reason"),
    [
        ({"finish_reason": "SAFETY"}, 502, "SAFETY"),
        ({"blocked": True}, 502, "prompt refused: SAFETY"),
        ({"text": "half", "finish_reason": "MAX_TOKENS"}, 502, "MAX_TOKENS"),
        ({"status": 429}, 503, "busy"),
    ],
)
async def test_a_failure_of_the_ai_says_why(
    author: Author, world: World, canned: dict[str, Any], status: int, reason: str
) -> None:
    """A withheld, cut or impossible answer is told apart, and none is made up in its place."""
    world.vertex.configure({"answers": {"Failing title": canned}})

    answer = await author("POST", "/ai/draft", title="Failing title")

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["message"]


async def test_an_image_that_is_withheld_says_so(author: Author, world: World) -> None:
    """A filtered picture is told apart from a busy service."""
    world.vertex.configure({"answers": {"Failing picture": {"blocked": True}}})
    withheld = await author("POST", "/ai/image", title="Failing picture")
    world.faults.put("vertex", Fault(status=503, times=1))
    busy = await author("POST", "/ai/image", title="a")

    assert (withheld.status_code, withheld.json()["reason"]) == (502, "prompt refused: SAFETY")
    assert (busy.status_code, busy.json()["reason"]) == (503, "busy")


async def test_the_ai_is_rationed(author: Author) -> None:
    """Fifteen images in ten minutes for one client, then 429 with the seconds to wait."""
    await author.world.db.execute(
        "insert into request_counters (kind, subject, window_start, hits) values ('blog_ai_image', $1, now(), 15)",
        str(author.id),
    )

    answer = await author("POST", "/ai/image", title="a")

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
