"""The monday.com stand-in keeps the vendor's contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio

from emulators.faults import Fault, Faults
from emulators.vendors.monday import Monday
from emulators.vendors.vendor import Refused

COLUMNS = [
    {"id": "status", "title": "Status", "type": "status", "labels": ["Assigned", "Done"]},
    {"id": "date4", "title": "Due", "type": "date"},
    {"id": "person", "title": "Person", "type": "people"},
    {"id": "files", "title": "Files", "type": "file"},
    {"id": "client", "title": "Client", "type": "text"},
]


class Caller:
    def __init__(self, vendor: Monday, http: httpx.AsyncClient):
        self.vendor, self.http = vendor, http

    async def __call__(self, query: str, **variables: Any) -> Any:
        answer = await self.http.post("/v2", json={"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def create(self, name: str = "Task", **values: Any) -> str:
        body = await self(
            "mutation($n: String!, $v: JSON) { create_item(board_id: 7, item_name: $n, column_values: $v) { id } }",
            n=name,
            v=json.dumps(values),
        )
        return str(body["data"]["create_item"]["id"])


@pytest_asyncio.fixture
async def monday(faults: Faults, running: Callable[..., Any]) -> AsyncIterator[Caller]:
    vendor = Monday(faults, token="token", signing_secret="s" * 32, retry_delays_s=(0.01,) * 3)
    vendor.add_board("7", "Requests", groups={"active": "Active", "done": "Done"}, columns=COLUMNS)
    async with running(vendor, headers={"Authorization": "token"}) as http:
        yield Caller(vendor, http)


async def test_a_wrong_token_is_not_authenticated(monday: Caller) -> None:
    """401 with Monday's own body."""
    for token in ("", "other"):
        answer = await monday.http.post("/v2", json={"query": "{me{id}}"}, headers={"Authorization": token})
        assert (answer.status_code, answer.json()) == (401, {"errors": ["Not Authenticated"]})


async def test_boards_groups_columns_and_users_are_read(monday: Caller) -> None:
    """The lists that the settings pages offer."""
    body = await monday("{boards(limit:200){id name groups{id title} columns{id title type}} users{id name email}}")
    [board] = body["data"]["boards"]
    assert [group["id"] for group in board["groups"]] == ["active", "done"]
    assert [column["type"] for column in board["columns"]] == ["name", "status", "date", "people", "file", "text"]
    assert body["data"]["users"][1]["email"] == "morgan@anchor.test"


async def test_an_item_keeps_its_values(monday: Caller) -> None:
    """Values given as a JSON text are shown as text and as Monday stores them."""
    person = {"personsAndTeams": [{"id": 1002, "kind": "person"}]}
    item_id = await monday.create(
        status={"label": "Done"}, date4={"date": "2026-05-01"}, person=person, client="Bright"
    )
    body = await monday("query($i:[ID!]){items(ids:$i){name group{id} column_values{id text value type}}}", i=[item_id])
    [item] = body["data"]["items"]
    texts = {value["id"]: value["text"] for value in item["column_values"]}
    assert texts == {"status": "Done", "date4": "2026-05-01", "person": "Morgan Lee", "files": "", "client": "Bright"}
    assert item["group"]["id"] == "active"


async def test_a_cursor_reads_every_item_once(monday: Caller) -> None:
    """items_page hands out a cursor until there is nothing left."""
    made = [await monday.create(f"T{n}") for n in range(5)]
    page = "{cursor items{id}}"
    body = await monday(f'{{boards(ids:[7]){{groups(ids:["active"]){{items_page(limit:2){page}}}}}}}')
    found = body["data"]["boards"][0]["groups"][0]["items_page"]
    ids = [item["id"] for item in found["items"]]
    while found["cursor"]:
        body = await monday(f"query($c:String!){{next_items_page(cursor:$c,limit:2){page}}}", c=found["cursor"])
        found = body["data"]["next_items_page"]
        ids += [item["id"] for item in found["items"]]
    assert ids == made


async def test_an_unknown_label_is_an_application_error(monday: Caller) -> None:
    """200 with errors[].extensions.code, and the cell stays as it was."""
    item_id = await monday.create(status={"label": "Done"})
    change = 'mutation($i:ID,$v:JSON!){change_column_value(board_id:7,item_id:$i,column_id:"status",value:$v){id}}'
    body = await monday(change, i=item_id, v='{"label":"Nope"}')
    assert body["errors"][0]["extensions"]["code"] == "ColumnValueException"
    assert monday.vendor.item_as_json(monday.vendor.items[item_id])["column_values"]["status"] == "Done"


async def test_a_wrong_query_is_refused(monday: Caller) -> None:
    """Neither bad syntax nor an unknown field is guessed at."""
    for query, code in (("{me", "ParseError"), ("{me{nope}}", "undefinedField")):
        answer = await monday.http.post("/v2", json={"query": query})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, code)
    answer = await monday.http.post("/v2", json={"query": "{me{id}}"}, headers={"API-Version": "1999-01"})
    assert answer.status_code == 400


async def test_variables_that_are_no_object_are_refused(monday: Caller) -> None:
    """A list or a text that is no JSON cannot name values; an empty text names none."""
    query = "query($i:[ID!]){items(ids:$i){id}}"
    for variables, status in ((["7"], 400), ("i=7", 400), ("", 200), ('{"i": ["7"]}', 200)):
        answer = await monday.http.post("/v2", json={"query": query, "variables": variables})
        assert answer.status_code == status, answer.text


