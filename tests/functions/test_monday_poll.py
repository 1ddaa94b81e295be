"""Which boards are read when: few calls, and nothing that people do at Monday is missed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from emulators.faults import Fault
from tests.functions.conftest import World
from tests.functions.monday import Client, connected


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    """One whose items were read some time ago; since then nothing happened."""
    found = await connected(world)
    await rested(found)
    yield found


async def rested(client: Client) -> None:
    assert await client.schedule()  # never read before
    await client.pass_time(minutes=10)
    assert not await client.schedule()


async def linked(client: Client) -> tuple[Any, Any]:
    """A task and its item, equal, settled, and read since."""
    task_id = await client.task("Hang sign")
    await client.work()
    await client.pass_time(minutes=10)
    assert await client.schedule()  # our own hand is an activity too
    await client.pass_time(minutes=10)
    assert not await client.schedule()
    (item,) = client.items
    return task_id, item


async def test_one_question_covers_all_boards(client: Client, world: World) -> None:
    """Only the board on which something was done is read."""
    quiet = await connected(world)
    await rested(quiet)
    client.add_item("From Monday")

    with client.asked() as asked, quiet.asked() as other:
        assert await client.schedule()

    assert [("activity_logs" in query, "items_page" in query) for query in asked] == [(True, False), (False, True)]
    assert other == asked[:1]  # the very same question
    assert [task["name"] for task in await client.tasks()] == ["From Monday"]


async def test_a_quiet_hour_costs_thirteen_calls(client: Client) -> None:
    """One question each five minutes, the same for all boards, and one look."""
    await linked(client)
    looks = 0
    with client.asked() as asked:
        for _ in range(12):
            await client.pass_time(minutes=5)
            looks += await client.schedule()

    questions = [query for query in asked if "activity_logs" in query]
    assert (looks, len(questions), len(asked) - len(questions)) == (1, 11, 1)  # a board that is read is not asked for


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Hang the sign"},
        {"column_values": {"status": {"label": "Done"}}},
        {"column_values": {"date4": {"date": "2026-05-02"}}},
        {"state": "archived"},
        {"state": "deleted"},
        {"group_id": "done"},
        {"update": "Please hurry"},
    ],
)
async def test_whatever_people_do_is_noticed(client: Client, change: dict[str, Any]) -> None:
    """By the next poll; once it was read there is peace again."""
    task_id, item = await linked(client)
    before = await client.task_row(task_id)

    client.world.monday.change_as_person(item.id, change)
    await client.pass_time(minutes=4)
    noticed = await client.schedule()
    await client.pass_time(minutes=10)

    assert noticed
    assert not await client.schedule()
    row = await client.task_row(task_id)
    comments = await client.world.db.fetchval("select count(*) from task_updates where item_id = $1", task_id)
    assert (dict(row) != dict(before)) == ("group_id" not in change and "update" not in change)
    assert comments == ("update" in change)


async def test_a_look_that_fails_is_taken_again(client: Client) -> None:
    """Whether Monday failed, or the message was lost with its machine."""
    client.add_item("From Monday")
    assert await client.schedule(failing=True)  # the message is lost
    await client.pass_time(minutes=5)
    assert await client.schedule(failing=True)
    client.world.faults.put("monday", Fault(status=503))
    await client.poll()  # read, and Monday fails
    client.world.faults.clear("monday")
    await client.end_pause()
    await client.pass_time(minutes=5)
    assert await client.tasks() == []

    assert await client.schedule()

    assert [task["name"] for task in await client.tasks()] == ["From Monday"]


async def test_a_question_that_fails_is_asked_again(client: Client) -> None:
    """What changed before it is not forgotten."""
    client.add_item("From Monday")
    client.world.faults.put("monday", Fault(status=503))
    assert not await client.schedule()
    client.world.faults.clear("monday")
    await client.end_pause()
    await client.pass_time(minutes=5)

    assert await client.schedule()


async def test_a_look_is_due_every_hour_whatever_the_log_says(client: Client) -> None:
    """Also while the question fails: what Monday's log leaves out is found."""
    task_id, item = await linked(client)
    client.world.monday.change_as_person(item.id, {"name": "Hang the sign"})
    client.world.monday.activity.clear()
    assert not await client.schedule()

    await client.pass_time(minutes=51)

    assert await client.schedule()
    assert (await client.task_row(task_id))["name"] == "Hang the sign"


async def test_a_change_while_a_look_ran_is_looked_at_again(client: Client) -> None:
    """Monday's clock may be behind ours, and its lists behind its log."""
    client.add_item("Just now")
    await client.poll()

    await client.pass_time(minutes=1)

    assert await client.schedule()


async def test_what_waits_here_is_brought_over_without_reading_the_board(client: Client) -> None:
    """A comment, and a change whose event was lost."""
    task_id, item = await linked(client)
    await client.world.db.execute("insert into task_updates (item_id, content) values ($1, 'Up')", task_id)
    await client.world.db.execute("update task_items set status = 'Done', updated_at = now() where id = $1", task_id)

    with client.asked() as asked:
        assert not await client.schedule()

    assert [update["text_body"] for update in item.updates] == ["Anchor: Up"]
    assert client.shown(item)["status"] == "Done"
    assert not any("items_page" in query for query in asked)


async def test_what_is_the_same_does_not_wait(client: Client) -> None:
    """White space, long names and an absent status that Monday cannot hold are no difference."""
    task_id, _ = await linked(client)
    name = "\u2003\tHang " + "x" * 300
    await client.change(task_id, name=name, status=" ")
    await client.work()
    await client.pass_time(minutes=30)

    await client.world.run_schedule("monday_poll", at=uuid4().hex)

    assert client.waiting() == 0
    assert (await client.task_row(task_id))["name"] == name


async def test_a_refused_board_is_left_alone_for_an_hour(client: Client) -> None:
    """It was deleted, or our token may not see it; looking every five minutes would use up the day's calls."""
    board = client.world.monday.boards.pop(client.board)
    await client.poll()
    await client.pass_time(minutes=55)
    assert not await client.schedule()
    await client.pass_time(minutes=6)

    client.world.monday.boards[client.board] = board

    assert await client.schedule()
    await client.pass_time(minutes=10)
    assert not await client.schedule()


async def test_another_board_or_group_is_read_at_once(client: Client) -> None:
    """What was read elsewhere says nothing about it."""
    await client.world.db.execute(
        "update client_profiles set monday_active_group_id = 'done' where user_id = $1", client.id
    )

    assert await client.schedule()


async def test_a_board_that_is_no_number_stops_nobody(client: Client, world: World) -> None:
    """Somebody typed it; the question for the others goes on without it."""
    other = await connected(world)
    await rested(other)
    await world.db.execute("update client_profiles set monday_board_id = 'x\"}' where user_id = $1", other.id)
    await world.db.execute("delete from monday_looks where client_id = $1", other.id)
    await other.poll()
    client.add_item("From Monday")

    assert await client.schedule()
