"""Time on the task platform: logged, corrected, counted and billed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.areas.tasks import reports
from tests.functions.conftest import World
from tests.functions.taskboards import a_board, agency_today


async def test_logged_time_is_listed_with_its_author(world: World) -> None:
    """An entry bills all of its time by default, is of today, and is listed newest first with who logged it."""
    board = await a_board(world, "team")
    item = await board.item()

    first = await board.log(item, 90, description="Header", work_category="Web")
    await board.log(item, 15, is_billable=False)
    listed = (await board.call("GET", f"/items/{item}/time-entries")).json()["time_entries"]

    assert {key: first[key] for key in ("billable_minutes", "is_billable", "user_id", "item_id", "user_name")} == {
        "billable_minutes": 90,
        "is_billable": True,
        "user_id": str(board.me),
        "item_id": str(item),
        "user_name": "Pat Example",
    }
    assert first["work_date"] == agency_today(world).isoformat()
    assert [(entry["time_spent_minutes"], entry["billable_minutes"]) for entry in listed] == [(15, 0), (90, 90)]
    assert listed[1] == first


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "time_spent_minutes"),
        ({"time_spent_minutes": -15}, "time_spent_minutes"),
        ({"time_spent_minutes": True}, "time_spent_minutes"),
        ({"time_spent_minutes": 10**9}, "time_spent_minutes"),
        ({"time_spent_minutes": 30, "billable_minutes": 45}, "billable_minutes"),
        ({"time_spent_minutes": 30, "billable_minutes": 15, "is_billable": "false"}, "billable_minutes"),
        ({"time_spent_minutes": 30, "is_billable": "perhaps"}, "is_billable"),
        ({"time_spent_minutes": 30, "work_date": "31.01.2026"}, "work_date"),
        ({"time_spent_minutes": 30, "work_date": "9999-12-31"}, "work_date"),
        ({"time_spent_minutes": 30, "description": "x" * 5001}, "description"),
    ],
)
async def test_time_that_makes_no_sense_is_refused(world: World, body: dict[str, object], field: str) -> None:
    """More billed than spent, negative time and false dates are 400, and name the field."""
    board = await a_board(world)
    answer = await board.call("POST", f"/items/{await board.item()}/time-entries", json=body)
    assert answer.status_code == 400
    assert [error["field"].partition(".")[0] for error in answer.json()["errors"]] == [field]


async def test_text_is_read_as_what_it_says(world: World) -> None:
    """``"45"`` is a number, and ``"false"`` is no."""
    board = await a_board(world)
    entry = await board.log(await board.item(), "45", is_billable="false")  # type: ignore[arg-type]
    assert (entry["time_spent_minutes"], entry["billable_minutes"], entry["is_billable"]) == (45, 0, False)


async def test_time_on_an_archived_item_is_accepted_and_on_none_is_not(world: World) -> None:
    """An archived item takes time; one that is not there is 404."""
    board = await a_board(world)
    archived = await board.item(archived_at=datetime.now(UTC))
    assert (await board.log(archived))["item_id"] == str(archived)
    for method in ("GET", "POST"):
        answer = await board.call(method, f"/items/{uuid4()}/time-entries", json={"time_spent_minutes": 1})
        assert answer.status_code == 404


async def test_an_entry_is_corrected_by_its_author_or_an_admin(world: World) -> None:
    """A colleague may not; what is billed follows the time that is spent; the trail keeps what an entry said before."""
    board = await a_board(world, "team")
    entry = await board.log(await board.item(), 60)
    path = f"/time-entries/{entry['id']}"
    colleague = await world.sign_in(await world.user("team"))
    admin_id = await world.user("admin")
    admin = await world.sign_in(admin_id)

    refused = await board.call("PATCH", path, json={"time_spent_minutes": 5}, headers=colleague)
    longer = await board.call("PATCH", path, json={"time_spent_minutes": 75, "work_date": "2026-02-01"})
    unbilled = await board.call("PATCH", path, json={"is_billable": False, "description": "Ours"}, headers=admin)
    nothing = await board.call("PATCH", path, json={"unknown": 1})
    too_much = await board.call("PATCH", path, json={"billable_minutes": 76, "is_billable": True})

    assert (refused.status_code, nothing.status_code, too_much.status_code) == (403, 400, 400)
    assert longer.json()["time_entry"]["billable_minutes"] == 75
    assert longer.json()["time_entry"]["work_date"] == "2026-02-01"
    told = unbilled.json()["time_entry"]
    assert (told["billable_minutes"], told["description"], told["time_spent_minutes"]) == (0, "Ours", 75)
    assert (await board.call("DELETE", path, headers=colleague)).status_code == 403
    assert (await board.call("DELETE", path)).json() == {"ok": True}
    assert (await board.call("DELETE", path)).status_code == 404
    trail = await world.db.fetch(
        """select user_id, event_type, (details ->> 'time_spent_minutes')::int as spent,
                  (details ->> 'billable_minutes')::int as billed
           from security_audit_log where details ->> 'target_id' = $1 order by created_at""",
        entry["id"],
    )
    assert [tuple(row) for row in trail] == [
        (board.me, "task_time_changed", 60, 60),
        (admin_id, "task_time_changed", 75, 75),
        (board.me, "task_time_deleted", 75, 0),
    ]


async def test_billing_keeps_the_time_of_archived_and_deleted_items(world: World) -> None:
    """Archiving, deleting an item and deleting its whole group take no minute out of the board's bill."""
    board = await a_board(world)
    names = ("live", "archived", "deleted", "deleted with its group")
    items = {name: await board.item(name) for name in names}
    other = uuid4()
    await world.db.execute("insert into task_groups (id, board_id, name) values ($1, $2, 'Gone')", other, board.id)
    await world.db.execute("update task_items set group_id = $2 where id = $1", items[names[3]], other)
    for item in items.values():
        await board.log(item, 60, billable_minutes=45, work_date="2026-03-05")
    await world.db.execute("update task_items set archived_at = now() where id = $1", items["archived"])
    await world.db.execute("delete from task_items where id = $1", items["deleted"])
    await world.db.execute("delete from task_groups where id = $1", other)

    body = {"board_ids": [str(board.id)], "start_date": "2026-03-01", "end_date": "2026-03-31"}
    billed = (await board.call("POST", "/reports/billing", json=body)).json()
    counted = (await board.call("POST", "/reports/boards", json=body)).json()["rows"][0]

    assert {(told["item_name"], told["item_id"]) for told in billed["items"]} == {
        (name, str(item)) for name, item in items.items()
    }
    assert [told["billable_minutes"] for told in billed["items"]] == [45] * 4
    assert {told["board_name"] for told in billed["items"]} == {"Web"}
    assert all(entry["item_id"] == told["item_id"] for told in billed["items"] for entry in told["time_entries"])
    assert counted["time_minutes_in_range"] == 240
    assert counted["total_items"] == 1


