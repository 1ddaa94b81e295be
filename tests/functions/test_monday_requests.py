"""Monday's settings and lists, and clients' requests, as their functions are called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.responses import Response

from emulators.faults import Fault
from emulators.vendors.vendor import Refused
from tests.functions.conftest import World
from tests.functions.monday import Client, connected

REQUESTS = "/api/hub/requests"
WISH = {"title": "New banner", "description": "With <b>roofs</b>", "due_date": "2026-03-09", "rush": False}


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    yield await connected(world)


@contextmanager
def answers_lost(world: World, containing: str, times: int = 1) -> Iterator[list[str]]:
    """Monday does what is asked, and its answer is lost."""
    whole, lost = world.monday._answer, []

    async def answer(query: object, variables: object, operation: str | None) -> Response:
        done = await whole(query, variables, operation)
        if containing in str(query) and len(lost) < times:
            lost.append(str(query))
            raise Refused(503, "lost")
        return done

    world.monday._answer = answer  # type: ignore[method-assign]
    try:
        yield lost
    finally:
        del world.monday._answer  # type: ignore[attr-defined]


async def test_a_request_becomes_an_item(client: Client) -> None:
    """The answer has the stored request and its item; name, client, status and due date are at Monday."""
    answer = await client.call("POST", REQUESTS, json=WISH)

    told = answer.json()
    (item,) = client.items
    identifier = await client.world.db.fetchval(
        "select client_identifier_value from client_profiles where user_id = $1", client.id
    )
    assert answer.status_code == 200
    assert told["monday_item"] == {"id": item.id, "name": "New banner"}
    assert {key: told["request"][key] for key in ("status", "due_date", "rush", "monday_item_id", "user_id")} == {
        "status": "submitted", "due_date": "2026-03-09", "rush": False, "monday_item_id": item.id,
        "user_id": str(client.id),
    }  # fmt: skip
    assert client.shown(item) == {
        "name": "New banner", "client": identifier, "status": "Assigned", "date4": "2026-03-09",
    }  # fmt: skip
    assert item.group_id == "new"


async def test_what_follows_an_item_is_done_once(client: Client) -> None:
    """Comment and attachment are brought to the item by its task; run again, nothing is repeated."""
    files = {"attachment": ("plan.txt", b"the plan", "text/plain")}
    form = {**WISH, "rush": "true", "person_override": "1002"}
    answer = await client.call("POST", REQUESTS, data=form, files=files)
    assert answer.status_code == 200, answer.text
    assert answer.json()["request"]["rush"] is True

    await client.work()
    request_id = answer.json()["request"]["id"]
    again = await client.world.deliver_task("monday_finish_request", {"request_id": request_id})

    (item,) = client.items
    assert again.status_code == 204
    assert [update["text_body"] for update in item.updates] == [
        "With <b>roofs</b>Due date: 2026-03-09This is a rush job."
    ]
    assert "&lt;b&gt;" in item.updates[0]["body"]
    assert [file["name"] for file in item.values["files"]["files"]] == ["plan.txt"]
    assert client.shown(item)["status"] == "Rush Job"
    assert client.shown(item)["person"] == "Morgan Lee"


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=429), Fault(status=401), Fault(drop=True)])
async def test_a_request_outlives_monday(client: Client, fault: Fault) -> None:
    """It is stored and answered as pending, whatever Monday does; its task makes the item later."""
    fault.times = 1
    client.world.faults.put("monday", fault)
    world = client.world
    answer = await client.call("POST", REQUESTS, json=WISH)

    assert (answer.status_code, answer.json()["monday_item"]) == (200, None)
    assert answer.json()["request"]["status"] == "pending"
    assert client.items == []
    world.faults.clear("monday")
    await client.end_pause()
    await client.work()
    assert len(client.items) == 1
    assert (await client.call("GET", REQUESTS)).json()["requests"][0]["status"] == "submitted"


async def test_an_item_whose_answer_was_lost_is_found_again(client: Client) -> None:
    """Monday made it and nobody heard: it is looked for before another is made, and not confused with a namesake."""
    namesake = client.add_item("New banner")
    with answers_lost(client.world, "create_item"):
        answer = await client.call("POST", REQUESTS, json=WISH)
    assert answer.json()["monday_item"] is None
    await client.end_pause()

    await client.work()

    linked = await client.world.db.fetchval("select monday_item_id from requests where user_id = $1", client.id)
    assert linked in {item.id for item in client.items} - {namesake.id}
    assert len(client.items) == 2  # the namesake, and ours


async def test_two_requests_of_one_name_are_two_items(client: Client) -> None:
    """Both answers lost: each finds an item of its own."""
    with answers_lost(client.world, "create_item", times=2):
        await client.call("POST", REQUESTS, json=WISH)
        await client.end_pause()
        await client.call("POST", REQUESTS, json=WISH)
    await client.end_pause()
    await client.work()

    rows = await client.world.db.fetch("select monday_item_id from requests where user_id = $1", client.id)
    assert sorted(row["monday_item_id"] for row in rows) == sorted(item.id for item in client.items)
    assert len(rows) == 2


async def test_the_submitter_and_the_task_make_one_item(client: Client) -> None:
    """The task arrives while whoever submitted still waits for Monday: it waits for its turn."""
    client.world.faults.put("monday", Fault(latency_ms=300, times=1))
    submitting = asyncio.create_task(client.call("POST", REQUESTS, json=WISH))
    for _ in range(100):
        if client.waiting():
            break
        await asyncio.sleep(0.01)
    await client.work(rounds=1)
    await submitting
    await client.work()

    assert len(client.items) == 1


async def test_a_slow_answer_is_waited_out(client: Client) -> None:
    """Whoever submits is answered in time; nobody makes the item while the slow request may still arrive."""
    world = client.world
    settings = world.services.settings
    world.services.settings = replace(settings, monday_submit_timeout_s=0.1)
    world.faults.put("monday", Fault(latency_ms=400, times=1))
    answer = await client.call("POST", REQUESTS, json=WISH)
    world.services.settings = settings
    await client.work(rounds=1)
    assert (answer.status_code, answer.json()["monday_item"], client.items) == (200, None, [])

    await asyncio.sleep(0.5)
    await client.end_pause()
    await client.work()

    assert len(client.items) == 1


async def test_an_item_is_made_without_a_column_that_monday_refuses(client: Client) -> None:
    """The rest is set column by column, and what was refused is kept with the request."""
    await client.world.db.execute(
        """update app_settings set value = value || '{"monday_due_date_column_id": "gone"}' where key = 'monday'"""
    )
    answer = await client.call("POST", REQUESTS, json=WISH)
    await client.work()

    (item,) = client.items
    assert answer.json()["request"]["status"] == "submitted"
    assert client.shown(item)["status"] == "Assigned"
    assert "date4" not in client.shown(item)
    assert "InvalidColumnIdException" in await client.world.db.fetchval(
        "select trouble from requests where user_id = $1", client.id
    )


async def test_a_comment_whose_answer_was_lost_is_not_repeated(client: Client) -> None:
    """The next try finds the comment it made."""
    await client.call("POST", REQUESTS, json=WISH)
    with answers_lost(client.world, "create_update"):
        await client.work(rounds=1)
    await client.end_pause()
    await client.work()

    assert len(client.items[0].updates) == 1


async def test_a_rush_job_is_told_once_to_the_account_manager(client: Client) -> None:
    """By a notice and its own mail with a link to the item; without Monday, to the oldest admin."""
    world = client.world
    manager = await world.user("team", email=f"{uuid4().hex}@anchor.test")
    email = await world.db.fetchval("select email from users where id = $1", manager)
    person = world.monday.add_user(uuid4().int % 10**9, "Manager", email.upper())
    await world.db.execute(
        "update client_profiles set account_manager_person_id = $2 where user_id = $1", client.id, person["id"]
    )
    admin = await world.sign_in(await world.user("admin"))
    assert (await world.call("GET", "/api/hub/monday/people", headers=admin)).json()["people"]

    answer = await client.call("POST", REQUESTS, json={**WISH, "rush": True})
    await client.work()
    await world.deliver_task("monday_finish_request", {"request_id": answer.json()["request"]["id"]})

    notices = await world.db.fetch("select * from notifications where user_id = $1", manager)
    mails = await world.db.fetch("select * from email_logs where client_id = $1", client.id)
    assert [row["title"] for row in notices] == ["Rush job: New banner"]
    assert [(row["email_type"], row["recipient_email"]) for row in mails] == [("rush_job_notification", email)]
    assert f"/boards/{client.board}/pulses/{client.items[0].id}" in mails[0]["text_body"]


async def test_a_client_without_a_board_may_ask_too(world: World) -> None:
    """The request stays with us, pending, and is shown as a task; a rush job is told."""
    await world.user("admin")
    client_id = await world.client()
    headers = await world.sign_in(client_id)
    answer = await world.call("POST", REQUESTS, headers=headers, json={"title": "Help", "rush": "true"})
    work = next(one for one in world.sent.tasks if one["function"] == "monday_finish_request")
    await world.deliver_task("monday_finish_request", work["payload"])

    listed = (await world.call("GET", REQUESTS, headers=headers)).json()
    assert answer.json()["request"]["status"] == "pending"
    assert [task["name"] for task in listed["tasks"]] == ["Help"]
    assert listed["group_meta"] == {"active_group_id": None, "completed_group_id": None}
    assert await world.db.fetchval("select count(*) from email_logs where client_id = $1", client_id) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"due_date": "tomorrow"}, "due_date"),
        ({"title": "x" * 256}, "title"),
        ({"person_override": "; drop"}, "person_override"),
        ({"rush": "perhaps"}, "rush"),
    ],
)
async def test_a_request_that_cannot_be_read_names_the_field(client: Client, body: dict[str, Any], field: str) -> None:
    """400, and nothing is stored."""
    answer = await client.call("POST", REQUESTS, json={**WISH, **body})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert await client.world.db.fetchval("select count(*) from requests where user_id = $1", client.id) == 0


async def test_an_attachment_is_kept_for_its_client_alone(client: Client) -> None:
    """It does not vanish when Monday is not there, and others cannot read it; a program is refused."""
    files = {"attachment": ("plan.pdf", b"%PDF-1.4 plan", "application/pdf")}
    told = (await client.call("POST", REQUESTS, data={"title": "a"}, files=files)).json()["request"]
    stranger = await client.world.sign_in(await client.world.client())
    refused = await client.call("POST", REQUESTS, data={"title": "a"}, files={"attachment": ("a.exe", b"MZ")})

    assert (await client.call("GET", told["attachment_url"])).content == b"%PDF-1.4 plan"
    assert (await client.world.call("GET", told["attachment_url"], headers=stranger)).status_code == 404
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "attachment")


async def test_tasks_are_listed_as_monday_has_them(client: Client) -> None:
    """Active and completed groups, read to the end of their pages; files with an address that works."""
    for number in range(130):
        client.add_item(f"Item {number}")
    client.add_item("Finished", "done", status={"label": "Done"})
    files = {"attachment": ("plan.txt", b"the plan", "text/plain")}
    await client.call("POST", REQUESTS, data=WISH | {"rush": "false"}, files=files)
    await client.work()

    listed = (await client.call("GET", REQUESTS)).json()

    by_name = {task["name"]: task for task in listed["tasks"]}
    assert len(listed["tasks"]) == 132
    assert by_name["Finished"]["group_id"] == "done"
    assert {key: by_name["New banner"][key] for key in ("group", "group_id", "status", "due_date")} == {
        "group": "New", "group_id": "new", "status": "Assigned", "due_date": "2026-03-09",
    }  # fmt: skip
    (file,) = by_name["New banner"]["files"]
    assert set(file) == {"asset_id", "name", "public_url"}
    assert file["name"] == "plan.txt"
    assert listed["group_meta"] == {"active_group_id": "new", "completed_group_id": "done"}


async def test_without_monday_the_list_shows_what_we_have(client: Client) -> None:
    """200 with the client's requests in the place of tasks, and a warning."""
    await client.call("POST", REQUESTS, json=WISH)
    client.world.faults.put("monday", Fault(status=503, times=1))

    listed = await client.call("GET", REQUESTS)

    assert listed.status_code == 200
    assert [task["name"] for task in listed.json()["tasks"]] == ["New banner"]
    assert listed.json()["warning"]


