"""What people say and keep on items, who works on them, and who hears of it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.areas.tasks import access
from shared.errors import Forbidden, NotFound
from tests.functions.conftest import World
from tests.functions.portal import PDF, SVG, mails, png
from tests.functions.tasks import Caller, caller, made, told

NOWHERE = str(uuid4())


async def _address(who: Caller) -> str:
    return str(await who.world.db.fetchval("select email from users where id = $1", who.id))


async def _notices(who: Caller) -> list[dict[str, Any]]:
    answer = await who.world.call("GET", "/api/hub/notifications", headers=who.headers)
    return list(answer.json()["notifications"])


async def test_an_update_tells_whom_it_mentions(world: World) -> None:
    """Staff and members mentioned as @address hear once, by notice and mail; the author, strangers and names do not."""
    admin, team, member, stranger = (
        await caller(world), await caller(world, "team"), await caller(world, "client"), await caller(world, "client")
    )  # fmt: skip
    one = await made(admin, name="Logo <b>now</b>")
    await admin.post(f"/workspaces/{one.workspace}/members", {"user_id": str(member.id)})
    addresses = [await _address(who) for who in (admin, team, member, stranger)]
    words = f"@{addresses[0]} @{addresses[1].upper()}, (@{addresses[2]}). @{addresses[3]} @{addresses[1]} @Pat"

    update = (await admin.post(f"/items/{one.item}/updates", {"content": words}, status=201))["update"]

    assert set(update) == {"id", "item_id", "user_id", "content", "created_at"} and update["content"] == words
    assert [len(await _notices(who)) for who in (admin, team, member, stranger)] == [0, 1, 1, 0]
    [notice] = await _notices(team)
    assert notice["body"] == "Logo <b>now</b>"
    assert notice["link_url"] == f"/tasks?pane=boards&board={one.board}&item={one.item}"
    assert notice["meta"] == {
        "source": "task_mention", "item_id": one.item, "workspace_id": one.workspace, "actor_user_id": str(admin.id)
    }  # fmt: skip
    [mail] = await mails(world, addresses[1], "notification")
    assert f"http://localhost:8080/tasks?pane=boards&board={one.board}&item={one.item}" in mail["text"]
    assert "Logo &lt;b&gt;now" in mail["html_body"]
    assert await mails(world, addresses[3]) == []
    listed = (await team.get(f"/items/{one.item}/updates"))["updates"]
    assert listed == [{**update, "author_name": "Pat Example"}]
    for wrong in ({}, {"content": "  "}, {"content": "x" * 20_001}):
        await team.post(f"/items/{one.item}/updates", wrong, status=400)
    await team.post(f"/items/{NOWHERE}/updates", {"content": "x"}, status=404)
    await team.get(f"/items/{NOWHERE}/updates", status=404)


async def test_updates_of_nobody_are_by_unknown(world: World) -> None:
    """An update whose author is gone, or who was no person, keeps its place; the newest comes first."""
    admin = await caller(world)
    one = await made(admin)
    await admin.post(f"/items/{one.item}/updates", {"content": "first"})
    await world.db.execute("insert into task_updates (item_id, content) values ($1, 'by rule')", one.item)

    updates = (await admin.get(f"/items/{one.item}/updates"))["updates"]

    assert [(u["content"], u["author_name"]) for u in updates] == [("by rule", "Unknown"), ("first", "Pat Example")]


async def test_seen_updates_are_remembered_all_or_none(world: World) -> None:
    """The first time stays, twice is once, and with an unknown id nothing is kept."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)
    ids = [
        (await admin.post(f"/items/{one.item}/updates", {"content": str(n)}))["update"]["id"] for n in range(3)
    ]  # fmt: skip

    await team.post("/updates/mark-viewed", {"update_ids": [ids[0], NOWHERE]}, status=404)
    assert (await team.post("/updates/views", {"update_ids": ids}))["views"] == {}
    assert await team.post("/updates/mark-viewed", {"update_ids": [ids[0], ids[0], ids[1]]}) == {"success": True}
    first = (await admin.post("/updates/views", {"update_ids": ids}))["views"]
    await asyncio.gather(*(team.post("/updates/mark-viewed", {"update_ids": ids[:2]}) for _ in range(3)))
    await admin.post("/updates/mark-viewed", {"update_ids": ids[:1]})

    views = (await admin.post("/updates/views", {"update_ids": ids}))["views"]
    assert set(views) == set(ids[:2]) and views[ids[0]][0] == first[ids[0]][0]
    assert [view["user_id"] for view in views[ids[0]]] == [str(team.id), str(admin.id)]
    assert set(views[ids[0]][0]) == {"user_id", "user_name", "avatar_url", "viewed_at"}
    for path in ("mark-viewed", "views"):
        for wrong in ({}, {"update_ids": []}, {"update_ids": ["x"]}):
            await team.post(f"/updates/{path}", wrong, status=400)


