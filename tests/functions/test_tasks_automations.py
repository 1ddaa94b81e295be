"""Automations: kept only when they can run, run once for each change and each due date, and told in their log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.areas.tasks import automation_runs
from shared.db.counters import Limit
from tests.functions.conftest import World
from tests.functions.taskboards import Board, a_board, agency_today


@pytest.fixture(autouse=True)
async def no_rules_for_all(world: World) -> None:
    """Rules of every board would run for the boards of other tests."""
    await world.db.execute("delete from task_global_automations")


async def people(world: World, *roles: str) -> list[UUID]:
    return [await world.user(role) for role in roles]


# Rules as people keep them


async def test_a_rule_is_listed_changed_and_deleted(world: World) -> None:
    """A board's rule and everybody's have the same life; the answer says which of both it was."""
    board = await a_board(world)
    own = await board.rule(trigger_config={"to_status": " Done ", "unknown": 1})
    everywhere = await board.rule(everywhere=True, name="For all")

    assert own["board_id"] == str(board.id)
    assert "board_id" not in everywhere
    assert (own["trigger_config"], own["is_active"], own["created_by"]) == ({"to_status": "Done"}, True, str(board.me))
    assert (await board.call("GET", f"/boards/{board.id}/automations")).json()["automations"] == [own]
    assert everywhere in (await board.call("GET", "/automations/global")).json()["automations"]
    for rule, scope in ((own, "board"), (everywhere, "global")):
        path = f"/automations/{rule['id']}"
        off = (await board.call("PATCH", path, json={"is_active": False})).json()
        assert off == {"automation": {**rule, "is_active": False}, "scope": scope}
        assert (await board.call("DELETE", path)).json() == {"ok": True, "scope": scope}
        assert (await board.call("DELETE", path)).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "  "}, "name"),
        ({"trigger_type": "full_moon"}, "trigger_type"),
        ({"trigger_type": "due_date_relative"}, "trigger_config.days_from_due"),
        (
            {"trigger_type": "due_date_relative", "trigger_config": {"days_from_due": 366}},
            "trigger_config.days_from_due",
        ),
        (
            {"trigger_type": "due_date_relative", "trigger_config": {"days_from_due": 1.5}},
            "trigger_config.days_from_due",
        ),
        ({"action_type": "shout"}, "action_type"),
        ({"action_config": {}}, "action_config.content"),
        ({"action_type": "set_status", "action_config": {"status": " "}}, "action_config.status"),
        ({"action_type": "set_needs_attention", "action_config": {}}, "action_config.value"),
        ({"action_type": "notify_admins", "action_config": {"link_url": "//evil.test"}}, "action_config.link_url"),
        (
            {"action_type": "notify_admins", "action_config": {"link_url": "https://evil.test"}},
            "action_config.link_url",
        ),
    ],
)
async def test_a_rule_that_could_not_run_is_not_kept(world: World, wrong: dict[str, Any], field: str) -> None:
    """What is missing or wrong in a configuration is 400 and named, when it is made and when it is changed."""
    board = await a_board(world)
    body = {
        "name": "A rule",
        "trigger_type": "status_change",
        "action_type": "add_update",
        "action_config": {"content": "Seen."},
    }
    kept = await board.rule()
    made = await board.call("POST", f"/boards/{board.id}/automations", json={**body, **wrong})
    changed = await board.call("PATCH", f"/automations/{kept['id']}", json=wrong)
    for answer in (made, changed):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field


async def test_who_may_change_rules(world: World) -> None:
    """Staff read a board's rules; changing them takes an admin, or the workspace's; those of all boards an admin."""
    board = await a_board(world)
    own, everywhere = await board.rule(), await board.rule(everywhere=True)
    member, keeper = await people(world, "team", "team")
    await world.db.execute(
        "insert into task_workspace_memberships (workspace_id, user_id, role) values ($1, $2, 'admin')",
        board.workspace_id, keeper,
    )  # fmt: skip
    statuses = {}
    for who in (member, keeper):
        headers = await world.sign_in(who)
        statuses[who] = [
            (await board.call(method, path, headers=headers, **more)).status_code
            for method, path, more in (
                ("GET", f"/boards/{board.id}/automations", {}),
                ("GET", "/automations/runs", {}),
                ("GET", "/automations/global", {}),
                ("PATCH", f"/automations/{own['id']}", {"json": {"name": "B"}}),
                ("PATCH", f"/automations/{everywhere['id']}", {"json": {"name": "B"}}),
            )
        ]
    assert statuses == {member: [200, 200, 403, 403, 403], keeper: [200, 200, 403, 200, 403]}


async def test_a_rule_of_the_old_server_that_cannot_run_can_be_switched_off(world: World) -> None:
    """Renaming and switching off need no valid configuration, switching on does; a run of it says why it failed."""
    board = await a_board(world)
    rule_id = await world.db.fetchval(
        """insert into task_board_automations (board_id, name, trigger_type, trigger_config, action_type, action_config)
           values ($1, 'Old', 'status_change', '{}', 'set_status', '{}') returning id""",
        board.id,
    )
    item = await board.item()
    assert await board.deliver(await board.set_status(item, "Done")) == 204
    [run] = await board.runs()
    off = await board.call("PATCH", f"/automations/{rule_id}", json={"is_active": False, "name": "Older"})
    on = await board.call("PATCH", f"/automations/{rule_id}", json={"is_active": True})

    assert (run["status"], run["error"]) == ("error", "action_config.status: is required")
    assert (off.status_code, on.status_code) == (200, 400)


async def test_another_type_begins_with_an_empty_configuration(world: World) -> None:
    """What was configured for the old type is not taken for the new one."""
    board = await a_board(world)
    rule = await board.rule()
    path = f"/automations/{rule['id']}"
    bare = await board.call("PATCH", path, json={"action_type": "set_status"})
    whole = await board.call("PATCH", path, json={"action_type": "set_status", "action_config": {"status": "done"}})
    assert (bare.status_code, bare.json()["errors"][0]["field"]) == (400, "action_config.status")
    assert whole.json()["automation"]["action_config"] == {"status": "Done"}
    assert (await board.call("PATCH", path, json={"colour": "red"})).status_code == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "0"}, 400),
        ({"limit": "x"}, 400),
        ({"scope": "all"}, 400),
        ({"board_id": "x"}, 400),
        ({"limit": "200"}, 200),
    ],
)
async def test_the_log_is_asked_for_properly(world: World, query: dict[str, str], status: int) -> None:
    """A query that cannot be read is 400; a board that is not there 404."""
    board = await a_board(world)
    assert (await board.call("GET", "/automations/runs", params=query)).status_code == status
    unknown = {"scope": "board", "board_id": str(uuid4())}
    assert (await board.call("GET", "/automations/runs", params=unknown)).status_code == 404


# A change


async def test_a_change_runs_each_matching_rule_once_in_order(world: World) -> None:
    """The board's rules come before everybody's, oldest first; the same fact delivered again adds nothing."""
    board = await a_board(world)
    await board.rule(action_config={"content": "first"}, trigger_config={"to_status": "done"})
    await board.rule(action_config={"content": "other"}, trigger_config={"to_status": "Stuck"})
    await board.rule(everywhere=True, action_config={"content": "third"}, trigger_config={"to_status": "DONE"})
    await board.rule(action_config={"content": "second"})
    await board.rule(action_config={"content": "off"}, is_active=False)
    item = await board.item()

    fact = await board.set_status(item, "Done")
    answers = await asyncio.gather(*(board.deliver(fact) for _ in range(3)))
    again = await board.deliver(fact)

    assert set(answers) <= {204, 503}
    assert again == 204
    rows = await world.db.fetch(
        """select r.status, r.meta, r.trigger_fingerprint from task_automation_runs r where item_id = $1
           order by r.scope, r.ran_at""",
        item,
    )
    assert await board.updates(item) == ["first", "second", "third"]
    assert [row["status"] for row in rows] == ["success"] * 3
    assert {row["trigger_fingerprint"] for row in rows} == {f"status_change:{fact.id}"}
    assert rows[0]["meta"] == {"from_status": "To Do", "to_status": "Done"}
    assert len(await board.runs()) == 2  # a board's filter hides everybody's runs
    assert str(item) in {run["item_id"] for run in await board.runs(scope="global", board_id="")}


async def test_what_an_automation_does_starts_no_other(world: World) -> None:
    """Two rules that answer each other's status run once each, and their own changes are told but not answered."""
    board = await a_board(world)
    await board.rule(trigger_config={"to_status": "A"}, action_type="set_status", action_config={"status": "B"})
    await board.rule(trigger_config={"to_status": "B"}, action_type="set_status", action_config={"status": "A"})
    item = await board.item()

    await board.deliver(await board.set_status(item, "A"))
    told = [
        row
        for row in await world.outbox("task-item-changed", item_id=str(item))
        if row["payload"]["origin"] != "person"
    ]
    for row in told:
        assert (await world.deliver_event("tasks_run_automations", row["payload"], key=row["id"])).status_code == 204

    assert await board.status(item) == "B"
    assert [row["payload"]["origin"] for row in told] == ["automation"]
    assert len(await board.runs()) == 1


