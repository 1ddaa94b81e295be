"""Tasks here and items at Monday, both changed by people, both ending with the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from emulators.faults import Fault
from tests.functions.conftest import World
from tests.functions.monday import Client, connected
from tests.functions.test_monday_requests import answers_lost


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    yield await connected(world)


async def linked(client: Client, **columns: Any) -> tuple[Any, Any]:
    """A task and its item, equal and settled."""
    task_id = await client.task("Hang sign", **columns)
    await client.work()
    (item,) = client.items
    return task_id, item


async def test_a_task_made_here_becomes_an_item(client: Client) -> None:
    """Name, status, due date and whose it is; the task knows its item."""
    task_id, item = await linked(client, status="Working on it", due=date(2026, 4, 1))

    shown = client.shown(item)
    assert (shown["name"], shown["status"], shown["date4"]) == ("Hang sign", "Working on it", "2026-04-01")
    assert shown["client"].startswith("C-")
    row = await client.task_row(task_id)
    assert (row["monday_item_id"], row["monday_board_id"]) == (item.id, client.board)


async def test_an_event_delivered_twice_makes_one_item(client: Client) -> None:
    """However often work is sent, and although the first answer was lost."""
    task_id = await client.task("Hang sign")
    await client.tell(task_id, "created")
    with answers_lost(client.world, "create_item"):
        await client.work(rounds=1)
    await client.end_pause()
    await client.work()

    assert len(client.items) == 1
    assert (await client.task_row(task_id))["monday_item_id"] == client.items[0].id


async def test_changes_here_reach_monday(client: Client) -> None:
    """Name, status, due date, also an emptied one."""
    task_id, item = await linked(client, due=date(2026, 4, 1))

    await client.change(task_id, name="Hang the sign", status="Done", due_date=None)
    await client.work()

    shown = client.shown(item)
    assert (shown["name"], shown["status"], shown.get("date4")) == ("Hang the sign", "Done", None)


async def test_changes_at_monday_reach_us(client: Client) -> None:
    """The poll brings them, with Monday's hand in the trail, and listeners hear whose hand it was."""
    task_id, item = await linked(client)

    client.world.monday.change_as_person(
        item.id, {"name": "Hang it", "column_values": {"status": {"label": "Done"}, "date4": {"date": "2026-05-02"}}}
    )
    await client.poll()

    row = await client.task_row(task_id)
    assert (row["name"], row["status"], row["due_date"]) == ("Hang it", "Done", date(2026, 5, 2))
    facts = await client.world.outbox("task-item-changed", item_id=str(task_id))
    assert [fact["payload"]["origin"] for fact in facts] == ["monday"]
    assert {change["what"] for change in facts[0]["payload"]["changes"]} == {"name", "status", "due_date"}


async def test_nothing_echoes(client: Client) -> None:
    """Once both have the same, neither events of Monday's hand nor polls write anything, on either side."""
    task_id, item = await linked(client)
    client.world.monday.change_as_person(item.id, {"column_values": {"status": {"label": "Done"}}})
    await client.poll()
    here, there = await client.task_row(task_id), item.updated_at

    await client.tell(task_id, "status", origin="monday")
    assert client.waiting() == 0
    for _ in range(3):
        await client.poll()
    await client.tell(task_id, "status")
    await client.work()

    assert (await client.task_row(task_id))["updated_at"] == here["updated_at"]
    assert item.updated_at == there
    assert len(client.items) == len(await client.tasks()) == 1


async def test_different_fields_changed_on_both_sides_are_both_kept(client: Client) -> None:
    """Who alone changed a field wins that field."""
    task_id, item = await linked(client)

    client.world.monday.change_as_person(item.id, {"column_values": {"date4": {"date": "2026-05-02"}}})
    await client.change(task_id, status="Stuck")
    await client.work()

    row = await client.task_row(task_id)
    assert (row["status"], row["due_date"]) == ("Stuck", date(2026, 5, 2))
    assert (client.shown(item)["status"], client.shown(item)["date4"]) == ("Stuck", "2026-05-02")


async def test_one_field_changed_on_both_sides_is_ours(client: Client) -> None:
    """Whoever changed it here saw it saved, and Monday had not got it yet."""
    task_id, item = await linked(client)

    client.world.monday.change_as_person(item.id, {"name": "Theirs"})
    await client.change(task_id, name="Ours")
    await client.poll()

    assert (await client.task_row(task_id))["name"] == "Ours"
    assert item.name == "Ours"


async def test_a_change_whose_event_was_lost_is_seen_by_the_poll(client: Client) -> None:
    """Events only say where to look."""
    task_id, item = await linked(client)
    await client.world.db.execute("update task_items set status = 'Done' where id = $1", task_id)

    await client.poll()

    assert client.shown(item)["status"] == "Done"


