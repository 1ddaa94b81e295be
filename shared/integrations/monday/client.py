"""Reads and changes boards and items of the agency's monday.com account.

Sources: developer.monday.com/api-reference (boards, items, items_page, errors, rate limits, files) and the platform's
integration document. Every call is tried once: trying again is the queue's work. An answer of 200 may hold errors; each
becomes ``TryLater`` (unreachable, out of complexity budget, broken), ``Reconnect`` (token refused or not allowed) or
``Rejected`` (our request is wrong, ``reason`` is monday.com's error code). A TryLater without ``status`` had no answer
at all: the request may still be on its way. None carries what monday.com answered.
"""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from shared.errors import Reconnect, Rejected, TryLater, VendorError, vendor_error
from shared.integrations.monday.records import (
    Column,
    Item,
    Named,
    Person,
    Update,
    read_column,
    read_item,
    read_moment,
    read_named,
    read_person,
    read_update,
)

if TYPE_CHECKING:
    import httpx

PAGE_SIZE = 100  # items, and ids, of one query
BOARDS_PER_QUESTION = 100  # whose activity is asked for at once
BOARDS_PER_PAGE = 200
MAX_PAGES = 200  # of one listing; more means that monday.com's cursor cannot be believed
NAME_LENGTH = 255

_ITEM = """
  id name state created_at creator_id board { id } group { id title } column_values { id text value }
  updates(limit: 1) { id }
"""

# monday.com's error codes that may pass by themselves, and those that only a person can mend. Others are ours.
_PASSING = frozenset(
    {
        *("complexityexception", "complexity_budget_exhausted", "rate_limit_exceeded", "maxconcurrencyexceeded"),
        *("max_concurrency_exceeded", "minutelimitrateexceeded", "field_minute_rate_limit_exceeded"),
        *("ip_rate_limit_exceeded", "field_limit_exceeded", "daily_limit_exceeded"),
        *("internalservererror", "internal_server_error"),
        *("cursorexpirederror", "cursorexception", "resource_locked", "apitemporarilyblocked", "requesttimeout"),
    }
)
_REFUSED = frozenset(
    {
        *("userunauthorizedexception", "user_unauthorized", "unauthorized", "missingrequiredpermissions"),
        *("user_access_denied", "forbidden", "inactivesubscription"),
    }
)


P = ParamSpec("P")
R = TypeVar("R")


