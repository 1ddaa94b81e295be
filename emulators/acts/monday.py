"""A client asks for something while Monday is down, a task is changed on both sides, a blog post is published."""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from emulators import demo_monday
from emulators.acts import Dashboard, Stage, expect, until
from emulators.acts.leads import CLIENT, signed_in
from emulators.cloud import LocalCloud
from emulators.demo_data import demo_id


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """A request, a task and a post."""
    database = await asyncpg.connect(cloud.database_url)
    try:
        hub = Dashboard(cloud.http, await signed_in(cloud, database), "/api/hub")
        await _request(cloud, stage, hub)
        await _task(cloud, stage, database)
        await _post(stage, hub, cloud)
    finally:
        await database.close()


async def _items(cloud: LocalCloud) -> list[dict[str, Any]]:
    answer = await cloud.control.get(f"/monday/items?board_id={demo_monday.board_of(CLIENT)}")
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def _request(cloud: LocalCloud, stage: Stage, hub: Dashboard) -> None:
    title = f"New banner {time.time_ns()}"
    async with stage.step(f"{CLIENT.business} asks for a banner while Monday is down: kept") as notes:
        await cloud.control.put("/faults/monday", json={"status": 503})
        form = {"title": title, "description": "By spring, please.", "rush": "true"}
        files = {"attachment": ("sketch.txt", b"a sketch", "text/plain")}
        told = await hub.ask("POST", "/requests", data=form, files=files)
        expect(told["monday_item"] is None, "the item was made although Monday is down")
        listed = await hub.ask("GET", "/requests")
        expect(any(task["name"] == title for task in listed["tasks"]), "the request is not shown")
        notes.append(told["request"]["status"])
    async with stage.step("Monday is back: one item, with its comment and its file"):
        await cloud.control.delete("/faults/monday")

        async def arrived() -> bool:
            mine = [item for item in await _items(cloud) if item["name"] == title]
            return [len(item["updates"]) for item in mine] == [1] and "sketch.txt" in str(
                mine[0]["values"].get("files")
            )

        await until("the request's item at Monday", arrived, within_s=120)


async def _task(cloud: LocalCloud, stage: Stage, database: asyncpg.Connection) -> None:
    name = f"Hang the sign {time.time_ns()}"
    made = await cloud.control.post(
        "/monday/items", json={"board_id": demo_monday.board_of(CLIENT), "name": name, "group_id": "active"}
    )
    expect(made.is_success, f"the item could not be made: {made.text}")
    item_id = made.json()["id"]

    async def task() -> asyncpg.Record | None:
        return await database.fetchrow("select id, status, due_date from task_items where monday_item_id = $1", item_id)

    async with stage.step("somebody adds an item at Monday: it is a task here after the poll"):
        await _polled(cloud, "the task", lambda: _is(task, lambda row: row is not None))
    row = await task()
    assert row is not None
    async with stage.step("its status is changed there and here: ours counts, the due date of theirs too") as notes:
        change = {"column_values": {"status": {"label": "Stuck"}, "date4": {"date": "2027-01-31"}}}
        await cloud.control.patch(f"/monday/items/{item_id}", json=change)
        staff = {"Authorization": f"Bearer {await signed_in(cloud, database, demo_id('user lead@anchor.test'))}"}
        answer = await cloud.http.patch(f"/api/tasks/items/{row['id']}", json={"status": "Done"}, headers=staff)
        expect(answer.status_code == 200, f"the task answered {answer.status_code}: {answer.text[:200]}")

        async def equal() -> bool:
            there = (await cloud.control.get(f"/monday/items/{item_id}")).json()["column_values"]
            here = await task()
            assert here is not None
            ours = (here["status"], str(here["due_date"]))
            return ours == (there["status"], there["date4"]) == ("Done", "2027-01-31")

        await _polled(cloud, "both sides to have the same", equal)
        notes.append("Done, 2027-01-31")


async def _is(read: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool]) -> bool:
    return holds(await read())


async def _polled(cloud: LocalCloud, what: str, ready: Callable[[], Awaitable[bool]]) -> None:
    polled = await cloud.control.post("/schedules/monday_poll/run")
    expect(polled.is_success, f"the poll could not be run: {polled.text}")
    await until(what, ready, within_s=60)


async def _post(stage: Stage, hub: Dashboard, cloud: LocalCloud) -> None:
    async with stage.step("the AI suggests posts, writes one and draws its picture") as notes:
        ideas = (await hub.ask("POST", "/blog-posts/ai/ideas", json={}))["ideas"]
        text = (await hub.ask("POST", "/blog-posts/ai/draft", json={"title": ideas[0]}))["content"]
        image = (await hub.ask("POST", "/blog-posts/ai/image", json={"title": ideas[0]}))["dataUrl"]
        notes.append(f"{len(ideas)} ideas")
    async with stage.step("it is published: the picture is a file, the account manager is told") as notes:
        content = f'<img src="{image}"><script>alert(1)</script>{text}'
        body = {"title": ideas[0], "content": content, "status": "published"}
        post = (await hub.ask("POST", "/blog-posts", json=body))["blog_post"]
        expect("<script" not in post["content"], "a script was kept")
        address = post["content"].split('src="', 1)[1].split('"', 1)[0]
        picture = await cloud.http.get(address, headers=hub._headers)
        expect(picture.content == base64.b64decode(image.partition(",")[2]), "the picture is another")

        async def told() -> bool:
            mails = (await cloud.control.get("/mail")).json()["mails"]
            return any("team@anchor.test" in str(mail["to"]) and ideas[0] in mail["text"] for mail in mails)

        await until("the account manager's mail", told)
        notes.append(f"{len(picture.content)} bytes")
