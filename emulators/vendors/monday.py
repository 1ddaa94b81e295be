"""monday.com: boards and items over real GraphQL, file upload, and webhooks with challenge and signed JWT.

Shapes: developer.monday.com/api-reference (schema in ``monday_schema.graphql``, error handling, rate limits, webhooks).
A change by the API and one "by a person" (the control API) both fire webhooks, as at monday.com; they differ in userId.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote
from uuid import uuid4

import httpx
import jwt
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    Visitor,
    build_schema,
    execute,
    parse,
    validate,
    visit,
)
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.vendor import Refused, Vendor, json_object, numbers, same

API_VERSION = "2026-10"
VERSIONS = re.compile(r"20\d\d-(01|04|07|10)|current|release_candidate|dev")
POINTS_PER_MINUTE = 5_000_000
LARGEST_PAGE = 500
LONGEST_ACTIVITY = 10_000
API_USER = 1001  # who the token belongs to
PERSON = 1002  # who works in monday.com's own pages

Json = dict[str, Any]
Info = GraphQLResolveInfo[Json]  # its context tells the points that the query costs


class MondayError(GraphQLError):
    """An application-level error: 200 with ``extensions.code``."""

    def __init__(self, message: str, code: str, status: int = 200):
        super().__init__(message, extensions={"code": code, "status_code": status})


@dataclass(slots=True)
class Item:
    """One row. ``values`` holds each column's value as monday.com stores it (the parsed ``value`` JSON)."""

    id: str
    board_id: str
    group_id: str
    name: str
    creator_id: str
    created_at: str
    updated_at: str
    state: str = "active"
    values: dict[str, Any] = field(default_factory=dict)
    updates: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Board:
    id: str
    name: str
    groups: list[Json]
    columns: list[Json]
    state: str = "active"

    def group(self, group_id: str) -> Json:
        for group in self.groups:
            if group["id"] == group_id:
                return group
        raise MondayError(f"Group not found: {group_id}", "InvalidGroupIdException")

    def column(self, column_id: str) -> Json:
        for column in self.columns:
            if column["id"] == column_id:
                return column
        raise MondayError("This column ID doesn't exist for the board", "InvalidColumnIdException")


