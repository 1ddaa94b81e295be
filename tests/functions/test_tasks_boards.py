"""Workspaces, boards, groups and labels, as the dashboard calls them."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.functions.conftest import World
from tests.functions.tasks import Caller, caller, made

NOWHERE = str(uuid4())


async def test_a_workspace_belongs_to_its_maker_and_all_staff(world: World) -> None:
    """Members are those with a row and every member of staff, editors too; a stranger client is none."""
    admin, team = await caller(world), await caller(world, "team")
    editor, client = await caller(world, "editor"), await caller(world, "client")

    workspace = (await admin.post("/workspaces", {"name": "  Agency "}, status=201))["workspace"]

    assert workspace["name"] == "Agency" and workspace["created_by"] == str(admin.id)
    assert set(workspace) == {"id", "name", "created_by", "created_at"}
    assert (await team.get("/workspaces"))["workspaces"][0] == workspace
    members = {m["user_id"]: m for m in (await team.get(f"/workspaces/{workspace['id']}/members"))["members"]}
    roles = [members[str(who.id)]["membership_role"] for who in (admin, team, editor)]
    assert roles == ["admin", "member", "admin"]
    assert members[str(admin.id)]["created_at"] and members[str(team.id)]["created_at"] is None
    assert str(client.id) not in members
    assert list(members) == sorted(members)
    for path in ("members", "members/search?q=a", "boards"):
        await team.get(f"/workspaces/{NOWHERE}/{path}", status=404)


async def test_members_are_added_changed_and_removed(world: World) -> None:
    """By id or address, again with another role, and only where they have a row; what is not theirs to do is a 403."""
    admin, team, client = await caller(world), await caller(world, "team"), await caller(world, "client")
    workspace = (await made(admin)).workspace
    path = f"/workspaces/{workspace}/members"
    address = await world.db.fetchval("select email from users where id = $1", client.id)

    added = (await admin.post(path, {"email": address.upper(), "role": "member"}, status=201))["member"]
    again = (await admin.post(path, {"user_id": str(client.id), "role": "admin"}))["member"]

    assert added["user_id"] == str(client.id) and (added["membership_role"], again["membership_role"]) == (
        "member", "admin",
    )  # fmt: skip
    assert set(added) == {
        "user_id", "membership_role", "created_at", "email", "first_name", "last_name", "user_role"
    }  # fmt: skip
    changed = await admin.patch(f"{path}/{client.id}", {"role": "member"})
    assert changed["member"]["membership_role"] == "member"
    await admin.patch(f"{path}/{client.id}", {"role": "owner"}, status=400)
    await admin.patch(f"{path}/{team.id}", {"role": "admin"}, status=404)
    await admin.post(path, {}, status=400)
    await admin.post(path, {"email": "nobody@example.test"}, status=404)
    await admin.post(path, {"user_id": NOWHERE}, status=404)
    await admin.post(f"/workspaces/{NOWHERE}/members", {"user_id": str(client.id)}, status=404)
    await team.post(path, {"user_id": str(client.id)}, status=403)
    await team.post(f"/workspaces/{NOWHERE}/members", {"user_id": str(client.id)}, status=403)
    await client.get("/workspaces", status=403)
    assert (await admin.delete(f"{path}/{client.id}")) == {"ok": True}
    await admin.delete(f"{path}/{client.id}", status=404)
    trail = await world.db.fetch(
        "select event_type from security_audit_log where user_id = $1 and event_category = 'tasks'",
        admin.id,
    )
    assert sorted(row["event_type"] for row in trail) == [
        "task_member_added", "task_member_added", "task_member_changed", "task_member_removed",
    ]  # fmt: skip


async def test_members_are_found_by_what_one_types(world: World) -> None:
    """Wildcards mean themselves, blank finds nobody, and at most ten come back."""
    admin, name = await caller(world), uuid4().hex
    workspace = (await made(admin)).workspace
    await world.user("team", email=f"a_b%{name}@example.test")
    await world.user("team", email=f"axbx{name}@example.test")
    search = f"/workspaces/{workspace}/members/search"

    found = (await admin.get(search, params={"q": f"A_B%{name}"}))["members"]

    assert [one["email"] for one in found] == [f"a_b%{name}@example.test"]
    assert set(found[0]) == {"user_id", "membership_role", "email", "first_name", "last_name", "user_role"}
    assert (await admin.get(search, params={"q": "  "}))["members"] == []
    assert len((await admin.get(search, params={"q": "Pat Ex"}))["members"]) <= 10


async def test_a_membership_of_role_admin_manages_the_workspace(world: World) -> None:
    """A team member manages just where their row says so: labels, groups, moving boards only between such places."""
    admin, team = await caller(world), await caller(world, "team")
    mine, other = await made(admin), await made(admin)
    await team.post(f"/boards/{mine.board}/status-labels", {"label": "Review"}, status=403)
    await admin.post(f"/workspaces/{mine.workspace}/members", {"user_id": str(team.id), "role": "admin"})

    await team.post(f"/boards/{mine.board}/status-labels", {"label": "Review"}, status=201)
    await team.patch(f"/boards/{mine.board}", {"workspace_id": other.workspace}, status=403)
    await team.patch(f"/boards/{other.board}", {"workspace_id": mine.workspace}, status=403)
    await team.patch(f"/boards/{other.board}", {"name": "Renamed"})
    await team.delete(f"/groups/{mine.group}")
    await team.delete(f"/boards/{other.board}", status=403)
    await team.delete(f"/boards/{mine.board}")
    await admin.get(f"/boards/{mine.board}/view", status=404)


async def test_a_board_is_renamed_described_and_moved(world: World) -> None:
    """Only what is given changes; its groups and items move along; both spellings work."""
    admin = await caller(world)
    one, two = await made(admin), await made(admin)

    await admin.patch(f"/boards/{one.board}", {"description": "All of it"})
    board = (await admin.ask("PUT", f"/boards/{one.board}", {"name": " New ", "workspace_id": two.workspace}))["board"]

    assert (board["name"], board["description"], board["workspace_id"]) == ("New", "All of it", two.workspace)
    assert [b["id"] for b in (await admin.get(f"/workspaces/{two.workspace}/boards"))["boards"]] == [
        two.board,
        one.board,
    ]
    listed = {b["id"]: b for b in (await admin.get("/boards"))["boards"]}
    assert listed[one.board]["workspace_name"] == "Agency"
    assert [i["id"] for i in (await admin.get(f"/boards/{one.board}/view"))["items"]] == [one.item]
    for wrong in (
        {},
        {"colour": "red"},
        {"name": " "},
        {"name": "x" * 201},
        {"description": "x" * 2001},
        {"name": None},
    ):
        await admin.patch(f"/boards/{one.board}", wrong, status=400)
    assert (await admin.patch(f"/boards/{one.board}", {"description": None}))["board"]["description"] is None
    await admin.patch(f"/boards/{one.board}", {"workspace_id": NOWHERE}, status=404)
    await admin.post(f"/workspaces/{NOWHERE}/boards", {"name": "x"}, status=404)


async def test_a_view_has_all_of_a_board(world: World) -> None:
    """Groups in order, live items newest change first, and maps that have keys only where there is something."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)
    second = (await admin.post(f"/groups/{one.group}/items", {"name": "Second", "due_date": "2026-11-21"}))["item"][
        "id"
    ]
    gone = (await admin.post(f"/groups/{one.group}/items", {"name": "Gone"}))["item"]["id"]
    await admin.delete(f"/items/{gone}")
    await admin.post(f"/items/{one.item}/assignees", {"user_id": str(team.id)})
    await admin.post(f"/items/{one.item}/updates", {"content": "Started"})
    await world.db.execute(
        "insert into task_time_entries (item_id, time_spent_minutes) values ($1, 15), ($1, 30)", one.item
    )
    await admin.patch(f"/items/{one.item}", {"status": "Done"})

    view = await team.get(f"/boards/{one.board}/view")

    assert set(view) == {
        "board", "groups", "items", "assignees_by_item", "time_totals_by_item", "update_counts_by_item", "status_labels"
    }  # fmt: skip
    assert [item["id"] for item in view["items"]] == [one.item, second]
    assert view["items"][1]["due_date"] == "2026-11-21"
    assert set(view["items"][0]) == {
        "id", "group_id", "name", "status", "due_date", "is_voicemail", "needs_attention", "created_by", "created_at",
        "updated_at", "archived_at", "archived_by",
    }  # fmt: skip
    assert view["groups"] == [{"id": one.group, "board_id": one.board, "name": "Backlog", "order_index": 0}]
    assert [p["user_id"] for p in view["assignees_by_item"][one.item]] == [str(team.id)]
    assert set(view["assignees_by_item"][one.item][0]) == {"user_id", "email", "first_name", "last_name", "avatar_url"}
    assert (view["time_totals_by_item"], view["update_counts_by_item"]) == ({one.item: 45}, {one.item: 1})
    report = (await team.get(f"/boards/{one.board}/report"))["report"]
    assert (report["total"], report["done"], report["todo"], report["working"]) == (2, 1, 1, 0)
    assert report["last_updated_at"] == view["items"][0]["updated_at"]
    assert [item["id"] for item in (await team.get(f"/boards/{one.board}/archived"))["items"]] == [gone]
    for path in ("view", "report", "export.csv", "groups", "archived", "status-labels"):
        await team.get(f"/boards/{NOWHERE}/{path}", status=404)


