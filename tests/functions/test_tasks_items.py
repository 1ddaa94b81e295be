"""Items and subitems: what they become, what is told of it, and how they end."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.functions.conftest import World
from tests.functions.portal import PDF, exists, run_tasks
from tests.functions.tasks import caller, made, told

NOWHERE = str(uuid4())


async def test_an_item_is_created_in_its_group_with_the_boards_prefix(world: World) -> None:
    """Both spellings of the path; the group comes from the path or else from the body; defaults; the fact is told."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)
    await world.db.execute("update task_boards set board_prefix = 'ACME' where id = $1", one.board)

    item = (await team.post("/items", {"group_id": one.group, "name": " Call back "}, status=201))["item"]
    full = await team.post(
        f"/groups/{one.group}/items",
        {
            "name": "acme: Logo",
            "status": "Review",
            "due_date": "2026-12-24",
            "is_voicemail": True,
            "needs_attention": True,
        },
        status=201,
    )

    assert (item["name"], item["status"], item["due_date"], item["created_by"]) == (
        "ACME Call back", "To Do", None, str(team.id),
    )  # fmt: skip
    assert (full["item"]["name"], full["item"]["due_date"]) == ("acme: Logo", "2026-12-24")
    assert full["item"]["is_voicemail"] and full["item"]["needs_attention"]
    [fact] = await told(world, item["id"])
    assert fact == {
        "item_id": item["id"], "board_id": one.board, "by": str(team.id), "origin": "person",
        "changes": [{"what": "created", "old": None, "new": None}],
    }  # fmt: skip
    listed = (await team.get(f"/groups/{one.group}/items"))["items"]
    assert [i["id"] for i in listed] == [full["item"]["id"], item["id"], one.item]
    await team.post("/items", {"name": "x"}, status=400)
    await team.post("/items", {"name": "x", "group_id": NOWHERE}, status=404)
    await team.post(f"/groups/{NOWHERE}/items", {"name": "x"}, status=404)
    await team.post("/groups/none/items", {"name": "x"}, status=404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "},
        {"name": "x" * 501},
        {"name": "x", "due_date": ""},
        {"name": "x", "due_date": "tomorrow"},
        {"name": "x", "due_date": "2026-02-30"},
        {"name": "x", "due_date": 1},
        {"name": "x", "status": "x" * 101},
        {"name": "x", "needs_attention": "maybe"},
        {"name": "x\x00"},
        {},
    ],
)
async def test_what_no_item_can_be_is_refused(world: World, wrong: dict[str, Any]) -> None:
    """A wrong field is a 400 that names it, when creating an item, a subitem, or changing one."""
    admin = await caller(world)
    one = await made(admin)
    for method, path in (("POST", f"/groups/{one.group}/items"), ("PATCH", f"/items/{one.item}")):
        refused = await admin.ask(method, path, wrong, status=400)
        assert refused["code"] == "VALIDATION_ERROR"
    await admin.post(f"/items/{one.item}/subitems", {**wrong, "needs_attention": True} | {"name": ""}, status=400)


