"""How we speak with monday.com."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Reconnect, Rejected, TryLater, VendorError
from shared.integrations.monday.client import MondayClient, connect
from shared.integrations.monday.records import read_item, read_moment


class Monday:
    """Answers from a list, and remembers what it was asked."""

    def __init__(self, *answers: Any):
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def asked(self, number: int = 0) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.requests[number].content)
        return told

    def variables(self, number: int = 0) -> dict[str, Any]:
        told: dict[str, Any] = self.asked(number)["variables"]
        return told


def client(monday: Monday) -> MondayClient:
    return MondayClient(httpx.AsyncClient(transport=httpx.MockTransport(monday), base_url="https://monday.test"))


def an_item(number: int) -> dict[str, Any]:
    return {
        "id": str(number), "name": f"Item {number}", "state": "active", "created_at": "2026-01-01T00:00:00Z",
        "creator_id": "5", "board": {"id": "1"}, "group": {"id": "g", "title": "G"}, "updates": [{"id": "9"}],
        "column_values": [
            {"id": "status", "text": "Done", "value": '{"index": 1}'},
            {"id": "due", "text": "2026-02-03 10:00", "value": '{"date": "2026-02-03", "time": "10:00:00"}'},
            {"id": "files", "text": "", "value": '{"files": [{"assetId": 7, "name": "a.txt"}]}'},
            {"id": "odd", "text": None, "value": "{not json"},
        ],
    }  # fmt: skip


async def test_the_token_goes_without_a_scheme() -> None:
    """As monday.com wants it, with the version pinned."""
    http = connect("https://monday.test", token=" the-token\n", version="2025-10", timeout_s=15)
    assert http.headers["authorization"] == "the-token"
    assert http.headers["api-version"] == "2025-10"
    await http.aclose()


async def test_items_are_read_group_by_group_to_the_end_of_their_cursors() -> None:
    """Each group has its own; the same group asked for twice is read once."""
    pages = [{"items_page": {"cursor": "c1", "items": [an_item(1)]}}, {"items_page": {"cursor": None, "items": []}}]
    monday = Monday(
        {"data": {"boards": [{"groups": pages}]}},
        {"data": {"next_items_page": {"cursor": None, "items": [an_item(2)]}}},
    )

    found = await client(monday).items("1", ["g", "g", "h"])

    assert [item.id for item in found] == ["1", "2"]
    assert monday.asked()["variables"]["groups"] == ["g", "h"]
    assert monday.asked(1)["variables"]["cursor"] == "c1"
    (first, _) = found
    assert (first.text("status"), first.day("due"), first.text("none"), first.day("odd")) == (
        "Done", "2026-02-03", "", "",
    )  # fmt: skip
    assert first.files() == [("7", "a.txt")]
    assert (first.last_update_id, first.creator_id, first.group) == ("9", "5", "G")


async def test_boards_are_read_page_by_page() -> None:
    """Beyond two hundred there is another page."""
    full = [{"id": str(number), "name": "b"} for number in range(200)]
    monday = Monday({"data": {"boards": full}}, {"data": {"boards": [{"id": "200", "name": "b"}]}})
    assert len(await client(monday).boards()) == 201
    assert [monday.asked(number)["variables"]["page"] for number in (0, 1)] == [1, 2]


async def test_only_an_exact_name_is_the_same_item() -> None:
    """monday.com looks for a part of the name."""
    other = {**an_item(1), "name": "Item 2 and more"}
    page = {"cursor": None, "items": [other, an_item(2)]}
    found = await client(Monday({"data": {"boards": [{"items_page": page}]}})).items_named("1", "Item 2")
    assert [item.id for item in found] == ["2"]


async def test_ids_are_asked_a_hundred_at_once() -> None:
    """As many as one query takes; deleted items are left out."""
    gone = {**an_item(101), "state": "deleted"}
    monday = Monday({"data": {"items": [an_item(1)]}}, {"data": {"items": [gone]}})
    found = await client(monday).items_by_id([str(number) for number in range(101)])
    assert [item.id for item in found] == ["1"]
    assert [len(monday.asked(number)["variables"]["ids"]) for number in (0, 1)] == [100, 1]


async def test_values_are_variables_and_never_part_of_a_query() -> None:
    """What people typed cannot become GraphQL; a file's column is written as a string."""
    evil = '"}) { id } delete_item(item_id: 1) { id } #'
    monday = Monday({"data": {"create_item": {"id": 5}}}, {"data": {"add_file_to_column": {"id": 1}}})
    assert await client(monday).create_item("1", "g", evil, {"client": evil}) == "5"
    asked = monday.asked()
    assert evil not in asked["query"]
    assert asked["variables"]["name"] == evil
    assert json.loads(asked["variables"]["values"]) == {"client": evil}
    await client(monday).add_file("1", evil, "a.txt", "text/plain", b"data")
    body = monday.requests[1].content.decode()
    assert json.dumps(evil) in body
    assert 'name="variables[file]"; filename="a.txt"' in body