async def test_an_empty_board_counts_zeros(world: World) -> None:
    """No count is null where there is nothing to count."""
    admin = await caller(world)
    workspace = (await made(admin)).workspace
    board = (await admin.post(f"/workspaces/{workspace}/boards", {"name": "Empty"}))["board"]["id"]

    report = (await admin.get(f"/boards/{board}/report"))["report"]

    assert report.pop("last_updated_at") is None
    assert len(report) == 8 and set(report.values()) == {0}
    view = await admin.get(f"/boards/{board}/view")
    assert (view["groups"], view["items"], view["assignees_by_item"]) == ([], [], {})


async def test_a_board_of_thousands_is_shown_and_deleted(world: World) -> None:
    """Four thousand items with people, updates and time: one view well within two seconds, one deletion."""
    admin = await caller(world)
    one = await made(admin)
    await world.db.execute(
        """
        with i as (
            insert into task_items (group_id, name) select $1, 'Item ' || n from generate_series(1, 4000) n returning id
        ), a as (insert into task_item_assignees select id, $2 from i),
           u as (insert into task_updates (item_id, user_id, content) select id, $2, 'Hello' from i)
        insert into task_time_entries (item_id, user_id, time_spent_minutes) select id, $2, 15 from i
        """,
        one.group,
        admin.id,
    )
    started = time.perf_counter()
    view = await admin.get(f"/boards/{one.board}/view")
    took = time.perf_counter() - started

    assert len(view["items"]) == 4001 and len(view["time_totals_by_item"]) == 4000
    assert took < 2
    await admin.delete(f"/boards/{one.board}")
    assert await world.db.fetchval("select count(*) from task_items where group_id = $1", one.group) == 0
    kept = await world.db.fetchval(
        "select count(*) from task_time_entries where user_id = $1 and item_id is null and item_name like 'Item %'",
        admin.id,
    )
    assert kept == 4000