async def test_an_item_made_at_monday_becomes_a_task_once(client: Client) -> None:
    """On the client's first group; polls after it change nothing, and its status stays as Monday has it."""
    item = client.add_item("From Monday", date4={"date": "2026-05-02"})

    await client.poll()
    await client.poll()

    (task,) = await client.tasks()
    assert (task["name"], task["status"], task["due_date"]) == ("From Monday", "To Do", date(2026, 5, 2))
    assert task["monday_item_id"] == item.id
    assert "status" not in client.shown(item)


async def test_an_item_of_ours_on_its_way_is_not_taken_for_a_new_one(client: Client) -> None:
    """A poll between the creation and its lost answer adopts nothing."""
    await client.task("Hang sign")
    with answers_lost(client.world, "create_item"):
        await client.work(rounds=1)
    assert len(client.items) == 1
    await client.end_pause()

    await client.world.deliver_event("monday_sync", {"client_id": str(client.id)})
    await client.work()

    assert len(await client.tasks()) == len(client.items) == 1


async def test_archiving_goes_both_ways(client: Client) -> None:
    """Archived here is archived there; archived or deleted there is archived here."""
    task_id, item = await linked(client)
    await client.change(task_id, archived_at=await client.world.db.fetchval("select now()"))
    await client.work()
    assert item.state == "archived"

    for state in ("archived", "deleted"):
        other = await client.task(f"Other {state}")
        await client.work()
        (there,) = client.items
        client.world.monday.change_as_person(there.id, {"state": state})
        await client.poll()
        assert (await client.task_row(other))["archived_at"] is not None
        await client.poll()
    assert len(await client.tasks()) == 3


async def test_a_board_that_is_seen_no_more_archives_nothing(client: Client) -> None:
    """Its items are not deleted: our token may not see them for a while."""
    task_id, item = await linked(client)
    boards, items = client.world.monday.boards, client.world.monday.items
    board = boards.pop(client.board)
    del items[item.id]
    await client.poll()
    await client.tell(task_id, "status")
    await client.work()
    assert (await client.task_row(task_id))["archived_at"] is None

    boards[client.board], items[item.id] = board, item
    await client.change(task_id, status="Done")
    await client.work()
    assert client.shown(item)["status"] == "Done"


async def test_a_task_restored_here_gets_a_new_item(client: Client) -> None:
    """Monday cannot bring an archived item back over its API."""
    task_id, item = await linked(client)
    await client.change(task_id, archived_at=await client.world.db.fetchval("select now()"))
    await client.work()

    await client.change(task_id, archived_at=None)
    await client.work()

    (new,) = client.items
    assert new.id != item.id
    assert (await client.task_row(task_id))["monday_item_id"] == new.id


async def test_a_deleted_task_does_not_come_back(client: Client) -> None:
    """Its item stays at Monday, and no poll makes a task of it."""
    task_id, _ = await linked(client)
    await client.world.db.execute("delete from task_items where id = $1", task_id)

    await client.poll()

    assert await client.tasks() == []


async def test_an_item_moved_out_of_its_group_stays_linked(world: World) -> None:
    """It is still read, by its id."""
    client = await connected(world, groups=("new", "other", "done"))
    task_id, item = await linked(client)

    world.monday.change_as_person(item.id, {"group_id": "other", "name": "Moved"})
    await client.poll()

    row = await client.task_row(task_id)
    assert (row["name"], row["archived_at"]) == ("Moved", None)


async def test_an_outage_loses_nothing(client: Client) -> None:
    """What changes meanwhile is brought over when Monday is back."""
    task_id, item = await linked(client)
    client.world.faults.put("monday", Fault(status=503))
    await client.change(task_id, status="Done")
    await client.work(rounds=3)
    assert client.waiting() == 1
    client.world.faults.clear("monday")
    await client.end_pause()

    await client.work()

    assert client.shown(item)["status"] == "Done"


async def test_monday_is_left_alone_while_it_asks_for_a_pause(client: Client) -> None:
    """After a 429 nobody calls before its Retry-After is over."""
    task_id, _ = await linked(client)
    await client.change(task_id, status="Done")
    client.world.faults.put("monday", Fault(status=429, times=1))
    await client.work(rounds=1)
    client.world.faults.put("monday", Fault(status=500, times=1))

    await client.work(rounds=1)

    assert client.world.faults.as_json()["monday"]["times"] == 1  # nobody called
    client.world.faults.clear("monday")
    await client.end_pause()
    await client.work()