def board_of(board_id: str, logged: list[Any] | None, commented: list[Any] | None) -> dict[str, Any]:
    return {
        "id": board_id,
        "activity_logs": logged and [{"created_at": one} for one in logged],
        "updates": commented and [{"created_at": one} for one in commented],
    }


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "boards", "items", "groups", "items_page", "id", "updates"]), inner)
    ),
    max_leaves=12,
)
ASKED: list[Callable[[MondayClient], Awaitable[Any]]] = [
    lambda monday: monday.items("1", ["g"]),
    lambda monday: monday.items_by_id(["1"]),
    lambda monday: monday.items_named("1", "a"),
    lambda monday: monday.activity(["1"], datetime(2026, 1, 1, tzinfo=UTC)),
    lambda monday: monday.updates("1"),
    lambda monday: monday.groups("1"),
    lambda monday: monday.me(),
    lambda monday: monday.create_item("1", "g", "a", {}),
]


@given(told=ANYTHING, ask=st.sampled_from(ASKED))
async def test_an_answer_of_any_shape_is_read_or_refused(
    told: Any, ask: Callable[[MondayClient], Awaitable[Any]]
) -> None:
    """Never a crash of ours."""
    for answer in (told, {"data": told}, {"data": {"boards": told, "items": told, "me": told, "create_item": told}}):
        with contextlib.suppress(VendorError):
            await ask(client(Monday(answer, *[{"data": {"next_items_page": None}}] * 3)))


async def test_items_that_are_not_told_of_are_not_deleted() -> None:
    """Only a list can leave one out."""
    with pytest.raises(TryLater):
        await client(Monday({"data": {"items": None}})).items_by_id(["1"])


def test_what_postgresql_cannot_keep_is_left_out() -> None:
    """One such name must not stop everything else of its board."""
    item = read_item({**an_item(1), "name": "a\0b\ud800", "column_values": [{"id": "d", "value": '{"date": "soon"}'}]})
    assert (item.name, item.day("d")) == ("ab?", "")