async def test_no_cell_of_an_export_is_a_formula(world: World) -> None:
    """CSV with CRLF, ISO dates, and an apostrophe before what a spreadsheet would run."""
    admin = await caller(world)
    one = await made(admin, name='=cmd|"calc"')

    answer = await world.call("GET", f"/api/tasks/boards/{one.board}/export.csv", headers=admin.headers)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="board-{one.board}.csv"'
    [header, row] = csv.reader(io.StringIO(answer.text, newline=""))
    assert ",".join(header) == "id,name,status,due_date,needs_attention,is_voicemail,group_name,created_at,updated_at"
    assert row[:7] == [one.item, '\'=cmd|"calc"', "To Do", "", "false", "false", "Backlog"]
    assert row[7].endswith("Z") and answer.text.count("\r\n") == 2


async def test_groups_take_their_places_also_at_once(world: World) -> None:
    """A new group comes last; many moved at the same time leave every place taken once."""
    admin = await caller(world)
    one = await made(admin)
    path = f"/boards/{one.board}/groups"
    await asyncio.gather(*(admin.post(path, {"name": f"G{n}"}, status=201) for n in range(5)))
    groups = (await admin.get(path))["groups"]
    assert [g["order_index"] for g in groups] == list(range(6)) and groups[0]["id"] == one.group

    await asyncio.gather(*(admin.patch(f"/groups/{g['id']}", {"order_index": 0}) for g in groups[3:]))
    moved = (await admin.patch(f"/groups/{one.group}", {"order_index": 99, "name": "Last"}))["group"]

    assert (moved["order_index"], moved["name"]) == (5, "Last")
    after = (await admin.get(path))["groups"]
    assert [g["order_index"] for g in after] == list(range(6))
    assert {g["id"] for g in after[:3]} == {g["id"] for g in groups[3:]}
    assert (await admin.post(path, {"name": "Own", "order_index": 2}))["group"]["order_index"] == 2
    await admin.patch(f"/groups/{NOWHERE}", {"name": "x"}, status=404)
    await admin.patch(f"/groups/{one.group}", {}, status=400)