async def test_rules_of_one_change_see_each_others_work(world: World) -> None:
    """A later rule keeps what an earlier one has set; one that would change nothing says so."""
    board = await a_board(world)
    await board.rule(action_type="set_needs_attention", action_config={"value": "true"})
    await board.rule(action_type="set_status", action_config={"status": "Checked"})
    await board.rule(action_type="set_status", action_config={"status": "Checked"})
    item = await board.item()
    await board.deliver(await board.set_status(item, "Done"))
    row = await world.db.fetchrow("select status, needs_attention from task_items where id = $1", item)
    assert row is not None
    assert tuple(row) == ("Checked", True)
    assert sorted(run["status"] for run in await board.runs()) == ["skipped", "success", "success"]


async def test_a_notice_goes_to_assignees_but_not_to_whoever_did_it(world: World) -> None:
    """In the bell and by mail, with the item's link and what happened; names are escaped in the mail."""
    board = await a_board(world)
    colleague = await world.user("team", email=f"{uuid4().hex}@example.test")
    item = await board.item("<b>Page</b>")
    await board.assign(item, board.me)
    await board.assign(item, colleague)
    rule = await board.rule(action_type="notify_assignees", action_config={"title": "Look"})

    await board.deliver(await board.set_status(item, "Done"))

    [notice] = await board.notices(colleague)
    assert await board.notices(board.me) == []
    assert (notice["title"], notice["body"]) == ("Look", "<b>Page</b>")
    assert notice["link_url"] == f"/tasks?pane=boards&board={board.id}&item={item}"
    assert notice["meta"] == {
        "source": "tasks_automation",
        "scope": "board",
        "board_id": str(board.id),
        "item_id": str(item),
        "automation_id": rule["id"],
        "actor_user_id": str(board.me),
        "event": {"type": "status_change", "from_status": "To Do", "to_status": "Done"},
    }
    mail = await world.db.fetchrow(
        "select * from email_logs where metadata ->> 'notification_id' = $1", str(notice["id"])
    )
    assert mail is not None
    assert "&lt;b&gt;Page&lt;/b&gt;" in mail["html_body"]
    assert f"http://localhost:8080/tasks?pane=boards&board={board.id}&item={item}" in mail["text_body"]
    assert [task["function"] for task in world.sent.tasks] == ["emails_send"]