async def test_one_question_asks_for_the_activity_of_a_hundred_boards() -> None:
    """The newest of changes and comments of each; a board that is gone, quiet or hidden from us is left out."""
    boards = [
        board_of("1", ["17647200001234567"], []),
        board_of("2", [], ["2025-12-03T00:00:00Z"]),
        board_of("3", ["17647200000000000"], ["2025-12-03T00:00:00.500Z"]),
        board_of("4", [], []),
        board_of("5", None, None),
    ]
    monday = Monday({"data": {"boards": boards}}, {"data": {"boards": []}})
    since = datetime(2025, 12, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    found = await client(monday).activity([str(number) for number in range(1, 102)], since)

    assert found == {
        "1": datetime(2025, 12, 3, 0, 0, 0, 123457, UTC),
        "2": datetime(2025, 12, 3, tzinfo=UTC),
        "3": datetime(2025, 12, 3, 0, 0, 0, 500000, UTC),
    }
    assert [(len(asked["ids"]), asked["limit"]) for asked in map(monday.variables, (0, 1))] == [(100, 100), (1, 1)]
    assert monday.variables()["from"] == "2025-12-01T00:00:00Z"
    assert monday.variables()["to"] > datetime.now(UTC).isoformat()


@given(
    told=st.none() | st.text() | st.text("0123456789") | st.datetimes(timezones=st.just(UTC)).map(str) | st.integers()
)
def test_when_something_was_done_can_always_be_read(told: Any) -> None:
    """What is no time counts as now: whoever asks for news looks once more than needed."""
    assert read_moment(told).tzinfo is not None


def error(code: str, **data: Any) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": "secret words", "extensions": {"code": code, "error_data": data}}]}


def beside(code: str, **data: Any) -> dict[str, Any]:
    """An error as it is since version 2025-04: what belongs to it stands beside its code."""
    return {"errors": [{"message": "secret words", "extensions": {"code": code, **data}}]}


async def test_a_used_up_day_is_waited_out() -> None:
    """Monday counts anew at midnight UTC, and names no time."""
    with pytest.raises(TryLater) as raised:
        await client(Monday(httpx.Response(429, json=beside("DAILY_LIMIT_EXCEEDED")))).boards()
    now = datetime.now(UTC)
    left = datetime.combine(now.date() + timedelta(days=1), time(), UTC) - now
    assert raised.value.retry_after_s == pytest.approx(left.total_seconds(), abs=5)


@pytest.mark.parametrize(
    ("answer", "kind", "wait"),
    [
        (error("ComplexityException", retry_in_seconds=17), TryLater, 17),
        (error("maxConcurrencyExceeded"), TryLater, None),
        (error("InternalServerError"), TryLater, None),
        (error("CursorExpiredError"), TryLater, None),
        (error("UserUnauthorizedException"), Reconnect, None),
        (error("ColumnValueException"), Rejected, None),
        (error("ResourceNotFoundException"), Rejected, None),
        ({"error_code": "ComplexityException", "error_message": "secret words", "error_data": {}}, TryLater, None),
        ({"errors": ["secret words"]}, TryLater, None),
        ({"nothing": 1}, TryLater, None),
        (httpx.Response(200, text="<html>secret words"), TryLater, None),
        (httpx.Response(429, json=error("ComplexityException"), headers={"Retry-After": "30"}), TryLater, 30),
        (httpx.Response(429, text="busy"), TryLater, None),
        (httpx.Response(500, text="secret words"), TryLater, None),
        (httpx.Response(502, text=""), TryLater, None),
        (httpx.Response(401, json={"errors": ["Not Authenticated"]}), Reconnect, None),
        (httpx.Response(403, text=""), Reconnect, None),
        (httpx.Response(400, json=error("undefinedField")), Rejected, None),
        (httpx.Response(400, json=error("RATE_LIMIT_EXCEEDED", retry_in_seconds=5)), TryLater, 5),
        (httpx.Response(429, json=beside("COMPLEXITY_BUDGET_EXHAUSTED", retry_in_seconds=60)), TryLater, 60),
        (beside("FIELD_LIMIT_EXCEEDED", retry_in_seconds=15), TryLater, 15),
        (beside("maxConcurrencyExceeded", retry_in_seconds=True), TryLater, None),
        ({"errors": [{"message": "secret words", "extensions": "odd"}]}, TryLater, None),
    ],
)
async def test_an_error_says_what_to_do(answer: Any, kind: type[VendorError], wait: float | None) -> None:
    """Also one inside of a 200; it never repeats what monday.com said."""
    with pytest.raises(VendorError) as raised:
        await client(Monday(answer)).boards()
    assert type(raised.value) is kind
    assert raised.value.retry_after_s == wait
    assert "secret" not in str(raised.value)


async def test_a_lost_connection_may_work_later() -> None:
    """Whatever became of the request."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(broken), base_url="https://monday.test")
    with pytest.raises(TryLater):
        await MondayClient(http).people()


async def test_a_board_that_is_not_there_is_our_mistake() -> None:
    """monday.com answers an empty list."""
    with pytest.raises(Rejected):
        await client(Monday({"data": {"boards": []}})).groups("1")


@given(text=st.none() | st.text(), value=st.none() | st.text() | st.integers())
def test_any_cell_can_be_read(text: Any, value: Any) -> None:
    """Whatever a column holds."""
    told = {"id": 1, "name": None, "column_values": [{"id": "c", "text": text, "value": value}]}
    item = read_item(told)
    assert isinstance(item.text("c"), str)
    assert isinstance(item.day("c"), str)
    assert isinstance(item.files(), list)