async def test_a_change_is_kept_told_and_shown(world: World) -> None:
    """Only what is given changes; old and new value go to the topic once, and to the item's trail."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)

    before = (await team.get(f"/groups/{one.group}/items"))["items"][0]
    item = (await team.patch(f"/items/{one.item}", {"status": "Done", "due_date": "2026-11-30"}))["item"]
    await team.ask("PUT", f"/items/{one.item}", {"due_date": None})
    same = (await team.patch(f"/items/{one.item}", {"status": "Done"}))["item"]

    assert (item["status"], item["due_date"], item["name"]) == ("Done", "2026-11-30", before["name"])
    assert item["updated_at"] > before["updated_at"] and same["due_date"] is None
    facts = await told(world, one.item)
    assert [fact["changes"] for fact in facts[1:]] == [
        [{"what": "status", "old": "To Do", "new": "Done"}, {"what": "due_date", "old": None, "new": "2026-11-30"}],
        [{"what": "due_date", "old": "2026-11-30", "new": None}],
    ]
    assert {(fact["by"], fact["origin"]) for fact in facts[1:]} == {(str(team.id), "person")}
    trail = (await admin.get(f"/items/{one.item}/changes"))["changes"]
    assert [entry["changes"][0]["what"] for entry in trail] == ["due_date", "status", "created"]
    assert trail[0]["user_id"] == str(team.id) and trail[0]["user_name"] == "Pat Example"
    for nothing in ({}, {"unknown": 1}, {"updated_at": item["updated_at"]}):
        await team.patch(f"/items/{one.item}", nothing, status=400)
    await team.patch(f"/items/{NOWHERE}", {"name": "x"}, status=404)


async def test_whoever_saw_an_older_item_is_told(world: World) -> None:
    """Of two who change what they saw at the same moment, one does; who sends nothing of it changes it anyhow."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)
    saw = (await admin.get(f"/groups/{one.group}/items"))["items"][0]["updated_at"]

    answers = await asyncio.gather(
        *(
            world.call(
                "PATCH", f"/api/tasks/items/{one.item}", json={"name": name, "updated_at": saw}, headers=who.headers
            )
            for name, who in (("A", admin), ("B", team))
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [a.json()["code"] for a in answers if a.status_code == 409] == ["CHANGED_MEANWHILE"]
    await team.patch(f"/items/{one.item}", {"name": "C"})


async def test_an_item_moves_to_another_group(world: World) -> None:
    """Also to another board's; to none that is not there."""
    admin = await caller(world)
    one, other = await made(admin), await made(admin)

    moved = (await admin.patch(f"/items/{one.item}", {"group_id": other.group}))["item"]

    assert moved["group_id"] == other.group
    assert (await admin.get(f"/boards/{one.board}/view"))["items"] == []
    assert (await told(world, one.item))[-1]["changes"] == [{"what": "group_id", "old": one.group, "new": other.group}]
    await admin.patch(f"/items/{one.item}", {"group_id": NOWHERE}, status=404)


async def test_an_archived_item_stays_as_it_is_until_it_is_restored(world: World) -> None:
    """Archiving twice is once; changes are refused; what people say on it is still taken."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)

    first = await team.delete(f"/items/{one.item}")
    second = await admin.post(f"/items/{one.item}/archive")

    assert first == second and first["ok"] is True and first["archived_at"].endswith("Z")
    refused = await admin.patch(f"/items/{one.item}", {"name": "x"}, status=400)
    assert refused["code"] == "ITEM_ARCHIVED"
    await admin.post(f"/items/{one.item}/updates", {"content": "Late"}, status=201)
    assert (await admin.get(f"/groups/{one.group}/items"))["items"] == []
    restored = (await admin.post(f"/items/{one.item}/restore"))["item"]
    assert restored["archived_at"] is None and restored["archived_by"] is None
    await admin.post(f"/items/{one.item}/restore")
    whats = [fact["changes"][0]["what"] for fact in await told(world, one.item)]
    assert whats == ["created", "archived", "restored"]
    for method, path in (("POST", "/archive"), ("DELETE", ""), ("POST", "/restore"), ("GET", "/changes")):
        await admin.ask(method, f"/items/{NOWHERE}{path}", status=404)


async def test_subitems_come_change_go_and_come_back(world: World) -> None:
    """Newest first, archived ones left out but changeable; nothing is told of them."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)
    first = (await team.post(f"/items/{one.item}/subitems", {"name": " A "}, status=201))["subitem"]
    second = (await team.post(f"/items/{one.item}/subitems", {"name": "B", "due_date": "2026-12-01"}))["subitem"]
    assert set(first) == {
        "id", "parent_item_id", "name", "status", "due_date", "created_at", "archived_at", "archived_by"
    }  # fmt: skip

    changed = (await team.patch(f"/subitems/{first['id']}", {"status": "done"}))["subitem"]
    archived = await team.delete(f"/subitems/{second['id']}")
    again = await team.delete(f"/subitems/{second['id']}")

    assert (changed["name"], changed["status"], second["due_date"]) == ("A", "done", "2026-12-01")
    assert archived == again and archived["ok"] is True
    assert [s["id"] for s in (await admin.get(f"/items/{one.item}/subitems"))["subitems"]] == [first["id"]]
    assert (await admin.patch(f"/subitems/{second['id']}", {"due_date": None}))["subitem"]["archived_by"] == str(
        team.id
    )
    assert (await admin.post(f"/subitems/{second['id']}/restore"))["subitem"]["archived_at"] is None
    assert [s["name"] for s in (await admin.get(f"/items/{one.item}/subitems"))["subitems"]] == ["B", "A"]
    assert len(await told(world, one.item)) == 1
    await team.patch(f"/subitems/{first['id']}", {}, status=400)
    for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/restore")):
        await team.ask(method, f"/subitems/{NOWHERE}{path}", {"name": "x"} if method == "PATCH" else None, status=404)
    await team.get(f"/items/{NOWHERE}/subitems", status=404)


async def test_finished_work_is_archived_then_purged(world: World) -> None:
    """Done items untouched for 30 days are archived, archived ones purged 30 days later; time entries and what people
    restored stay."""
    admin = await caller(world)
    one = await made(admin)
    labels = (await admin.post(f"/boards/{one.board}/status-labels/init"))["status_labels"]
    await admin.patch(f"/status-labels/{labels[3]['id']}", {"label": "Approved"})

    async def item(status: str, age_days: int, *, archived: bool = False) -> str:
        made_item = (await admin.post("/items", {"group_id": one.group, "name": "x", "status": status}))["item"]["id"]
        await world.db.execute(
            """update task_items set updated_at = now() - $2 * interval '1 day',
               archived_at = case when $3 then now() - $2 * interval '1 day' end where id = $1""",
            made_item, age_days, archived,
        )  # fmt: skip
        return str(made_item)

    done_long, done_lately = await item("approved", 31), await item("Approved", 29)
    open_long, gone_long, gone_lately = (
        await item("To Do", 400), await item("To Do", 31, archived=True), await item("To Do", 29, archived=True)
    )  # fmt: skip
    entry = await world.db.fetchval(
        "insert into task_time_entries (item_id, time_spent_minutes) values ($1, 60) returning id", gone_long
    )
    step = (await admin.post(f"/items/{open_long}/subitems", {"name": "s"}))["subitem"]["id"]
    await world.db.execute("update task_subitems set archived_at = now() - interval '31 days' where id = $1", step)

    for job in ("tasks_purge_archived", "tasks_archive_done"):
        assert (await world.run_schedule(job, at="2026-11-21T07:20:00Z")).status_code == 204

    rows = await world.db.fetch("select id::text, archived_at from task_items where group_id = $1", one.group)
    left = {row["id"]: row["archived_at"] is not None for row in rows}
    assert left == {one.item: False, done_long: True, done_lately: False, open_long: False, gone_lately: True}
    assert await world.db.fetchval("select count(*) from task_subitems where id = $1", step) == 0
    kept = await world.db.fetchrow("select item_name, board_id::text from task_time_entries where id = $1", entry)
    assert dict(kept) == {"item_name": "x", "board_id": one.board}
    last = (await told(world, done_long))[-1]
    assert (last["origin"], last["by"], last["changes"][0]["what"]) == ("schedule", None, "archived")
    await admin.post(f"/items/{done_long}/restore")
    await world.run_schedule("tasks_archive_done", at="2026-11-22T07:20:00Z")
    assert (await admin.get(f"/boards/{one.board}/view"))["items"][0]["id"] == done_long


async def test_files_go_with_what_they_hang_on(world: World) -> None:
    """The bytes of a file are deleted with its item, however far above that is deleted."""
    admin = await caller(world)
    one = await made(admin)
    answer = await world.call(
        "POST", f"/api/tasks/items/{one.item}/files", files={"file": ("a.pdf", PDF, "application/pdf")},
        headers=admin.headers,
    )  # fmt: skip
    kept_as = f"tasks/{answer.json()['file']['file_url'].split('/')[2]}"
    assert await exists(world, kept_as)
    await world.db.execute(
        "insert into task_files (item_id, file_url) values ($1, '/uploads/tasks/1_ab_old.png'), ($1, 'https://x.test/y')",
        one.item,
    )

    await admin.delete(f"/workspaces/{one.workspace}")

    [row] = await world.outbox("files_delete", objects=[kept_as])
    assert sorted(row["payload"]["objects"]) == sorted([kept_as, "tasks/1_ab_old.png"])
    await world.db.execute("update outbox set created_at = now() - interval '1 minute' where id = $1", row["id"])
    assert (
        await world.run_schedule("jobs_sweep_outbox", at=f"2026-11-21T07:{uuid4().int % 60:02}:00Z")
    ).status_code == 204
    assert await run_tasks(world, "files_delete") >= 1
    assert not await exists(world, kept_as)
    assert (await world.call("GET", answer.json()["file"]["file_url"], headers=admin.headers)).status_code == 404


@pytest.mark.parametrize(
    "added",
    [
        {"/groups/{group}/items": {"name": "x"}, "/items/{item}/updates": {"content": "x"}},
        {"/items/{item}/subitems": {"name": "x"}, "/boards/{board}/groups": {"name": "x"}},
        {"/items/{item}/assignees": {"user_id": "{me}"}, "/workspaces/{workspace}/boards": {"name": "x"}},
        {"/boards/{board}/status-labels": {"label": "x"}, "/workspaces/{workspace}/members": {"user_id": "{me}"}},
        {"/items/{item}/archive": {}, "/boards/{board}/status-labels/init": {}},
    ],
)
async def test_what_is_added_while_its_place_is_deleted_comes_too_late(world: World, added: dict[str, Any]) -> None:
    """Whoever adds to something waits for a deletion under way, and is then told that it is gone: no crash."""
    admin = await caller(world)
    one = await made(admin)
    names = {"me": str(admin.id), **vars(one)}
    async with world.db.transaction() as tx:
        await tx.execute("delete from task_workspaces where id = $1", one.workspace)
        calls = [
            asyncio.create_task(
                admin.post(path.format(**names), {k: v.format(**names) for k, v in body.items()}, status=404)
            )
            for path, body in added.items()
        ]
        async with asyncio.timeout(10):
            while await tx.fetchval("select count(*) from pg_locks where not granted") < len(calls):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    await asyncio.gather(*calls)