class Monday(Vendor):
    """The GraphQL API of one monday.com account with one token."""

    name = "monday"
    version = API_VERSION

    def __init__(
        self,
        faults: Faults,
        *,
        token: str = "monday-token-local",
        signing_secret: str = "monday-signing-local",
        retry_delays_s: Iterable[float] = (60,) * 30,  # once a minute for half an hour
        points_per_minute: int = POINTS_PER_MINUTE,
        port: int = 0,
    ):
        super().__init__(faults, port=port)
        self.token, self.signing_secret = token, signing_secret
        self.retry_delays_s, self.points_per_minute = tuple(retry_delays_s), points_per_minute
        self.users: list[Json] = []
        self.boards: dict[str, Board] = {}
        self.items: dict[str, Item] = {}
        self.assets: dict[str, Json] = {}
        self.webhooks: dict[str, Json] = {}
        self.deliveries: list[Json] = []
        self.activity: list[Json] = []  # newest first
        self._files: dict[str, tuple[bytes, str]] = {}
        self._ids = numbers(5_000_000_001)
        self._spent: list[tuple[float, int]] = []
        self._schema = build_schema((Path(__file__).with_name("monday_schema.graphql")).read_text())
        self._bind_resolvers()
        self.add_user(API_USER, "Anchor API", "api@anchor.test")
        self.add_user(PERSON, "Morgan Lee", "morgan@anchor.test")

    def settings(self) -> dict[str, str]:
        return {"MONDAY_API_BASE": self.url}

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v2", self._graphql, methods=["POST"]),
            Route("/v2/file", self._upload, methods=["POST"]),
            Route("/assets/{asset_id}/{name}", self._download, methods=["GET"]),
        ]

    def error_response(self, status: int, message: str) -> Response:
        if status == 401:
            return JSONResponse({"errors": ["Not Authenticated"]}, 401)
        if status == 429:
            return _errors([_error("Rate limit exceeded", "RATE_LIMIT_EXCEEDED", 429, retry_in_seconds=1)], 429)
        return _errors([_error(message, "BadRequest" if status == 400 else "InternalServerError", status)], status)

    # -- what the account holds -------------------------------------------------------------------------------------

    def add_user(self, user_id: int, name: str, email: str) -> Json:
        user = {"id": str(user_id), "name": name, "email": email, "enabled": True, "is_guest": False, "url": ""}
        self.users.append(user)
        return user

    def add_board(self, board_id: str, name: str, *, groups: Mapping[str, str], columns: Iterable[Json] = ()) -> Board:
        """Open a board. ``columns`` are {id, title, type, labels?}; the item's name is always the first column."""
        made = [{"id": "name", "title": "Name", "type": "name", "settings_str": "{}"}]
        for column in columns:
            labels = {str(index): label for index, label in enumerate(column.get("labels", ()))}
            made.append({**column, "settings_str": json.dumps({"labels": labels} if labels else {})})
        board = Board(str(board_id), name, [{"id": key, "title": title} for key, title in groups.items()], made)
        self.boards[board.id] = board
        return board

    def item(self, item_id: str) -> Item:
        item = self.items.get(str(item_id))
        if item is None or item.state == "deleted":
            raise MondayError("The item does not exist or was deleted", "ResourceNotFoundException")
        return item

    def item_as_json(self, item: Item) -> Json:
        """An item as the control API shows it: plain texts beside monday.com's own values."""
        board = self.boards[item.board_id]
        return {
            "id": item.id,
            "name": item.name,
            "state": item.state,
            "board_id": item.board_id,
            "group_id": item.group_id,
            "created_at": item.created_at,
            "updated_at": item.updated_at,
            "column_values": {key: self._text(board.column(key), value) for key, value in item.values.items()},
            "values": item.values,
            "updates": item.updates,
        }

    def change_as_person(self, item_id: str, change: Mapping[str, Any]) -> Item:
        """What a person does in monday.com: any of name, group_id, state, column_values, update (a comment).

        Raises Refused (404 unknown item, 400 anything else that monday.com's pages would not offer).
        """
        unknown = set(change) - {"name", "group_id", "state", "column_values", "update"}
        if unknown or not change:
            raise Refused(400, f"unknown: {', '.join(sorted(unknown))}" if unknown else "nothing to change")
        if str(item_id) not in self.items:
            raise Refused(404, "Item not found")
        try:
            item = self.item(item_id)
            if "name" in change:
                self._rename(item, str(change["name"]), PERSON)
            if "group_id" in change:
                self._move(item, str(change["group_id"]), PERSON)
            for column_id, value in dict(change.get("column_values", {})).items():
                self._set(item, column_id, value, PERSON)
            if "update" in change:
                self._comment(item, str(change["update"]), PERSON)
            if "state" in change:
                self._retire(item, str(change["state"]), PERSON)
        except GraphQLError as error:
            raise Refused(400, error.message) from error
        return item

    # -- HTTP ---------------------------------------------------------------------------------------------------------

    async def _graphql(self, request: Request) -> Response:
        self._check(request)
        body = await json_object(request)
        return await self._answer(body.get("query"), body.get("variables"), body.get("operationName"))

    async def _upload(self, request: Request) -> Response:
        """Multipart: ``query`` and ``variables[file]``, or a file whose name ``map`` points to a variable."""
        self._check(request)
        async with request.form() as form:
            variables = _variables(str(form.get("variables") or "{}")) or {}
            routes = json.loads(str(form.get("map") or "{}"))
            for name, part in form.multi_items():
                if isinstance(part, UploadFile):
                    target = routes.get(name, name)
                    target = target[0] if isinstance(target, list) else target
                    key = re.sub(r"^variables[.\[]|\]$", "", target)
                    kind = part.content_type or "application/octet-stream"
                    variables[key] = {"name": part.filename or "file", "type": kind, "data": await part.read()}
            return await self._answer(form.get("query"), variables, None)

    async def _download(self, request: Request) -> Response:
        found = self._files.get(request.path_params["asset_id"])
        if found is None:
            return PlainTextResponse("Not Found", 404)
        return Response(found[0], media_type=found[1])

    async def _answer(self, query: object, variables: object, operation: str | None) -> Response:
        if not isinstance(query, str) or not query.strip():
            return _errors([_error("No query string was present", "BadRequest", 400)], 400)
        given = _variables(variables)
        try:
            document = parse(query)
        except GraphQLError as error:
            return _errors([_error(error.message, "ParseError", 400)], 400)
        wrong = validate(self._schema, document)
        if wrong:
            return _errors([_error(one.message, "undefinedField", 400, error=one) for one in wrong], 400)
        cost = _points(document)
        before = self._budget()
        if cost > before:
            wait = self._reset_in_s()
            exhausted = _error(
                "Complexity budget exhausted",
                "COMPLEXITY_BUDGET_EXHAUSTED",
                429,
                complexity=cost,
                complexity_budget_left=before,
                complexity_budget_limit=self.points_per_minute,
                retry_in_seconds=wait,
            )
            response = _errors([exhausted], 429)
            response.headers["Retry-After"] = str(wait)
            return response
        self._spent.append((time.monotonic(), cost))
        complexity = {"before": before, "after": before - cost, "query": cost, "reset_in_x_seconds": self._reset_in_s()}
        result = execute(
            self._schema, document, context_value=complexity, variable_values=given, operation_name=operation
        )
        done = result if isinstance(result, ExecutionResult) else await result
        body: Json = {"data": done.data, "account_id": 1}
        if done.errors:
            body["errors"] = [_error(error.message, "InternalServerError", 200, error=error) for error in done.errors]
        return JSONResponse(body, headers={"API-Version": API_VERSION})

    def _check(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not same(token, self.token):
            raise Refused(401, "Not Authenticated")
        version = request.headers.get("api-version")
        if version is not None and not VERSIONS.fullmatch(version):
            raise Refused(400, f"Invalid API version: {version}")

    def _budget(self) -> int:
        horizon = time.monotonic() - 60
        self._spent = [(when, points) for when, points in self._spent if when > horizon]
        return self.points_per_minute - sum(points for _, points in self._spent)

    def _reset_in_s(self) -> int:
        oldest = self._spent[0][0] if self._spent else time.monotonic()
        return max(1, round(60 - (time.monotonic() - oldest)))

    # -- GraphQL ------------------------------------------------------------------------------------------------------

    def _bind_resolvers(self) -> None:
        resolvers: dict[str, dict[str, Callable[..., Any]]] = {
            "Query": {
                "me": lambda _r, _i: self.users[0],
                "users": self._q_users,
                "boards": self._q_boards,
                "items": self._q_items,
                "next_items_page": lambda _r, _i, cursor, limit: self._next_page(cursor, limit),
                "assets": lambda _r, _i, ids: [self.assets[one] for one in ids if one in self.assets],
                "webhooks": lambda _r, _i, board_id: [w for w in self.webhooks.values() if w["board_id"] == board_id],
                "complexity": lambda _r, info: info.context,
            },
            "Mutation": {
                "create_item": self._m_create_item,
                "change_column_value": self._m_change_value,
                "change_simple_column_value": self._m_change_value,
                "change_multiple_column_values": self._m_change_values,
                "create_update": lambda _r, _i, item_id, body: self._comment(self.item(item_id), body, API_USER),
                "add_file_to_column": self._m_add_file,
                "move_item_to_group": lambda _r, _i, item_id, group_id: self._move(
                    self.item(item_id), group_id, API_USER
                ),
                "archive_item": lambda _r, _i, item_id: self._retire(self.item(item_id), "archived", API_USER),
                "delete_item": lambda _r, _i, item_id: self._retire(self.item(item_id), "deleted", API_USER),
                "create_webhook": self._m_create_webhook,
                "delete_webhook": lambda _r, _i, id: self.webhooks.pop(id, None),
                "complexity": lambda _r, info: info.context,
            },
            "Board": {
                "url": lambda board, _i: f"https://anchor.monday.com/boards/{board.id}",
                "groups": lambda board, _i, ids=None: [
                    {**group, "board": board} for group in board.groups if ids is None or group["id"] in ids
                ],
                "columns": lambda board, _i, ids=None, types=None: [
                    column
                    for column in board.columns
                    if (ids is None or column["id"] in ids) and (types is None or column["type"] in types)
                ],
                "items_page": lambda board, _i, limit, cursor=None, query_params=None: self._page(
                    board, None, limit, cursor, query_params
                ),
                "items_count": lambda board, _i: len(self._active(board, None)),
                "activity_logs": self._activity_logs,
                "updates": self._board_updates,
            },
            "Group": {
                "items_page": lambda group, _i, limit, cursor=None, query_params=None: self._page(
                    group["board"], group["id"], limit, cursor, query_params
                )
            },
            "Item": {
                "url": lambda item, _i: f"https://anchor.monday.com/boards/{item.board_id}/pulses/{item.id}",
                "board": lambda item, _i: self.boards[item.board_id],
                "group": self._item_group,
                "column_values": self._column_values,
                "updates": lambda item, _i, limit, page: item.updates[(page - 1) * limit : page * limit],
                "assets": lambda item, _i: [a for a in self.assets.values() if a["item_id"] == item.id],
            },
            "FileAssetValue": {"asset": lambda file, _i: self.assets.get(file["asset_id"])},
        }
        for type_name, fields in resolvers.items():
            for field_name, resolve in fields.items():
                self._schema.type_map[type_name].fields[field_name].resolve = resolve  # type: ignore[attr-defined]
        self._schema.type_map["ColumnValue"].resolve_type = lambda value, *_: value["__typename"]  # type: ignore[attr-defined]

    def _q_users(
        self, _root: Any, _info: Info, limit: int, page: int, ids: Any = None, emails: Any = None
    ) -> list[Json]:
        found = [u for u in self.users if (not ids or u["id"] in ids) and (not emails or u["email"] in emails)]
        return found[(page - 1) * limit : page * limit]

    def _q_boards(self, _root: Any, _info: Info, limit: int, page: int, state: str, ids: Any = None) -> list[Board]:
        found = [b for b in self.boards.values() if (not ids or b.id in ids) and state in ("all", b.state)]
        return found[(page - 1) * limit : page * limit]

    def _q_items(
        self, _root: Any, _info: Info, limit: int, page: int, exclude_nonactive: bool, ids: Any = None
    ) -> list[Item]:
        if ids is not None and len(ids) > 100:
            raise MondayError("You can query up to 100 items by id", "InvalidArgumentException")
        shown = ("active",) if exclude_nonactive else ("active", "archived")
        found = [item for item in self.items.values() if (not ids or item.id in ids) and item.state in shown]
        return found[(page - 1) * limit : page * limit]

    def _item_group(self, item: Item, _info: Info) -> Json:
        board = self.boards[item.board_id]
        return {**board.group(item.group_id), "board": board}

    def _column_values(self, item: Item, _info: Info, ids: Any = None) -> list[Json]:
        board = self.boards[item.board_id]
        asked = [c for c in board.columns if c["type"] != "name" and (ids is None or c["id"] in ids)]
        return [self._column_value(column, item.values.get(column["id"])) for column in asked]

    def _column_value(self, column: Json, value: Any) -> Json:
        shown: Json = {
            "__typename": TYPES.get(column["type"], "TextValue"),
            "id": column["id"],
            "column": column,
            "type": column["type"],
            "text": self._text(column, value),
            "value": None if value is None else json.dumps(value),
        }
        if isinstance(value, dict):
            match column["type"]:
                case "status":
                    shown |= {"index": value["index"], "label": shown["text"], "updated_at": value["changed_at"]}
                case "date":
                    shown |= {"date": value.get("date"), "time": value.get("time")}
                case "people":
                    shown["persons_and_teams"] = value.get("personsAndTeams", [])
        if column["type"] == "file":
            files = value["files"] if value else []
            shown["files"] = [{"asset_id": f["assetId"], "name": f["name"], "is_image": False} for f in files]
        return shown

    def _text(self, column: Json, value: Any) -> str | None:
        """What the cell shows."""
        if value is None:
            return None if column["type"] == "status" else ""
        match column["type"]:
            case "status":
                return str(_labels(column).get(str(value["index"]), ""))
            case "date":
                return " ".join(part for part in (value.get("date"), value.get("time")) if part)
            case "people":
                ids = [str(person["id"]) for person in value.get("personsAndTeams", [])]
                return ", ".join(user["name"] for user in self.users if user["id"] in ids)
            case "file":
                return ", ".join(self.assets[f["assetId"]]["public_url"] for f in value["files"])
            case "long_text":
                return str(value["text"])
            case _:
                return str(value)

    def _activity_logs(self, board: Board, _info: Info, limit: int, page: int, **given: Any) -> list[Json]:
        """What was done on a board, newest first; comments are not among it."""
        since, until = _ticks(given.get("from")), _ticks(given.get("to"))
        found = [
            one
            for one in self.activity
            if one["board_id"] == board.id
            and (since is None or int(one["created_at"]) >= since)
            and (until is None or int(one["created_at"]) <= until)
            and (not given.get("user_ids") or one["user_id"] in given["user_ids"])
            and (not given.get("item_ids") or one["item_id"] in given["item_ids"])
        ]
        return found[(page - 1) * limit : page * limit]

    def _board_updates(self, board: Board, _info: Info, limit: int, page: int, **given: Any) -> list[Json]:
        """Comments on a board's items, newest first."""
        since, until = given.get("from_date"), given.get("to_date")
        if (since is None) != (until is None):
            raise MondayError("from_date and to_date go together", "InvalidArgumentException")
        found = [
            update
            for item in self.items.values()
            if item.board_id == board.id and item.state != "deleted"
            for update in item.updates
            if since is None or until is None or _moment(since) <= _moment(update["created_at"]) <= _moment(until)
        ]
        return sorted(found, key=lambda one: str(one["created_at"]), reverse=True)[(page - 1) * limit : page * limit]

    def _active(self, board: Board, group_id: str | None) -> list[Item]:
        return [
            item
            for item in self.items.values()
            if item.board_id == board.id and item.state == "active" and group_id in (None, item.group_id)
        ]

    def _page(self, board: Board, group_id: str | None, limit: int, cursor: str | None, query: Json | None) -> Json:
        if cursor:
            return self._next_page(cursor, limit)
        found = [item.id for item in self._active(board, group_id) if self._passes(board, item, query or {})]
        return self._slice(found, limit)

    def _next_page(self, cursor: str, limit: int) -> Json:
        try:
            ids = json.loads(urlsafe_b64decode(cursor))
        except ValueError as error:
            raise MondayError("The cursor provided for pagination has expired", "CursorExpiredError") from error
        return self._slice(ids, limit)

    def _slice(self, ids: list[str], limit: int) -> Json:
        if not 1 <= limit <= LARGEST_PAGE:
            raise MondayError(f"limit must be from 1 to {LARGEST_PAGE}", "InvalidArgumentException")
        rest = ids[limit:]
        cursor = urlsafe_b64encode(json.dumps(rest).encode()).decode() if rest else None
        return {"cursor": cursor, "items": [self.items[one] for one in ids[:limit]]}

    def _passes(self, board: Board, item: Item, query: Json) -> bool:
        if query.get("ids") and item.id not in query["ids"]:
            return False
        hits = [self._rule_holds(board, item, rule) for rule in query.get("rules") or ()]
        return not hits or (any(hits) if query.get("operator") == "or" else all(hits))

    def _rule_holds(self, board: Board, item: Item, rule: Json) -> bool:
        given = rule["compare_value"]
        wanted = [str(one) for one in (given if isinstance(given, list) else [given])]
        if rule["column_id"] == "__last_updated__":
            return item.updated_at >= wanted[-1]
        if rule["column_id"] == "name":
            shown: set[str] = {item.name}
        else:
            column, value = board.column(rule["column_id"]), item.values.get(rule["column_id"])
            shown = {self._text(column, value) or ""}
            if column["type"] == "status" and value is not None:
                shown.add(str(value["index"]))
        match rule["operator"]:
            case "any_of":
                return bool(shown & set(wanted))
            case "not_any_of":
                return not shown & set(wanted)
            case "contains_text":
                return any(want.lower() in text.lower() for want in wanted for text in shown)
            case "is_empty":
                return shown == {""}
            case "is_not_empty":
                return shown != {""}
            case _:
                return max(shown) >= wanted[-1]

    # -- changes ------------------------------------------------------------------------------------------------------

    def _m_create_item(
        self,
        _root: Any,
        _info: Info,
        board_id: str,
        item_name: str,
        create_labels_if_missing: bool,
        group_id: str | None = None,
        column_values: Any = None,
    ) -> Item:
        values = _loaded(column_values) or {}
        return self.create_item(board_id, item_name, group_id, values, API_USER, create_labels_if_missing)

    def create_item(
        self,
        board_id: str,
        name: str,
        group_id: str | None = None,
        values: Mapping[str, Any] | None = None,
        actor: int = PERSON,
        create_labels: bool = False,
    ) -> Item:
        """Add a row to the top of a group (the board's first one by default)."""
        board = self._board(board_id)
        if not 1 <= len(name) <= 255:
            raise MondayError("Item name must have 1 to 255 characters", "ItemNameTooLongException")
        group_id = group_id or board.groups[0]["id"]
        board.group(group_id)
        parsed = {key: self._parsed(board.column(key), value, create_labels) for key, value in (values or {}).items()}
        now = _now()
        item = Item(str(next(self._ids)), board.id, group_id, name, str(actor), now, now, values=parsed)
        self.items[item.id] = item
        self._note("create_pulse", item, actor)
        self._tell("create_item", item, actor, {"type": "create_pulse", "columnValues": parsed})
        return item

    def _m_change_value(
        self,
        _root: Any,
        _info: Info,
        board_id: str,
        column_id: str,
        create_labels_if_missing: bool,
        item_id: str,
        value: Any = None,
    ) -> Item:
        item = self._on_board(item_id, board_id)
        self._set(item, column_id, _loaded(value), API_USER, create_labels_if_missing)
        return item

    def _m_change_values(
        self,
        _root: Any,
        _info: Info,
        board_id: str,
        column_values: Any,
        create_labels_if_missing: bool,
        item_id: str,
    ) -> Item:
        item = self._on_board(item_id, board_id)
        values = _loaded(column_values)
        if not isinstance(values, dict):
            raise MondayError("column_values must be a JSON object", "ColumnValueException")
        columns = {key: self.boards[board_id].column(key) for key in values}  # all or nothing
        for key, value in values.items():
            if columns[key]["type"] != "name":
                self._parsed(columns[key], value, create_labels_if_missing)
        for key, value in values.items():
            self._set(item, key, value, API_USER, create_labels_if_missing)
        return item

    def _m_add_file(self, _root: Any, _info: Info, item_id: str, column_id: str, file: Any) -> Json:
        item = self.item(item_id)
        column = self.boards[item.board_id].column(column_id)
        if column["type"] != "file" or not isinstance(file, dict):
            raise MondayError("A file can only be added to a file column, by upload", "ColumnValueException")
        asset_id = str(next(self._ids))
        url = f"{self.url}/assets/{asset_id}/{quote(file['name'])}"
        asset: Json = {
            "id": asset_id,
            "item_id": item.id,
            "name": file["name"],
            "file_extension": Path(file["name"]).suffix,
            "file_size": len(file["data"]),
            "url": url,
            "public_url": url,
            "created_at": _now(),
        }
        self.assets[asset_id], self._files[asset_id] = asset, (file["data"], file["type"])
        before = item.values.get(column_id)
        files = [*(before or {"files": []})["files"], {"assetId": asset_id, "name": file["name"], "fileType": "ASSET"}]
        self._store(item, column, {"files": files}, API_USER)
        return asset

    async def _m_create_webhook(
        self, _root: Any, _info: Info, board_id: str, url: str, event: str, config: Any = None
    ) -> Json:
        self._board(board_id)
        challenge = secrets.token_urlsafe(24)
        try:
            answer = await self.http.post(url, json={"challenge": challenge})
            echoed = answer.is_success and answer.json() == {"challenge": challenge}
        except (httpx.HTTPError, ValueError):
            echoed = False
        if not echoed:
            raise MondayError("Failed to create webhook: the URL did not answer the challenge", "WebhookException")
        webhook: Json = {"id": str(next(self._ids)), "board_id": board_id, "event": event, "config": None, "url": url}
        webhook["config"] = json.dumps(_loaded(config)) if config else None
        self.webhooks[webhook["id"]] = webhook
        return webhook

    def _set(self, item: Item, column_id: str, given: Any, actor: int, create_labels: bool = False) -> None:
        column = self.boards[item.board_id].column(column_id)
        if column["type"] == "name":
            self._rename(item, str(given), actor)
        else:
            self._store(item, column, self._parsed(column, given, create_labels), actor)

    def _store(self, item: Item, column: Json, value: Any, actor: int) -> None:
        before = item.values.get(column["id"])
        item.values[column["id"]] = value
        item.updated_at = _now()
        detail = {
            "type": "update_column_value",
            "columnId": column["id"],
            "columnType": {"status": "color"}.get(column["type"], column["type"]),
            "columnTitle": column["title"],
            "value": self._told(column, value),
            "previousValue": self._told(column, before),
        }
        self._note("update_column_value", item, actor, column_id=column["id"])
        self._tell("change_column_value", item, actor, detail)
        self._tell("change_specific_column_value", item, actor, detail)
        if column["type"] == "status":
            self._tell("change_status_column_value", item, actor, detail)

    def _rename(self, item: Item, name: str, actor: int) -> Item:
        before, item.name, item.updated_at = item.name, name, _now()
        self._note("update_name", item, actor)
        self._tell(
            "change_name",
            item,
            actor,
            {"type": "update_name", "value": {"name": name}, "previousValue": {"name": before}},
        )
        return item

    def _move(self, item: Item, group_id: str, actor: int) -> Item:
        board = self.boards[item.board_id]
        source, target = board.group(item.group_id), board.group(group_id)
        item.group_id, item.updated_at = group_id, _now()
        detail = {"type": "move_pulse_into_group", "sourceGroupId": source["id"], "destGroupId": target["id"]}
        self._note("move_pulse_from_group", item, actor)
        self._tell("item_moved_to_any_group", item, actor, detail)
        return item

    def _retire(self, item: Item, state: str, actor: int) -> Item:
        if state not in ("archived", "deleted", "active"):
            raise MondayError("state must be archived, deleted or active", "InvalidArgumentException")
        item.state, item.updated_at = state, _now()
        self._note(
            {"archived": "archive_pulse", "deleted": "delete_pulse", "active": "restore_pulse"}[state], item, actor
        )
        if state != "active":
            event, kind = (
                ("item_archived", "archive_pulse") if state == "archived" else ("item_deleted", "delete_pulse")
            )
            self._tell(event, item, actor, {"type": kind, "itemId": int(item.id)})
        return item

    def _comment(self, item: Item, body: str, actor: int) -> Json:
        update: Json = {
            "id": str(next(self._ids)),
            "body": body,
            "text_body": html.unescape(re.sub(r"<[^>]*>", "", body)),
            "creator_id": str(actor),
            "created_at": _now(),
            "item_id": item.id,
        }
        item.updates.insert(0, update)
        item.updated_at = _now()
        detail = {"type": "create_update", "body": body, "textBody": update["text_body"], "updateId": int(update["id"])}
        self._tell("create_update", item, actor, detail)
        return update

    def _note(self, event: str, item: Item, actor: int, **data: Any) -> None:
        """Keep in the board's activity log what was done."""
        self.activity.insert(
            0,
            {
                "id": str(uuid4()),
                "board_id": item.board_id,
                "item_id": item.id,
                "account_id": "1",
                "user_id": str(actor),
                "event": event,
                "entity": "pulse",
                "data": json.dumps({"board_id": int(item.board_id), "pulse_id": int(item.id), **data}),
                "created_at": str(time.time_ns() // 100),
            },
        )
        del self.activity[LONGEST_ACTIVITY:]

    def _parsed(self, column: Json, given: Any, create_labels: bool) -> Any:
        """A value as monday.com stores it, from any form its API takes; an empty one clears the cell."""
        if given in (None, "", {}, []):
            return None
        try:
            parse_value: Parser = PARSERS.get(column["type"], _as_text)
            return parse_value(column, given, create_labels)
        except (KeyError, TypeError, ValueError) as error:
            raise MondayError(f"invalid value for column {column['id']}", "ColumnValueException") from error

    def _told(self, column: Json, value: Any) -> Any:
        """A value as webhooks tell it."""
        if column["type"] == "status" and value is not None:
            return {"label": {"index": value["index"], "text": self._text(column, value)}}
        return {"value": value} if isinstance(value, str) else value

    def _board(self, board_id: str) -> Board:
        board = self.boards.get(str(board_id))
        if board is None:
            raise MondayError("The board does not exist", "InvalidBoardIdException")
        return board

    def _on_board(self, item_id: str, board_id: str) -> Item:
        item = self.item(item_id)
        if item.board_id != str(board_id):
            raise MondayError("The item is not on this board", "InvalidItemIdException")
        return item

    # -- webhooks -----------------------------------------------------------------------------------------------------

    def _tell(self, event: str, item: Item, actor: int, detail: Json) -> None:
        for webhook in self.webhooks.values():
            if webhook["board_id"] != item.board_id or webhook["event"] != event:
                continue
            config = json.loads(webhook["config"] or "{}")
            if event == "change_specific_column_value" and config.get("columnId") != detail["columnId"]:
                continue
            body = {
                "userId": actor,
                "originalTriggerUuid": None,
                "boardId": int(item.board_id),
                "groupId": item.group_id,
                "pulseId": int(item.id),
                "pulseName": item.name,
                "isTopGroup": self.boards[item.board_id].groups[0]["id"] == item.group_id,
                "changedAt": time.time(),
                "app": "monday",
                "triggerTime": _now(),
                "subscriptionId": int(webhook["id"]),
                "triggerUuid": secrets.token_hex(16),
                **detail,
            }
            self.soon(self._deliver(webhook["url"], body))

    async def _deliver(self, url: str, event: Json) -> None:
        log: Json = {"type": event["type"], "answers": [], "state": "sending"}
        self.deliveries.append(log)
        for delay in (*self.retry_delays_s, None):
            claims = {"aud": url, "exp": int(time.time()) + 300, "iat": int(time.time()), "accountId": 1}
            token = jwt.encode(claims, self.signing_secret, algorithm="HS256")
            try:
                answer = await self.http.post(url, json={"event": event}, headers={"Authorization": token})
                log["answers"].append(answer.status_code)
                if answer.is_success:
                    log["state"] = "done"
                    return
            except httpx.TransportError:
                log["answers"].append(0)
            if delay is not None:
                await asyncio.sleep(delay)
        log["state"] = "given up"


TYPES = {"status": "StatusValue", "date": "DateValue", "people": "PeopleValue", "file": "FileValue"}


def _as_status(column: Json, given: Any, create_labels: bool) -> Json:
    """From a label, an index, or {label} / {index}. An unknown label is refused unless labels may be made."""
    labels = _labels(column)
    wanted = given.get("label", given.get("index")) if isinstance(given, dict) else given
    for index, label in labels.items():
        if str(wanted) in (label, index):
            return {"index": int(index), "post_id": None, "changed_at": _now()}
    if not create_labels:
        raise MondayError(
            f"This status label doesn't exist, possible statuses are: {json.dumps(labels)}", "ColumnValueException"
        )
    index = str(max((int(key) for key in labels), default=-1) + 1)
    column["settings_str"] = json.dumps({"labels": {**labels, index: str(wanted)}})
    return {"index": int(index), "post_id": None, "changed_at": _now()}


def _as_date(_column: Json, given: Any, _create: bool) -> Json:
    if isinstance(given, str):
        day, _, clock = given.partition(" ")
        given = {"date": day, "time": clock or None}
    datetime.strptime(given["date"], "%Y-%m-%d").replace(tzinfo=UTC)
    return {"date": given["date"], "time": given.get("time"), "changed_at": _now()}


def _as_people(_column: Json, given: Any, _create: bool) -> Json:
    if isinstance(given, str):
        given = {"personsAndTeams": [{"id": int(one), "kind": "person"} for one in given.split(",")]}
    people = [{"id": int(one["id"]), "kind": one.get("kind", "person")} for one in given["personsAndTeams"]]
    return {"personsAndTeams": people, "changed_at": _now()}


def _as_number(_column: Json, given: Any, _create: bool) -> str:
    float(given)
    return str(given)


def _as_long_text(_column: Json, given: Any, _create: bool) -> Json:
    return {"text": given["text"] if isinstance(given, dict) else str(given), "changed_at": _now()}


def _as_text(_column: Json, given: Any, _create: bool) -> str:
    return given if isinstance(given, str) else json.dumps(given)


def _no_file(_column: Json, _given: Any, _create: bool) -> NoReturn:
    raise ValueError("files are uploaded")


Parser = Callable[[Json, Any, bool], Json | str]
PARSERS: dict[str, Parser] = {
    "status": _as_status,
    "date": _as_date,
    "people": _as_people,
    "numbers": _as_number,
    "long_text": _as_long_text,
    "file": _no_file,
}


def _labels(column: Json) -> dict[str, str]:
    return dict(json.loads(column["settings_str"]).get("labels", {}))


def _loaded(value: Any) -> Any:
    """A JSON argument: monday.com takes it as text; plain text that is no JSON stays text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _variables(given: object) -> Json | None:
    """A query's variables: an object, or the text of one."""
    if isinstance(given, str):
        given = _loaded(given or "{}")
    if given is not None and not isinstance(given, dict):
        raise Refused(400, "Variables are not a JSON object")
    return given


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    """An ISO8601DateTime argument."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MondayError(f"not a date and time: {text}", "InvalidArgumentException") from error


def _ticks(text: str | None) -> int | None:
    """The same in the 17 digits of activity logs: tenths of a microsecond."""
    return None if text is None else int(_moment(text).timestamp() * 10_000_000)


class _FieldCount(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter_field(self, _node: FieldNode, *_: Any) -> None:
        self.count += 1


def _points(document: DocumentNode) -> int:
    """A query's price: monday.com's own formula is not published, so each field costs ten points."""
    counter = _FieldCount()
    visit(document, counter)
    return 10 * counter.count


def _error(message: str, code: str, status: int, *, error: GraphQLError | None = None, **beside: Any) -> Json:
    """An error; *beside* is what stands beside its code."""
    shown: Json = {"message": message}
    if error is not None and error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error is not None and error.path:
        shown["path"] = list(error.path)
    known = (error.extensions or {}) if error is not None else {}
    shown["extensions"] = known or {"code": code, "status_code": status, **beside}
    return shown


def _errors(errors: list[Json], status: int) -> JSONResponse:
    return JSONResponse({"errors": errors, "account_id": 1}, status, headers={"API-Version": API_VERSION})