async def test_one_client_cannot_use_up_everybodys_calls(client: Client) -> None:
    """After sixty readings in an hour a list shows what we have, with a warning, and Monday is not asked."""
    await client.world.db.execute(
        "insert into request_counters (kind, subject, window_start, hits) values ('monday_lists', $1, now(), 60)",
        str(client.id),
    )
    await client.call("POST", REQUESTS, json=WISH)

    with client.asked() as asked:
        listed = await client.call("GET", REQUESTS)

    assert (listed.status_code, asked) == (200, [])
    assert [task["name"] for task in listed.json()["tasks"]] == ["New banner"]
    assert listed.json()["warning"]


async def test_a_refused_request_goes_where_the_profile_says_by_then(client: Client) -> None:
    """Its group was gone; an admin chose another, and the next day's try finds it."""
    world = client.world
    await world.db.execute("update client_profiles set monday_group_id = 'gone' where user_id = $1", client.id)
    answer = await client.call("POST", REQUESTS, json=WISH)
    await client.work()
    request_id = answer.json()["request"]["id"]
    assert client.items == []
    assert "InvalidGroupId" in await world.db.fetchval("select trouble from requests where id = $1", UUID(request_id))
    await world.db.execute("update client_profiles set monday_group_id = 'new' where user_id = $1", client.id)

    await client.pass_time(hours=3)
    await client.schedule()
    assert client.items == []
    await client.pass_time(hours=22)
    await client.schedule()

    (item,) = client.items
    assert item.group_id == "new"
    listed = (await client.call("GET", REQUESTS)).json()["requests"]
    assert [(one["status"], one["monday_item_id"]) for one in listed] == [("submitted", item.id)]
    assert await world.db.fetchval("select trouble from requests where id = $1", UUID(request_id)) is None