async def test_updates_moves_and_ends(monday: Caller) -> None:
    """A comment, a move, an archive and a deletion are seen by the next reader."""
    item_id = await monday.create()
    await monday('mutation($i:ID){create_update(item_id:$i,body:"<b>Hi</b>"){id}}', i=item_id)
    await monday('mutation($i:ID){move_item_to_group(item_id:$i,group_id:"done"){id}}', i=item_id)
    read = "query($i:[ID!]){items(ids:$i){state group{id} updates{text_body}}}"
    [item] = (await monday(read, i=[item_id]))["data"]["items"]
    assert item == {"state": "active", "group": {"id": "done"}, "updates": [{"text_body": "Hi"}]}
    await monday("mutation($i:ID){delete_item(item_id:$i){id}}", i=item_id)
    assert (await monday(read, i=[item_id]))["data"]["items"] == []


async def test_a_board_tells_what_was_done_on_it(monday: Caller) -> None:
    """Newest first, with 17 digits of time, from a moment on; comments are beside it, and need both ends of a time."""
    item_id = await monday.create()
    monday.vendor.change_as_person(item_id, {"name": "Other", "column_values": {"status": "Done"}})
    monday.vendor.change_as_person(item_id, {"group_id": "done", "update": "Hi"})
    monday.vendor.change_as_person(item_id, {"state": "archived"})
    read = (
        "query($from:ISO8601DateTime,$to:ISO8601DateTime,$limit:Int){boards(ids:[7]){"
        "activity_logs(from:$from,limit:$limit){event created_at user_id} "
        "updates(from_date:$from,to_date:$to,limit:$limit){text_body}}}"
    )
    times = {"from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}

    [board] = (await monday(read, **times))["data"]["boards"]
    [newest] = (await monday(read, **times, limit=1))["data"]["boards"]
    [later] = (await monday(read, **{**times, "from": "2098-01-01T00:00:00Z"}))["data"]["boards"]
    alone = await monday(read, to=times["to"])

    events = ["archive_pulse", "move_pulse_from_group", "update_column_value", "update_name", "create_pulse"]
    assert [log["event"] for log in board["activity_logs"]] == events
    assert all(len(log["created_at"]) == 17 for log in board["activity_logs"])
    assert board["updates"] == newest["updates"] == [{"text_body": "Hi"}]
    assert len(newest["activity_logs"]) == 1
    assert later == {"activity_logs": [], "updates": []}
    assert alone["errors"]


async def test_a_file_is_uploaded_and_downloaded(monday: Caller) -> None:
    """The multipart upload of /v2/file gives an asset whose public URL serves the bytes."""
    item_id = await monday.create()
    query = f'mutation($file:File!){{add_file_to_column(item_id:{item_id},column_id:"files",file:$file){{public_url}}}}'
    files = {"variables[file]": ("a b.txt", b"hello", "text/plain")}
    answer = await monday.http.post("/v2/file", data={"query": query}, files=files)
    url = answer.json()["data"]["add_file_to_column"]["public_url"]
    assert (await monday.http.get(url)).content == b"hello"


async def test_a_webhook_needs_the_challenge_and_carries_a_jwt(monday: Caller, inbox: Any) -> None:
    """A person's change is told, signed with the signing secret, and repeated until it is taken."""
    make = "mutation($u:String!){create_webhook(board_id:7,url:$u,event:change_status_column_value){id}}"
    inbox.answers = [500]
    assert (await monday(make, u=inbox.server.url))["errors"][0]["extensions"]["code"] == "WebhookException"
    inbox.answers = [200, 500, 200]
    await monday(make, u=inbox.server.url)
    item_id = await monday.create(status={"label": "Assigned"})

    monday.vendor.change_as_person(item_id, {"column_values": {"status": "Done"}})

    await monday.vendor.settle()
    [_, (headers, body)] = inbox.received
    claims = jwt.decode(headers["authorization"], "s" * 32, algorithms=["HS256"], audience=inbox.server.url)
    assert claims["exp"] > claims["iat"]
    event = body["event"]
    assert (event["type"], event["pulseId"], event["columnId"]) == ("update_column_value", int(item_id), "status")
    assert (event["value"]["label"]["text"], event["previousValue"]["label"]["text"]) == ("Done", "Assigned")


async def test_a_person_cannot_do_what_monday_does_not_offer(monday: Caller) -> None:
    """Unknown items, columns, groups and fields are refused."""
    item_id = await monday.create()
    for target, change in (
        (item_id, {"nope": 1}),
        (item_id, {"column_values": {"x": "y"}}),
        (item_id, {}),
        ("1", {"name": "x"}),
    ):
        with pytest.raises(Refused):
            monday.vendor.change_as_person(target, change)


async def test_points_run_out(faults: Faults, running: Callable[..., Any]) -> None:
    """An exhausted budget is a 429 that names the wait."""
    vendor = Monday(faults, token="token", points_per_minute=30)
    async with running(vendor, headers={"Authorization": "token"}) as http:
        answers = [await http.post("/v2", json={"query": "{me{id}}"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    error = answers[1].json()["errors"][0]["extensions"]
    assert error["code"] == "COMPLEXITY_BUDGET_EXHAUSTED" and error["retry_in_seconds"] > 0
    assert int(answers[1].headers["retry-after"]) > 0


async def test_faults_speak_mondays_words(monday: Caller, faults: Faults) -> None:
    """An injected 500 has an errors list."""
    faults.put("monday", Fault(status=500, times=1))
    answer = await monday.http.post("/v2", json={"query": "{me{id}}"})
    assert answer.status_code == 500 and answer.json()["errors"]