async def test_admins_hear_of_it_whoever_did_it(world: World) -> None:
    """Every superadmin and admin, by their old name too, the actor included; no team member."""
    board = await a_board(world)
    head, editor, member = await people(world, "superadmin", "editor", "team")
    await board.rule(action_type="notify_admins", action_config={"body": "Please look", "link_url": "/tasks"})
    item = await board.item()
    await board.deliver(await board.set_status(item, "Done"))
    counts = [len(await board.notices(user)) for user in (board.me, head, editor, member)]
    assert counts == [1, 1, 1, 0]
    [notice] = await board.notices(head)
    assert (notice["body"], notice["link_url"]) == ("Please look", "/tasks")


async def test_a_rule_mails_no_flood(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many changes in a minute a rule tells nobody, and its log says why; other rules go on."""
    monkeypatch.setattr(automation_runs, "NOTICES", Limit("task_rule_notices", hits=2))
    board = await a_board(world)
    colleague = await world.user("team")
    item = await board.item()
    await board.assign(item, colleague)
    loud = await board.rule(action_type="notify_assignees")
    await board.rule()
    for status in ("Working on it", "Stuck", "Done"):
        assert await board.deliver(await board.set_status(item, status)) == 204
    assert len(await board.notices(colleague)) == 2
    assert len(await board.updates(item)) == 3
    told = sorted((run["status"], run["error"]) for run in await board.runs() if run["automation_id"] == loud["id"])
    assert told == [("skipped", automation_runs.ENOUGH), ("success", None), ("success", None)]


async def test_a_new_assignee_alone_is_told(world: World) -> None:
    """Of two new assignees each is told once; whoever assigned themselves is not."""
    board = await a_board(world)
    first, second, third = await people(world, "team", "team", "team")
    item = await board.item()
    for person in (first, second, third, board.me):
        await board.assign(item, person)
    await board.rule(trigger_type="assignee_added", action_type="notify_assignees")
    fact = await board.tell_assigned(item, first, second, board.me)
    assert [await board.deliver(fact) for _ in range(2)] == [204, 204]
    assert [len(await board.notices(user)) for user in (first, second, third, board.me)] == [1, 1, 0, 0]
    runs = await board.runs()
    assert sorted(run["status"] for run in runs) == ["skipped", "success", "success"]
    assert {run["meta"]["assignee_user_id"] for run in runs} == {str(first), str(second), str(board.me)}


async def test_an_item_that_is_gone_or_archived_starts_nothing(world: World) -> None:
    """Facts about it are taken as read."""
    board = await a_board(world)
    await board.rule()
    archived, deleted = await board.item(), await board.item()
    facts = [await board.set_status(item, "Done") for item in (archived, deleted)]
    await world.db.execute("update task_items set archived_at = now() where id = $1", archived)
    await world.db.execute("delete from task_items where id = $1", deleted)
    assert [await board.deliver(fact) for fact in facts] == [204, 204]
    assert await board.runs() == []


async def test_a_failure_keeps_neither_run_nor_effect(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the database fails half-way, nothing of it stays, and the next delivery does all of it once."""
    from shared.areas.notifications import service as notifications
    from shared.db.database import Unavailable

    board = await a_board(world)
    await board.rule(action_config={"content": "one"})
    await board.rule(action_type="notify_admins")
    item = await board.item()
    fact = await board.set_status(item, "Done")

    async def fail(*_: Any, **__: Any) -> None:
        raise Unavailable("cut")

    with monkeypatch.context() as patch:
        patch.setattr(notifications, "notify", fail)
        assert await board.deliver(fact) == 503
    assert (await board.updates(item), await board.runs()) == ([], [])
    assert await board.deliver(fact) == 204
    assert await board.updates(item) == ["one"]
    assert len(await board.notices(board.me)) == 1


# Due dates


async def run_due(world: World, *, at: str | None = None) -> None:
    assert (await world.run_schedule("tasks_run_due_automations", at=at)).status_code == 204


async def due_rule(board: Board, days: int, **more: Any) -> dict[str, Any]:
    return await board.rule(trigger_type="due_date_relative", trigger_config={"days_from_due": days}, **more)


async def test_a_due_date_rule_runs_once_for_an_item_and_its_date(world: World) -> None:
    """Hour after hour and in two runs at once, each item that is due, live and not done is told of once."""
    board = await a_board(world)
    today = agency_today(world)
    await world.db.execute(
        "insert into task_board_status_labels (board_id, label, is_done_state) values ($1, 'Shipped', true)", board.id
    )
    await due_rule(board, -10, action_config={"content": "ten days"})
    await due_rule(board, 1, action_config={"content": "late"})
    soon, late = (
        await board.item(due_date=today + timedelta(days=10)),
        await board.item(due_date=today - timedelta(days=1)),
    )
    for other in (
        {"due_date": today + timedelta(days=10), "status": " DONE"},
        {"due_date": today + timedelta(days=10), "status": "shipped"},
        {"due_date": today + timedelta(days=10), "archived_at": datetime.now(UTC)},
        {"due_date": today + timedelta(days=9)},
        {},
    ):
        await board.item("Not meant", **other)

    await asyncio.gather(run_due(world), run_due(world))
    await run_due(world)

    assert (await board.updates(soon), await board.updates(late)) == (["ten days"], ["late"])
    runs = await board.runs()
    assert {run["item_id"] for run in runs} == {str(soon), str(late)}
    due = (today + timedelta(days=10)).isoformat()
    run = next(run for run in runs if run["item_id"] == str(soon))
    assert run["meta"] == {"days_from_due": -10, "due_date": due}
    assert run["trigger_fingerprint"] == f"due_date_relative:-10:{due}"


async def test_more_items_than_one_commit_takes_are_all_told_of(world: World) -> None:
    """A hundred and twenty items due on one day have a hundred and twenty runs."""
    board = await a_board(world)
    today = agency_today(world)
    await world.db.execute(
        "insert into task_items (group_id, name, due_date) select $1, 'Item ' || n, $2 from generate_series(1, 120) n",
        board.group_id, today,
    )  # fmt: skip
    await due_rule(board, 0)
    await run_due(world)
    count = (
        "select count(*), count(distinct item_id) from task_automation_runs where board_id = $1 and status = 'success'"
    )
    row = await world.db.fetchrow(count, board.id)
    assert row is not None
    assert tuple(row) == (120, 120)


async def test_a_moved_due_date_is_another_one(world: World) -> None:
    """A rule runs again for an item whose due date was moved away and lies there again only if the date is new."""
    board = await a_board(world)
    today = agency_today(world)
    rule = await due_rule(board, 0)
    item = await board.item(due_date=today)
    await run_due(world)
    for moved in (today + timedelta(days=3), today):
        await world.db.execute("update task_items set due_date = $2 where id = $1", item, moved)
        await run_due(world)
    assert len(await board.updates(item)) == 1
    path = f"/automations/{rule['id']}"
    await board.call("PATCH", path, json={"trigger_config": {"days_from_due": -3}})
    await world.db.execute("update task_items set due_date = $2 where id = $1", item, today + timedelta(days=3))
    await run_due(world)
    assert len(await board.updates(item)) == 2


async def test_a_broken_due_date_rule_says_so_once_a_day(world: World) -> None:
    """The others run all the same."""
    board = await a_board(world)
    await world.db.execute(
        """insert into task_board_automations (board_id, name, trigger_type, action_type, action_config, created_at)
           values ($1, 'Old', 'due_date_relative', 'add_update', '{"content": "x"}', now() - interval '1 day')""",
        board.id,
    )
    await due_rule(board, 0)
    item = await board.item(due_date=agency_today(world))
    for _ in range(2):
        await run_due(world)
    runs = await board.runs()
    assert sorted((run["status"], run["error"]) for run in runs) == [
        ("error", "trigger_config.days_from_due: is required"),
        ("success", None),
    ]
    assert len(await board.updates(item)) == 1