async def test_a_deleted_board_leaves_its_time(world: World) -> None:
    """Deleting a board or its workspace never fails on logged time, which stays with its person."""
    board = await a_board(world)
    entry = await board.log(await board.item("Page"), 30)
    await world.db.execute("delete from task_workspaces where id = $1", board.workspace_id)
    kept = await world.db.fetchrow(
        "select item_name, item_id, board_id from task_time_entries where id = $1::uuid", entry["id"]
    )
    assert kept is not None
    assert tuple(kept) == ("Page", None, None)


async def test_a_bill_counts_by_the_day_of_the_work(world: World) -> None:
    """Both ends of the range are in it, a missing end is open, and entries of one item come newest first."""
    board = await a_board(world)
    item = await board.item()
    for day in ("2026-03-31", "2026-04-01", "2026-04-30", "2026-05-01"):
        await board.log(item, 10, work_date=day)

    async def days(**bounds: str | None) -> list[str]:
        body = {"board_ids": [str(board.id), str(uuid4())], **bounds}
        found = (await board.call("POST", "/reports/billing", json=body)).json()["items"]
        return [entry["work_date"] for told in found for entry in told["time_entries"]]

    assert await days(start_date="2026-04-01", end_date="2026-04-30") == ["2026-04-30", "2026-04-01"]
    assert await days(start_date="2026-04-30", end_date=None) == ["2026-05-01", "2026-04-30"]
    assert len(await days(end_date="2026-04-01")) == 2
    assert len(await days()) == 4
    assert await days(start_date="2026-06-01") == []