async def _upload(who: Caller, item: str, *files: Any) -> Any:
    return await who.world.call("POST", f"/api/tasks/items/{item}/files", files=list(files), headers=who.headers)


async def test_a_file_is_kept_for_staff_only(world: World) -> None:
    """Listed newest first with its uploader; its address opens for staff, and for no client."""
    admin, team, client = await caller(world), await caller(world, "team"), await caller(world, "client")
    one = await made(admin)
    await admin.post(f"/workspaces/{one.workspace}/members", {"user_id": str(client.id)})

    first = await _upload(team, one.item, ("file", ("plan ü.pdf", PDF, "application/pdf")))
    await _upload(team, one.item, ("file", ("shot.png", png(), "image/png")))

    assert first.status_code == 201, first.text
    file = first.json()["file"]
    assert set(file) == {"id", "item_id", "update_id", "uploaded_by", "file_url", "file_name", "created_at"}
    assert (file["file_name"], file["uploaded_by"], file["update_id"]) == ("plan ü.pdf", str(team.id), None)
    listed = (await admin.get(f"/items/{one.item}/files"))["files"]
    assert [f["file_name"] for f in listed] == ["shot.png", "plan ü.pdf"]
    assert listed[1] == {**file, "uploaded_by_name": "Pat Example"}
    codes = [
        (await world.call("GET", file["file_url"], headers=who.headers)).status_code for who in (admin, team, client)
    ]
    assert codes == [200, 200, 404]
    await admin.get(f"/items/{NOWHERE}/files", status=404)


async def test_what_may_not_be_kept_is_refused_before_it_is(world: World) -> None:
    """No file, two, another field, false content, too much, nobody's item: and nothing lies in the bucket."""
    admin = await caller(world)
    one = await made(admin)
    pdf = ("plan.pdf", PDF, "application/pdf")
    before = await world.db.fetchval("select count(*) from stored_files")

    codes = [
        (await _upload(admin, one.item)).status_code,
        (await _upload(admin, one.item, ("file", pdf), ("file", pdf))).status_code,
        (await _upload(admin, one.item, ("other", pdf))).status_code,
        (await _upload(admin, one.item, ("file", ("x.png", SVG, "image/png")))).status_code,
        (await _upload(admin, one.item, ("file", ("x.html", b"<script>", "text/html")))).status_code,
        (await _upload(admin, one.item, ("file", ("x.pdf", PDF + b"0" * (26 << 20), "application/pdf")))).status_code,
        (await _upload(admin, NOWHERE, ("file", pdf))).status_code,
    ]

    assert codes == [400, 400, 400, 400, 400, 413, 404]
    assert await world.db.fetchval("select count(*) from stored_files") == before