async def test_what_monday_refuses_is_parked_and_not_tried_with_every_poll(client: Client) -> None:
    """The reason is kept with the link; a change of the task, or another day, tries again."""
    await client.world.db.execute(
        """update app_settings set value = value || '{"monday_due_date_column_id": "client"}' where key = 'monday'"""
    )
    task_id, item = await linked(client)
    client.world.monday.boards[client.board].column("status")["type"] = "numbers"
    await client.change(task_id, status="Done")
    await client.work()
    await client.poll()

    assert client.waiting() == 0
    reason = await client.world.db.fetchval("select trouble from monday_links where task_item_id = $1", task_id)
    assert "ColumnValueException" in reason
    client.world.monday.boards[client.board].column("status")["type"] = "status"
    await client.change(task_id, status="Stuck")
    await client.work()
    assert client.shown(item)["status"] == "Stuck"


async def test_a_refused_task_goes_where_the_profile_says_by_then(client: Client) -> None:
    """And an item of its name that a person made meanwhile is not taken for it."""
    world = client.world
    await world.db.execute("update client_profiles set monday_group_id = 'gone' where user_id = $1", client.id)
    task_id = await client.task("Hang sign")
    await client.work()
    theirs = client.add_item("Hang sign")
    await world.db.execute("update client_profiles set monday_group_id = 'new' where user_id = $1", client.id)

    await client.poll()
    await client.change(task_id, status="Done")
    await client.work()

    ours = (await client.task_row(task_id))["monday_item_id"]
    assert sorted([ours, theirs.id]) == sorted(item.id for item in client.items)
    assert len(await client.tasks()) == 2


async def test_an_item_moved_to_another_board_is_still_changed(client: Client) -> None:
    """It is written to where it is."""
    task_id, item = await linked(client)
    other = await connected(client.world)
    item.board_id, item.group_id = other.board, "new"

    await client.change(task_id, status="Done")
    await client.work()

    assert client.world.monday.item_as_json(item)["column_values"]["status"] == "Done"


async def test_one_settled_change_costs_two_calls(client: Client) -> None:
    """The item is read and written; its comments are not asked for where there is nothing new among them."""
    task_id, _ = await linked(client)
    await client.change(task_id, status="Done")

    with client.asked() as asked:
        await client.work()

    assert len(asked) == 2


async def test_comments_go_both_ways_once(client: Client) -> None:
    """Ours arrive with their author, theirs as the user of that address or under their author's name."""
    world = client.world
    task_id, item = await linked(client)
    author = await world.user("team")
    await world.db.execute(
        "insert into task_updates (item_id, user_id, content) values ($1, $2, 'Is <b>up</b>')", task_id, author
    )
    world.monday.change_as_person(item.id, {"update": "Thanks & bye"})
    await world.db.execute(
        "insert into monday_people (id, name, email) values ('1002', 'Morgan Lee', '') on conflict do nothing"
    )

    for _ in range(3):
        await client.poll()

    assert sorted(update["text_body"] for update in item.updates) == ["Pat Example: Is <b>up</b>", "Thanks & bye"]
    rows = await world.db.fetch("select content from task_updates where item_id = $1", task_id)
    assert sorted(row["content"] for row in rows) == ["Is <b>up</b>", "Morgan Lee: Thanks & bye"]


async def test_a_comment_whose_answer_was_lost_is_not_repeated(client: Client) -> None:
    """The next try finds it."""
    task_id, item = await linked(client)
    await client.world.db.execute("insert into task_updates (item_id, content) values ($1, 'Up')", task_id)
    await client.tell(task_id, "status")
    with answers_lost(client.world, "create_update"):
        await client.work(rounds=1)
    await client.end_pause()
    await client.poll()

    assert [update["text_body"] for update in item.updates] == ["Anchor: Up"]
    assert await client.world.db.fetchval("select count(*) from task_updates where item_id = $1", task_id) == 1


async def test_the_schedule_asks_for_every_synced_client(client: Client) -> None:
    """One message for each; waiting requests get another chance."""
    request_id = await client.world.db.fetchval(
        "insert into requests (user_id, title) values ($1, 'Old') returning id", client.id
    )
    await client.world.db.execute(
        """insert into monday_links (client_id, request_id, board_id, group_id, name, created_at)
           values ($1, $2, $3, 'new', 'Old', now() - interval '3 hours')""",
        client.id, request_id, client.board,
    )  # fmt: skip

    await client.world.run_schedule("monday_poll", at=uuid4().hex)
    await client.world.run_schedule("monday_poll", at=uuid4().hex)

    assert len(await client.world.outbox("monday-sync-due", client_id=str(client.id))) == 2
    assert len(await client.world.outbox("monday_finish_request", request_id=str(request_id))) == 1


async def test_tasks_of_boards_that_are_no_clients_stay_here(client: Client) -> None:
    """Only the task board of a client with a board at Monday is synced."""
    await client.world.db.execute("update client_profiles set task_board_id = null where user_id = $1", client.id)

    await client.task("Internal")

    assert client.waiting() == 0