async def test_clients_who_share_a_group_see_their_own_items(world: World) -> None:
    """Only a column tells whose an item is; one that names nobody is shown to nobody."""
    one = await connected(world)
    other = await connected(world, board=one.board)
    await one.call("POST", REQUESTS, json={"title": "Mine"})
    await other.call("POST", REQUESTS, json={"title": "Theirs"})
    one.add_item("Nobody's")

    listed = (await one.call("GET", REQUESTS)).json()

    assert [task["name"] for task in listed["tasks"]] == ["Mine"]


async def test_an_admin_chooses_from_boards_groups_columns_and_people(client: Client) -> None:
    """The shapes that the dashboard reads; a board that is not there is said to be none."""
    world = client.world
    headers = await world.sign_in(await world.user("admin"))
    path = f"/api/hub/monday/boards/{client.board}"

    async def read(path: str) -> Any:
        answer = await world.call("GET", path, headers=headers)
        return answer.status_code, answer.json()

    found = (await read(f"/api/hub/monday/boards?search=board%20{client.board}"))[1]
    assert found == {"success": True, "boards": [{"id": client.board, "name": f"Board {client.board}"}]}
    assert (await read(f"{path}/groups"))[1]["groups"] == [
        {"id": "new", "title": "New"},
        {"id": "done", "title": "Done"},
    ]
    columns = (await read(f"{path}/columns"))[1]["columns"]
    assert {"id": "date4", "title": "Due", "type": "date"} in columns
    people = (await read("/api/hub/monday/people"))[1]
    assert {"id": "1002", "name": "Morgan Lee", "email": "morgan@anchor.test"} in people["people"]
    status, refused = await read("/api/hub/monday/boards/1/groups")
    assert (status, refused["success"]) == (404, False)