async def test_somebody_assigned_hears_of_it_once(world: World) -> None:
    """By id or address; again changes nothing; who assigns themselves hears nothing; the mail goes after the commit."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin, name="Logo")
    path = f"/items/{one.item}/assignees"

    answers = await asyncio.gather(*(admin.post(path, {"user_id": str(team.id)}, status=201) for _ in range(3)))
    await admin.post(path, {"email": await _address(admin)}, status=201)

    assert answers[0]["assignee"] == answers[1]["assignee"] == answers[2]["assignee"]
    assert set(answers[0]["assignee"]) == {"user_id", "email", "first_name", "last_name", "avatar_url", "user_role"}
    [notice] = await _notices(team)
    assert notice["body"] == "Logo" and notice["meta"]["source"] == "task_assignment"
    assert len(await mails(world, await _address(team), "notification")) == 1 and await _notices(admin) == []
    assert sum(task["function"] == "emails_send" for task in world.sent.tasks) == 1
    facts = [fact["changes"] for fact in (await told(world, one.item))[1:]]
    assert facts == [[{"what": "assignee_added", "old": None, "new": str(who.id)}] for who in (team, admin)]
    assert {p["user_id"] for p in (await team.get(path))["assignees"]} == {str(team.id), str(admin.id)}
    assert await admin.delete(f"{path}/{team.id}") == {"ok": True}
    assert (await told(world, one.item))[-1]["changes"][0]["old"] == str(team.id)
    await admin.delete(f"{path}/{team.id}", status=404)
    for wrong, status in (
        ({}, 400),
        ({"email": "no"}, 400),
        ({"email": "no@example.test"}, 404),
        ({"user_id": NOWHERE}, 403),
    ):
        await admin.post(path, wrong, status=status)
    await admin.post(f"/items/{NOWHERE}/assignees", {"user_id": str(team.id)}, status=404)
    await admin.get(f"/items/{NOWHERE}/assignees", status=404)


async def test_only_staff_and_members_are_assigned(world: World) -> None:
    """An editor counts as staff; a client needs a membership of this workspace."""
    admin, editor, client = await caller(world), await caller(world, "editor"), await caller(world, "client")
    one, other = await made(admin), await made(admin)
    path = f"/items/{one.item}/assignees"
    await admin.post(f"/workspaces/{other.workspace}/members", {"user_id": str(client.id)})

    await admin.post(path, {"user_id": str(editor.id)}, status=201)
    refused = await admin.post(path, {"user_id": str(client.id)}, status=403)
    await admin.post(f"/items/{other.item}/assignees", {"user_id": str(client.id)}, status=201)

    assert refused["code"] == "NO_WORKSPACE_ACCESS"


async def test_my_work_is_mine_by_board(world: World) -> None:
    """Live items of the caller, done ones too, with people, updates and time; nothing is an empty list."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)
    assert await team.get("/my-work") == {"boards": []}
    gone = (await admin.post("/items", {"group_id": one.group, "name": "Gone"}))["item"]["id"]
    done = (await admin.post("/items", {"group_id": one.group, "name": "Done", "status": "Done"}))["item"]["id"]
    for item in (one.item, gone, done):
        await admin.post(f"/items/{item}/assignees", {"user_id": str(team.id)})
    await admin.post(f"/items/{one.item}/assignees", {"user_id": str(admin.id)})
    await admin.post(f"/items/{one.item}/updates", {"content": "x"})
    await world.db.execute("insert into task_time_entries (item_id, time_spent_minutes) values ($1, 45)", one.item)
    await admin.patch(f"/items/{one.item}", {"due_date": "2026-12-01"})
    await admin.delete(f"/items/{gone}")

    [board] = (await team.get("/my-work"))["boards"]

    items = board.pop("items")
    assert board == {
        "board_id": one.board, "board_name": "Clinic", "workspace_id": one.workspace, "workspace_name": "Agency"
    }  # fmt: skip
    assert [item["id"] for item in items] == [one.item, done]
    assert {UUID(p["user_id"]) for p in items[0].pop("assignees")} == {team.id, admin.id}
    assert items[0] == {
        "id": one.item, "name": "Call Ms Example", "status": "To Do", "due_date": "2026-12-01", 
        "needs_attention": False, "is_voicemail": False, "update_count": 1, "time_total_minutes": 45,
    }  # fmt: skip


async def test_nobody_mails_many_people_in_a_minute(world: World) -> None:
    """Posting and assigning are limited for each person: a 429 says how long to wait."""
    admin = await caller(world)
    one = await made(admin)
    await world.db.execute(
        "insert into request_counters (kind, subject, window_start, hits) values ('task_posts', $1, now(), 60)",
        str(admin.id),
    )
    refused = await admin.post(f"/items/{one.item}/updates", {"content": "x"}, status=429)
    assert 0 < refused["retryAfter"] <= 60


async def test_the_check_in_the_database_holds_by_itself(world: World) -> None:
    """A client who is a member, even of role admin, finds nothing; team sees all and manages nothing; nor what is
    not there."""
    admin, team, client = await caller(world), await caller(world, "team"), await caller(world, "client")
    one = await made(admin)
    subitem = (await admin.post(f"/items/{one.item}/subitems", {"name": "s"}))["subitem"]["id"]
    await admin.post(f"/workspaces/{one.workspace}/members", {"user_id": str(client.id), "role": "admin"})
    checks = (
        (access.workspace, one.workspace), (access.board, one.board), (access.group, one.group),
        (access.item, one.item), (access.subitem, subitem),
    )  # fmt: skip
    for check, row_id in checks:
        with pytest.raises(NotFound):
            await check(world.db, client.id, UUID(row_id))
        assert not (await check(world.db, team.id, UUID(row_id)))["manages"]
        assert (await check(world.db, admin.id, UUID(row_id), manage=True))["manages"]
        for target, who, error in (
            (row_id, team.id, Forbidden), (NOWHERE, team.id, Forbidden), (NOWHERE, admin.id, NotFound)
        ):  # fmt: skip
            with pytest.raises(error):
                await check(world.db, who, UUID(target), manage=True)
