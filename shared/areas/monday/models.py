"""What goes over the wire of the monday area, and what it asks of monday.com."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from shared.areas.text import OptionalLongText, OptionalText, blank_is_none


class Named(Protocol):
    """A board or a group (``integrations.monday.records.Named``)."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


class Column(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def type(self) -> str: ...


class Person(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


class Update(Protocol):
    """A comment; ``text`` is without markup."""

    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def creator_id(self) -> str: ...
    @property
    def created_at(self) -> str: ...


class Item(Protocol):
    """An item at monday.com (``integrations.monday.records.Item``)."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def board_id(self) -> str: ...
    @property
    def group_id(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def created_at(self) -> str: ...
    @property
    def creator_id(self) -> str: ...
    @property
    def last_update_id(self) -> str: ...
    @property
    def values(self) -> Mapping[str, Any]: ...
    def text(self, column_id: str) -> str: ...
    def day(self, column_id: str) -> str: ...
    def files(self) -> list[tuple[str, str]]: ...


class Monday(Protocol):
    """The account at monday.com (``integrations.monday.client.MondayClient``)."""

    async def boards(self) -> Sequence[Named]: ...
    async def groups(self, board_id: str) -> Sequence[Named]: ...
    async def columns(self, board_id: str) -> Sequence[Column]: ...
    async def me(self) -> str: ...
    async def people(self) -> Sequence[Person]: ...
    async def activity(self, board_ids: Sequence[str], since: datetime) -> Mapping[str, datetime]: ...
    async def items(self, board_id: str, group_ids: Sequence[str]) -> Sequence[Item]: ...
    async def items_named(self, board_id: str, name: str) -> Sequence[Item]: ...
    async def items_by_id(self, ids: Sequence[str]) -> Sequence[Item]: ...
    async def asset_urls(self, ids: Sequence[str]) -> dict[str, str]: ...
    async def create_item(self, board_id: str, group_id: str, name: str, values: Mapping[str, Any]) -> str: ...
    async def change_values(self, board_id: str, item_id: str, values: Mapping[str, Any]) -> None: ...
    async def archive_item(self, item_id: str) -> None: ...
    async def add_update(self, item_id: str, body: str) -> str: ...
    async def updates(self, item_id: str) -> Sequence[Update]: ...
    async def add_file(self, item_id: str, column_id: str, name: str, content_type: str, data: bytes) -> None: ...


class MondaySettings(BaseModel):
    """What holds for every client. A column that is left empty is not used."""

    monday_reference_board_id: OptionalText = None
    monday_client_column_id: OptionalText = None
    monday_person_column_id: OptionalText = "person"
    monday_person_id: OptionalText = None
    monday_status_column_id: OptionalText = "status"
    monday_status_label: OptionalText = "Assigned"
    monday_rush_status_label: OptionalText = "Rush Job"
    monday_due_date_column_id: OptionalText = "date4"
    monday_client_files_column_id: OptionalText = None


class BoardsQuery(BaseModel):
    """``search``: only boards with this in their names, in any case."""

    search: OptionalText = None


def _yes(value: object) -> object:
    """A flag as forms send it; left empty, it is no."""
    return False if value is None or value == "" else value


class SubmitRequest(BaseModel):
    """A client's request. ``due_date``: YYYY-MM-DD; ``person_override``: a person's id at monday.com."""

    title: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=255)] | None, BeforeValidator(blank_is_none)
    ] = None
    description: OptionalLongText = None
    due_date: Annotated[date | None, BeforeValidator(blank_is_none)] = None
    rush: Annotated[bool, BeforeValidator(_yes)] = False
    person_override: Annotated[Annotated[str, Field(pattern=r"^\d{1,20}$")] | None, BeforeValidator(blank_is_none)] = (
        None
    )


class FinishRequest(BaseModel):
    """The work of ``monday_finish_request``."""

    request_id: UUID


class SyncItem(BaseModel):
    """The work of ``monday_sync_item``."""

    link_id: UUID


class SyncDue(BaseModel):
    """The fact of topic ``monday-sync-due``: a client's items should be read from monday.com again."""

    client_id: UUID