async def test_lists_say_that_monday_is_out(client: Client) -> None:
    """503 with a message; people are an empty list with a warning, as the dashboard expects."""
    world = client.world
    headers = await world.sign_in(await world.user("admin"))
    world.faults.put("monday", Fault(status=500, times=1))
    boards = await world.call("GET", "/api/hub/monday/boards", headers=headers)
    people = await world.call("GET", "/api/hub/monday/people", headers=headers)

    assert (boards.status_code, boards.json()["success"]) == (503, False)
    assert people.status_code == 200
    assert people.json()["people"] == []
    assert people.json()["warning"]


async def test_settings_have_defaults_are_merged_and_show_no_token(world: World) -> None:
    """What an old server stored beside them, such as a token, is never answered."""
    headers = await world.sign_in(await world.user("superadmin"))
    await world.db.execute("delete from app_settings where key = 'monday'")
    path = "/api/hub/monday/settings"
    before = (await world.call("GET", path, headers=headers)).json()["settings"]
    await world.db.execute("""insert into app_settings values ('monday', '{"monday_api_token": "s3cret"}')""")
    await world.call("PUT", path, headers=headers, json={"monday_status_label": "New"})
    saved = await world.call("PUT", path, headers=headers, json={"monday_client_column_id": "client", "other": "x"})

    assert (before["monday_status_label"], before["monday_due_date_column_id"]) == ("Assigned", "date4")
    assert before["monday_account_url"] == "https://app.monday.com"
    assert saved.json()["settings"]["monday_status_label"] == "New"
    assert saved.json()["settings"]["monday_client_column_id"] == "client"
    assert "s3cret" not in saved.text
    assert "other" not in saved.json()["settings"]