async def test_deleting_takes_all_below_and_tells_the_trail(world: World) -> None:
    """A workspace goes with its boards; the trail says who did it and how much it was."""
    admin, team = await caller(world), await caller(world, "team")
    one = await made(admin)
    await team.delete(f"/workspaces/{one.workspace}", status=403)

    assert await admin.delete(f"/workspaces/{one.workspace}") == {"ok": True}

    await admin.delete(f"/workspaces/{one.workspace}", status=404)
    await admin.get(f"/items/{one.item}/updates", status=404)
    trail = await world.db.fetchval(
        "select details from security_audit_log where user_id = $1 and event_type = 'task_workspace_deleted'", admin.id
    )
    assert trail == {"target_id": one.workspace, "name": "Agency", "boards": 1, "items": 1}


async def test_automations_follow_a_renamed_label(world: World, no_global_labels: None) -> None:
    """A rule that waits for a label, or gives it, goes on doing so; rules of other boards and texts stay."""
    admin = await caller(world)
    one, other = await made(admin), await made(admin)
    everywhere = (await admin.post("/status-labels/global", {"label": "Review"}))["status_label"]["id"]
    here = (await admin.post(f"/boards/{one.board}/status-labels", {"label": "review"}))["status_label"]["id"]
    rule = {
        "name": "Again", "trigger_type": "status_change", "trigger_config": {"to_status": "REVIEW"},
        "action_type": "set_status", "action_config": {"status": "Review"},
    }  # fmt: skip
    add = {
        "trigger_config": {"to_status": "Stuck"},
        "action_type": "add_update",
        "action_config": {"content": "Review"},
    }
    own, kept, others, of_all = [
        (await admin.post(path, body, status=201))["automation"]["id"]
        for path, body in (
            (f"/boards/{one.board}/automations", rule),
            (f"/boards/{one.board}/automations", rule | add),
            (f"/boards/{other.board}/automations", rule),
            ("/automations/global", rule),
        )
    ]

    async def texts() -> dict[str, tuple[str, str]]:
        lists = [
            await admin.get(path)
            for path in (
                f"/boards/{one.board}/automations",
                f"/boards/{other.board}/automations",
                "/automations/global",
            )
        ]
        return {
            a["id"]: (a["trigger_config"]["to_status"], a["action_config"].get("status", ""))
            for found in lists for a in found["automations"] if a["id"] in {own, kept, others, of_all}
        }  # fmt: skip

    before = await texts()
    await admin.patch(f"/status-labels/{here}", {"label": "Ours"})
    after_own = await texts()
    await admin.patch(f"/status-labels/{everywhere}", {"label": "Checked"})
    after_global = await texts()
    await admin.delete(f"/automations/{of_all}")

    assert after_own == before | {own: ("Ours", "Ours")}
    assert after_global == after_own | {others: ("Checked", "Checked"), of_all: ("Checked", "Checked")}
    assert after_global[kept] == ("Stuck", "")


@pytest.fixture
async def no_global_labels(world: World) -> AsyncIterator[None]:
    """None before this test, and none left behind by it."""
    await world.db.execute("delete from task_global_status_labels")
    yield
    await world.db.execute("delete from task_global_status_labels")


async def _labels(who: Caller, board: str) -> list[str]:
    return [label["label"] for label in (await who.get(f"/boards/{board}/status-labels"))["status_labels"]]


