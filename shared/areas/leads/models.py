"""What the leads area reads from requests, and what it asks of CTM, the AI and the document store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, StringConstraints, field_validator


class CallRecord(Protocol):
    """One call, text or form as CTM tells it (``integrations.ctm.records.CallRecord``). Empty text: nothing told."""

    @property
    def id(self) -> str: ...
    @property
    def score(self) -> int: ...
    @property
    def transcript(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def caller_name(self) -> str: ...
    @property
    def caller_number(self) -> str: ...
    @property
    def caller_email(self) -> str: ...
    @property
    def contact_id(self) -> str: ...
    @property
    def to_number(self) -> str: ...
    @property
    def duration_s(self) -> int: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def region(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def states(self) -> tuple[str, ...]: ...
    @property
    def assets(self) -> tuple[Mapping[str, Any], ...]: ...
    @property
    def recording_url(self) -> str: ...
    @property
    def transcript_url(self) -> str: ...


class Page(Protocol):
    @property
    def calls(self) -> Sequence[CallRecord]: ...
    @property
    def is_last(self) -> bool: ...


class Sale(Protocol):
    @property
    def score(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def day(self) -> date | None: ...


class Ctm(Protocol):
    """One CTM account (``integrations.ctm.client``)."""

    async def page(self, number: int, since: date, until: date) -> Page: ...

    async def sale(self, call_id: str) -> Sale: ...

    async def rate(self, call_id: str, *, score: int, conversion: int, value: float, on: date) -> None: ...


def _day_or_moment(value: object) -> object:
    """A day is its first instant in UTC; a time without zone is UTC's."""
    if isinstance(value, str) and value.strip():
        told = datetime.fromisoformat(value.strip())
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told
    return value


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Colour = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(#[0-9A-Fa-f]{3,8}|[A-Za-z]{1,30})$")]
Moment = Annotated[datetime, BeforeValidator(_day_or_moment)]


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


class ListCalls(BaseModel):
    """The query of the list. A ``date_to`` that names a day includes the whole of it."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=50, ge=1, le=100)
    search: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    caller_type: str = ""
    category: Text = ""
    date_from: Annotated[Moment | None, BeforeValidator(_none_if_empty)] = None
    date_to: Annotated[Moment | None, BeforeValidator(_none_if_empty)] = None
    sort_by: str = "started_at"
    sort_order: str = "desc"
    sync: bool = False

    @field_validator("search")
    @classmethod
    def _no_nul(cls, text: str) -> str:
        return text.replace("\x00", "")

    @field_validator("date_to", mode="before")
    @classmethod
    def _whole_day(cls, value: object) -> object:
        if isinstance(value, str) and len(value.strip()) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(value.strip()), time.max, UTC)
        return value


class StartSync(BaseModel):
    full_sync: bool = Field(default=False, alias="fullSync")


class Rate(BaseModel):
    score: int = Field(ge=1, le=5, strict=True)


class SetCategory(BaseModel):
    category: str


class LinkClient(BaseModel):
    active_client_id: UUID = Field(alias="activeClientId")


class MoveCall(BaseModel):
    stage_id: UUID | None


class StatsQuery(BaseModel):
    days: int = Field(default=30, ge=1, le=365)


class CreateStage(BaseModel):
    name: Name
    color: Colour = "#6366f1"
    position: int | None = Field(default=None, ge=0, le=10_000)
    is_won_stage: bool = False
    is_lost_stage: bool = False


class UpdateStage(BaseModel):
    name: Name | None = None
    color: Colour | None = None
    position: int | None = Field(default=None, ge=0, le=10_000)
    is_won_stage: bool | None = None
    is_lost_stage: bool | None = None


class AddNote(BaseModel):
    body: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    note_type: Literal["note", "call", "email", "sms", "meeting"] = "note"
    metadata: dict[str, Any] = {}


class CreateTag(BaseModel):
    name: Name
    color: Colour | None = None


class TagCall(BaseModel):
    tag_id: UUID | None = Field(default=None, validation_alias=AliasChoices("tag_id", "tagId"))
    tag_name: Name | None = None
    tag_color: Colour | None = None


class SaveView(BaseModel):
    name: Name
    filters: dict[str, Any] = {}
    is_default: bool = False


class Reclassify(BaseModel):
    limit: int = Field(default=200, ge=1, le=5000)
    force: bool = True


class SyncDue(BaseModel):
    """A fact: a connected client's calls should be read again; a long window that was left goes on."""

    client_id: UUID


class CallIngested(BaseModel):
    """A fact: a call has words that have no label yet."""

    owner_id: UUID
    call_id: str
    version: str


class PushRating(BaseModel):
    """The work of posting ratings: one call's or, without a call, all of the client's that wait.

    The latter is the probe of a CTM that is out: ``due`` says since when it may ask, ``failures`` how often others did.
    """

    owner_id: UUID
    call_id: str | None = None
    due: datetime | None = None
    failures: int = 0