def _reading(method: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """An answer of another shape than monday.com documents: TryLater."""

    @functools.wraps(method)
    async def read(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await method(*args, **kwargs)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TryLater("monday", status=200, reason="unreadable answer") from error

    return read


def connect(base_url: str, *, token: str, version: str, timeout_s: float) -> httpx.AsyncClient:
    """A connection pool for the account that *token* belongs to. Close it, or keep it as long as the instance lives."""
    import httpx

    headers = {"Authorization": token.strip(), "API-Version": version}  # no scheme before the token
    return httpx.AsyncClient(base_url=base_url, timeout=timeout_s, headers=headers)


class MondayClient:
    """The account of one API token."""

    def __init__(self, http: httpx.AsyncClient):
        self._http = http

    @_reading
    async def boards(self) -> list[Named]:
        """Every active board, in monday.com's order."""
        query = "query ($page: Int!, $limit: Int!) { boards(limit: $limit, page: $page) { id name } }"
        return [read_named(one, "name") async for one in self._pages("boards", query)]

    @_reading
    async def groups(self, board_id: str) -> list[Named]:
        board = await self._board(board_id, "groups { id title }")
        return [read_named(one, "title") for one in board.get("groups") or []]

    @_reading
    async def columns(self, board_id: str) -> list[Column]:
        board = await self._board(board_id, "columns { id title type }")
        return [read_column(one) for one in board.get("columns") or []]

    @_reading
    async def people(self) -> list[Person]:
        """Every user of the account."""
        query = "query ($page: Int!, $limit: Int!) { users(limit: $limit, page: $page) { id name email } }"
        return [read_person(one) async for one in self._pages("users", query)]

    @_reading
    async def me(self) -> str:
        """The id of the user that the token belongs to."""
        told = (await self._ask("query { me { id } }")).get("me")
        return str(told["id"]) if isinstance(told, dict) and told.get("id") else ""

    @_reading
    async def activity(self, board_ids: Sequence[str], since: datetime) -> dict[str, datetime]:
        """Board id → when the newest change or comment of an item was made, where there is one since *since*.

        A board that is gone, or whose log our token may not read, is left out too.
        """
        query = (
            "query ($ids: [ID!], $limit: Int!, $from: ISO8601DateTime!, $to: ISO8601DateTime!) "
            "{ boards(ids: $ids, limit: $limit) { id activity_logs(from: $from, to: $to, limit: 1) { created_at } "
            "updates(from_date: $from, to_date: $to, limit: 1) { created_at } } }"
        )
        times = {"from": _iso(since), "to": _iso(datetime.now(UTC) + timedelta(days=1))}
        found: dict[str, datetime] = {}
        for start in range(0, len(board_ids), BOARDS_PER_QUESTION):
            ids = list(board_ids[start : start + BOARDS_PER_QUESTION])
            for board in (await self._ask(query, ids=ids, limit=len(ids), **times)).get("boards") or []:
                done = [*(board.get("activity_logs") or []), *(board.get("updates") or [])]
                if done:
                    found[str(board["id"])] = max(read_moment(one.get("created_at")) for one in done)
        return found

    @_reading
    async def items(self, board_id: str, group_ids: Sequence[str]) -> list[Item]:
        """The active items of some groups of a board, each group read by its cursor to the end; Rejected without it."""
        query = (
            "query ($board: [ID!], $groups: [String!], $limit: Int!) { boards(ids: $board) { groups(ids: $groups) "
            f"{{ items_page(limit: $limit) {{ cursor items {{ {_ITEM} }} }} }} }} }}"
        )
        wanted = list(dict.fromkeys(group_ids))
        data = await self._ask(query, board=[board_id], groups=wanted, limit=PAGE_SIZE)
        found: dict[str, Item] = {}
        for board in _found(data.get("boards")):
            for group in board.get("groups") or []:
                async for item in self._rest(group["items_page"]):
                    found[item.id] = item
        return list(found.values())

    @_reading
    async def items_named(self, board_id: str, name: str) -> list[Item]:
        """The active items of a board that have exactly this name."""
        query = (
            "query ($board: [ID!], $rules: ItemsQuery, $limit: Int!) { boards(ids: $board) "
            f"{{ items_page(limit: $limit, query_params: $rules) {{ cursor items {{ {_ITEM} }} }} }} }}"
        )
        rules = {"rules": [{"column_id": "name", "compare_value": name, "operator": "contains_text"}]}
        data = await self._ask(query, board=[board_id], rules=rules, limit=PAGE_SIZE)
        pages = [board["items_page"] for board in _found(data.get("boards"))]
        return [item for page in pages async for item in self._rest(page) if item.name == name]

    @_reading
    async def items_by_id(self, ids: Sequence[str]) -> list[Item]:
        """The items of these ids, archived ones too; those that were deleted are left out."""
        query = f"query ($ids: [ID!], $limit: Int!) {{ items(ids: $ids, limit: $limit) {{ {_ITEM} }} }}"
        found: list[Item] = []
        for start in range(0, len(ids), PAGE_SIZE):
            data = await self._ask(query, ids=list(ids[start : start + PAGE_SIZE]), limit=PAGE_SIZE)
            found += [read_item(one) for one in data["items"]]
        return [item for item in found if item.state != "deleted"]

    @_reading
    async def asset_urls(self, ids: Sequence[str]) -> dict[str, str]:
        """Asset id → an address that shows the file without a monday.com account, for about an hour."""
        query = "query ($ids: [ID!]!) { assets(ids: $ids) { id public_url } }"
        found: dict[str, str] = {}
        for start in range(0, len(ids), PAGE_SIZE):
            data = await self._ask(query, ids=list(ids[start : start + PAGE_SIZE]))
            found |= {str(one["id"]): str(one.get("public_url") or "") for one in data.get("assets") or [] if one}
        return found

    async def create_item(self, board_id: str, group_id: str, name: str, values: Mapping[str, Any]) -> str:
        """Add an item and return its id. ``values``: column id → monday.com's value; labels a board lacks are made.

        A TryLater may come after the item was made: look for it with ``items_named`` before trying again.
        """
        query = (
            "mutation ($board: ID!, $group: String!, $name: String!, $values: JSON!) { create_item(board_id: $board, "
            "group_id: $group, item_name: $name, column_values: $values, create_labels_if_missing: true) { id } }"
        )
        data = await self._ask(
            query, board=board_id, group=group_id, name=name[:NAME_LENGTH], values=json.dumps(dict(values))
        )
        return _id_of(data, "create_item")

    async def change_values(self, board_id: str, item_id: str, values: Mapping[str, Any]) -> None:
        """Change several columns at once, all or none; the column ``name`` is the item's name."""
        query = (
            "mutation ($board: ID!, $item: ID!, $values: JSON!) { change_multiple_column_values(board_id: $board, "
            "item_id: $item, column_values: $values, create_labels_if_missing: true) { id } }"
        )
        await self._ask(query, board=board_id, item=item_id, values=json.dumps(dict(values)))

    async def archive_item(self, item_id: str) -> None:
        await self._ask("mutation ($item: ID!) { archive_item(item_id: $item) { id } }", item=item_id)

    async def add_update(self, item_id: str, body: str) -> str:
        """Comment on an item; *body* is HTML. The comment's id."""
        query = "mutation ($item: ID!, $body: String!) { create_update(item_id: $item, body: $body) { id } }"
        return _id_of(await self._ask(query, item=item_id, body=body), "create_update")

    @_reading
    async def updates(self, item_id: str) -> list[Update]:
        """The newest hundred comments of an item, newest first."""
        query = (
            "query ($ids: [ID!]) { items(ids: $ids, limit: 1) "
            "{ updates(limit: 100) { id text_body creator_id created_at } } }"
        )
        data = await self._ask(query, ids=[item_id])
        return [read_update(one) for item in data.get("items") or [] for one in item.get("updates") or []]

    async def add_file(self, item_id: str, column_id: str, name: str, content_type: str, data: bytes) -> None:
        """Put a file into a file column: ``POST /v2/file``, multipart."""
        query = (
            f"mutation ($file: File!) {{ add_file_to_column(item_id: {json.dumps(item_id)}, "
            f"column_id: {json.dumps(column_id)}, file: $file) {{ id }} }}"
        )
        await self._post("/v2/file", data={"query": query}, files={"variables[file]": (name, data, content_type)})

    async def _board(self, board_id: str, fields: str) -> dict[str, Any]:
        data = await self._ask(f"query ($ids: [ID!]) {{ boards(ids: $ids) {{ {fields} }} }}", ids=[board_id])
        return dict(_found(data.get("boards"))[0])

    async def _pages(self, field: str, query: str) -> AsyncIterator[dict[str, Any]]:
        for page in range(1, MAX_PAGES + 1):
            found = (await self._ask(query, page=page, limit=BOARDS_PER_PAGE)).get(field) or []
            for one in found:
                yield one
            if len(found) < BOARDS_PER_PAGE:
                return
        raise TryLater("monday", reason=f"more than {MAX_PAGES} pages")

    async def _rest(self, page: Mapping[str, Any]) -> AsyncIterator[Item]:
        """The items of a page and of those behind its cursor."""
        query = (
            "query ($cursor: String!, $limit: Int!) { next_items_page(cursor: $cursor, limit: $limit) "
            f"{{ cursor items {{ {_ITEM} }} }} }}"
        )
        for _ in range(MAX_PAGES):
            for one in page["items"]:
                yield read_item(one)
            if not page.get("cursor"):
                return
            page = (await self._ask(query, cursor=page["cursor"], limit=PAGE_SIZE))["next_items_page"]
        raise TryLater("monday", reason=f"more than {MAX_PAGES} pages")

    async def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        return await self._post("/v2", json={"query": query, "variables": variables})

    async def _post(self, path: str, **request: Any) -> dict[str, Any]:
        import httpx

        try:
            answer = await self._http.post(path, **request)
        except httpx.RequestError as error:
            raise TryLater("monday", reason=type(error).__name__) from error
        told = _json(answer)
        if (wrong := _error(answer, told)) is not None:
            raise wrong
        data = told.get("data")
        if not isinstance(data, dict):
            raise TryLater("monday", status=answer.status_code, reason="unreadable answer")
        return data


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _found(boards: Any) -> list[dict[str, Any]]:
    """The boards that were asked for; Rejected for none: one that was deleted, or that our token may not see."""
    if not boards:
        raise Rejected("monday", reason="no such board")
    return list(boards)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _error(answer: httpx.Response, told: Mapping[str, Any]) -> VendorError | None:
    """What an answer says went wrong; None when nothing did."""
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    detail = first.get("extensions") if isinstance(first, dict) else None
    detail = detail if isinstance(detail, dict) else {}
    code = str(detail.get("code") or told.get("error_code") or "")
    if answer.is_success and not errors and not code:
        return None
    known = vendor_error("monday", answer.status_code, retry_after=_wait(answer, told, detail, code))
    kind = type(known)
    if code.lower() in _PASSING or (answer.is_success and not code):
        kind = TryLater
    elif answer.is_success:
        kind = Reconnect if code.lower() in _REFUSED else Rejected
    reason = code or ("error without a code" if answer.is_success else "")
    return kind("monday", status=answer.status_code, reason=reason, retry_after_s=known.retry_after_s)


def _wait(answer: httpx.Response, told: Mapping[str, Any], detail: Mapping[str, Any], code: str) -> str | None:
    """How many seconds to wait, wherever monday.com says it; a day's calls are counted anew at midnight UTC."""
    if header := answer.headers.get("Retry-After"):
        return str(header)
    for place in (detail, detail.get("error_data"), told.get("error_data")):
        seconds = place.get("retry_in_seconds") if isinstance(place, dict) else None
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return str(seconds)
    if code.lower() == "daily_limit_exceeded":
        now = datetime.now(UTC)
        return str((now.replace(hour=0, minute=0, second=0) + timedelta(days=1) - now).total_seconds())
    return None


def _id_of(data: Mapping[str, Any], field: str) -> str:
    made = data.get(field)
    if not isinstance(made, dict) or not made.get("id"):
        raise TryLater("monday", reason="answer without an id")
    return str(made["id"])