async def test_a_large_bill_comes_in_pages(world: World) -> None:
    """``limit`` and ``offset`` page through the items in their order, and ``total`` says how many there are."""
    board = await a_board(world)
    for name in ("c", "a", "b"):
        await board.log(await board.item(name))
    body = {"board_ids": [str(board.id)], "limit": 2}
    first = (await board.call("POST", "/reports/billing", json=body)).json()
    second = (await board.call("POST", "/reports/billing", json={**body, "offset": 2})).json()
    assert [told["item_name"] for told in (*first["items"], *second["items"])] == ["a", "b", "c"]
    assert first["total"] == second["total"] == 3


async def test_a_bill_is_whole_or_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More items than one answer takes are 413, unless pages are asked for: no bill comes with a part missing."""
    monkeypatch.setattr(reports, "MOST_ITEMS", 2)
    board = await a_board(world)
    for name in ("a", "b", "c"):
        await board.log(await board.item(name))
    body = {"board_ids": [str(board.id)]}
    whole = await board.call("POST", "/reports/billing", json=body)
    rest = await board.call("POST", "/reports/billing", json={**body, "offset": 1})
    paged = await board.call("POST", "/reports/billing", json={**body, "limit": 1})
    assert (whole.status_code, whole.json()["code"]) == (413, "REPORT_TOO_LARGE")
    assert [told["item_name"] for told in rest.json()["items"]] == ["b", "c"]
    assert (len(paged.json()["items"]), paged.json()["total"]) == (1, 3)


async def test_a_boards_row_counts_by_label(world: World) -> None:
    """Every board that exists has a row of numbers; done is what its labels call done, whatever its text."""
    board, empty = await a_board(world), await a_board(world)
    await world.db.execute(
        "insert into task_board_status_labels (board_id, label, is_done_state) values ($1, 'Shipped', true)", board.id
    )
    for status in ("To Do", "stuck ", "Shipped", "Shipped", "Anything"):
        await board.item(status, status=status)
    await board.item("flagged", needs_attention=True, is_voicemail=True)
    item = await board.item(
        "old", created_at=datetime(2020, 1, 1, tzinfo=UTC), updated_at=datetime(2020, 1, 3, 4, tzinfo=UTC)
    )  # 23:00 in New York
    await board.say(item, "hello", at=datetime(2020, 1, 2, 12, tzinfo=UTC))

    body = {"board_ids": [str(board.id), str(empty.id), str(uuid4())]}
    rows = (await board.call("POST", "/reports/boards", json=body)).json()["rows"]
    dated = {**body, "start_date": "2020-01-02", "end_date": "2020-01-02"}
    then = (await board.call("POST", "/reports/boards", json=dated)).json()["rows"]

    told = {row["board_id"]: row for row in rows}
    assert len(rows) == 2
    row = told[str(board.id)]
    assert (row["total_items"], row["todo"], row["blocked"], row["done"], row["voicemail"]) == (7, 3, 1, 2, 1)
    assert (row["needs_attention_flag"], row["updates_in_range"]) == (1, 1)
    assert {value for value in told[str(empty.id)].values() if isinstance(value, int)} == {0}
    row = next(row for row in then if row["board_id"] == str(board.id))
    assert (row["items_updated_in_range"], row["items_created_in_range"], row["updates_in_range"]) == (1, 0, 1)


@pytest.mark.parametrize("report", ["boards", "billing"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"board_ids": []},
        {"board_ids": ["x"]},
        {"start_date": "soon"},
        {"start_date": "2026-02-02", "end_date": "2026-02-01"},
    ],
)
async def test_a_report_that_cannot_be_is_refused(world: World, report: str, wrong: dict[str, object]) -> None:
    """No board, no date, an end before its beginning: 400."""
    board = await a_board(world)
    body = {"board_ids": [str(board.id)], **wrong}
    assert (await board.call("POST", f"/reports/{report}", json=body)).status_code == 400