async def test_a_board_shows_the_default_labels_until_it_has_its_own(world: World, no_global_labels: None) -> None:
    """Five by default, also beside global ones; copied once; a board's own stands in the place of a global one."""
    admin, team = await caller(world), await caller(world, "team")
    one, other = await made(admin), await made(admin)
    defaults = (await team.get(f"/boards/{one.board}/status-labels"))["status_labels"]
    assert [(d["id"], d["color"], d["is_done_state"]) for d in defaults] == [
        ("default-todo", "#808080", False), ("default-working", "#fdab3d", False), ("default-stuck", "#e2445c", False),
        ("default-done", "#00c875", True), ("default-needs-attention", "#ff642e", False),
    ]  # fmt: skip
    assert set(defaults[0]) == {"id", "label", "color", "order_index", "is_done_state"}

    review = await admin.post("/status-labels/global", {"label": "Review", "color": "#112233"}, status=201)
    assert set(review["status_label"]) == {
        "id", "label", "color", "order_index", "is_done_state", "created_by", "created_at"
    }  # fmt: skip
    assert await _labels(team, one.board) == ["Review", "To Do", "Working on it", "Stuck", "Done", "Needs Attention"]

    own = (await admin.post(f"/boards/{one.board}/status-labels/init", status=201))["status_labels"]
    await admin.post(f"/boards/{one.board}/status-labels/init", status=400)
    mine = (await admin.post(f"/boards/{one.board}/status-labels", {"label": " review "}, status=201))["status_label"]

    assert [label["label"] for label in own] == [d["label"] for d in defaults]
    assert (mine["label"], mine["color"], mine["order_index"]) == ("review", "#808080", 5)
    merged = (await team.get(f"/boards/{one.board}/status-labels"))["status_labels"]
    assert merged[0] == {**mine, "is_global": False} and len(merged) == 6
    assert (await team.get(f"/boards/{other.board}/status-labels"))["status_labels"][0]["is_global"] is True
    assert merged == (await team.get(f"/boards/{one.board}/view"))["status_labels"]
    await admin.post(f"/boards/{one.board}/status-labels", {"label": "REVIEW"}, status=409)
    await admin.post("/status-labels/global", {"label": "review"}, status=409)
    await admin.post(f"/boards/{one.board}/status-labels", {"label": "x", "color": "red"}, status=400)
    await admin.post(f"/boards/{NOWHERE}/status-labels", {"label": "x"}, status=404)
    await team.get("/status-labels/global", status=403)
    assert [label["label"] for label in (await admin.get("/status-labels/global"))["status_labels"]] == ["Review"]


async def test_renaming_a_label_renames_statuses_with_it(world: World, no_global_labels: None) -> None:
    """Items and subitems follow a board's label and a global one, but not where the board has its own of that text."""
    admin, team = await caller(world), await caller(world, "team")
    one, other = await made(admin), await made(admin)
    everywhere = (await admin.post("/status-labels/global", {"label": "To Do"}))["status_label"]["id"]
    here = (await admin.post(f"/boards/{one.board}/status-labels", {"label": "To do"}))["status_label"]["id"]
    subitem = (await admin.post(f"/items/{one.item}/subitems", {"name": "Step"}))["subitem"]["id"]

    changed = await admin.patch(f"/status-labels/{everywhere}", {"label": "Open", "is_done_state": True})
    statuses = dict(
        await world.db.fetch("select id::text, status from task_items where id = any($1)", [one.item, other.item])
    )
    await admin.patch(f"/status-labels/{here}", {"label": "Waiting"})

    assert changed["status_label"]["label"] == "Open"
    assert statuses == {one.item: "To Do", other.item: "Open"}
    assert (await admin.get(f"/boards/{other.board}/report"))["report"]["done"] == 1
    assert (await admin.get(f"/groups/{one.group}/items"))["items"][0]["status"] == "Waiting"
    assert (await admin.get(f"/items/{one.item}/subitems"))["subitems"][0]["status"] == "Waiting", subitem
    await admin.patch(f"/status-labels/{here}", {}, status=400)
    await team.patch(f"/status-labels/{everywhere}", {"label": "Mine"}, status=403)
    await team.delete(f"/status-labels/{here}", status=403)
    assert await admin.delete(f"/status-labels/{everywhere}") == {"success": True}
    await admin.delete(f"/status-labels/{here}")
    await admin.delete(f"/status-labels/{here}", status=404)
    trail = await world.db.fetch(
        """select event_type, details ->> 'label' as label, details ->> 'to' as text, details ->> 'board_id' as board
           from security_audit_log where user_id = $1 and event_type like 'task_label_%' order by created_at""",
        admin.id,
    )
    assert [tuple(row) for row in trail] == [
        ("task_label_renamed", "To Do", "Open", None),
        ("task_label_renamed", "To do", "Waiting", one.board),
        ("task_label_deleted", "Open", None, None),
        ("task_label_deleted", "Waiting", None, one.board),
    ]
    assert (await admin.get(f"/groups/{one.group}/items"))["items"][0]["status"] == "Waiting"
