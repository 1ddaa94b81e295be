"""What monday.com tells of boards, people and items, read from its JSON. Source: developer.monday.com/api-reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Named:
    """A board (id, name) or a group (id, title)."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Column:
    id: str
    title: str
    type: str  # status, date, people, file, text, …


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Value:
    """A cell: what it shows, and its parsed value (None when it is empty)."""

    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class Update:
    """A comment on an item. ``text`` is without markup; times are ISO 8601."""

    id: str
    text: str
    creator_id: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a board. ``values`` holds every column of the board but the name; times are ISO 8601."""

    id: str
    name: str
    state: str  # active, archived or deleted
    board_id: str
    group_id: str
    group: str  # the group's title
    created_at: str
    creator_id: str
    last_update_id: str  # of its newest comment; empty when there is none
    values: Mapping[str, Value]

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    def text(self, column_id: str) -> str:
        """What a cell shows; empty where it is empty or the board has no such column."""
        found = self.values.get(column_id)
        return found.text if found else ""

    def day(self, column_id: str) -> str:
        """A date cell's day, YYYY-MM-DD, without its time; empty where there is none."""
        found = self.values.get(column_id)
        told = found.value.get("date") if found and isinstance(found.value, dict) else None
        try:
            return date.fromisoformat(told).isoformat() if isinstance(told, str) else ""
        except ValueError:
            return ""

    def files(self) -> list[tuple[str, str]]:
        """(asset id, name) of every file in its file columns; monday.com spells the id ``assetId``."""
        found = []
        for cell in self.values.values():
            told = cell.value.get("files") if isinstance(cell.value, dict) else None
            for file in told if isinstance(told, list) else []:
                asset = file.get("assetId") or file.get("asset_id") if isinstance(file, dict) else None
                if asset:
                    found.append((_text(asset), _text(file.get("name")) or "file"))
        return found


def read_named(told: Mapping[str, Any], name: str) -> Named:
    """A board or a group; *name* is where its name is."""
    return Named(_text(told["id"]), _text(told.get(name)))


def read_column(told: Mapping[str, Any]) -> Column:
    return Column(_text(told["id"]), _text(told.get("title")), _text(told.get("type")))


def read_person(told: Mapping[str, Any]) -> Person:
    return Person(_text(told["id"]), _text(told.get("name")), _text(told.get("email")))


def read_item(told: Mapping[str, Any]) -> Item:
    board, group = told.get("board") or {}, told.get("group") or {}
    return Item(
        id=_text(told["id"]),
        name=_text(told.get("name")),
        state=_text(told.get("state")) or "active",
        board_id=_text(board.get("id")),
        group_id=_text(group.get("id")),
        group=_text(group.get("title")),
        created_at=_text(told.get("created_at")),
        creator_id=_text(told.get("creator_id")),
        last_update_id=next((_text(one["id"]) for one in told.get("updates") or []), ""),
        values={_text(cell["id"]): _value(cell) for cell in told.get("column_values") or []},
    )


def read_update(told: Mapping[str, Any]) -> Update:
    return Update(
        _text(told["id"]), _text(told.get("text_body")), _text(told.get("creator_id")), _text(told.get("created_at"))
    )


def _text(told: object) -> str:
    """A text that can be kept: without zero bytes and halves of characters, which JSON may hold."""
    return "" if told is None else str(told).replace("\0", "").encode(errors="replace").decode()


def read_moment(told: object) -> datetime:
    """When something was done: ISO 8601, or seconds with further digits and no point (activity logs have 17).

    What cannot be read counts as now: too late is safe for whoever asks what is new.
    """
    text = str(told or "")
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text[:10]) + float(f"0.{text[10:] or 0}"), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _value(cell: Mapping[str, Any]) -> Value:
    raw = cell.get("value")
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            raw = None
    return Value(_text(cell.get("text")), raw)
