"""What the journeys area reads from requests. Texts that may tell of somebody's health stay out of every ``repr``."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.areas.journeys import rules
from shared.areas.journeys.rules import Status
from shared.areas.text import Money, OptionalLongText, OptionalText, blank_is_none, without_nul


def _in_utc(moment: datetime) -> datetime:
    """A time without a zone is UTC's: the dashboard cuts the zone off what it shows, and sends that back."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _blank_is_zero(value: object) -> object:
    return 0 if blank_is_none(value) is None else value


def _whole(weeks: float) -> float:
    return int(weeks) if weeks == int(weeks) else weeks


Moment = Annotated[datetime, AfterValidator(_in_utc)]
OptionalMoment = Annotated[Moment | None, BeforeValidator(blank_is_none)]
OptionalId = Annotated[UUID | None, BeforeValidator(blank_is_none)]
OptionalStatus = Annotated[Status | None, BeforeValidator(blank_is_none)]
Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(without_nul)
]
_Word = Annotated[str, StringConstraints(max_length=500), AfterValidator(without_nul)]
Symptoms = Annotated[list[_Word], Field(max_length=100), AfterValidator(rules.distinct)]
Weeks = Annotated[float, Field(ge=0, le=520, allow_inf_nan=False), AfterValidator(_whole)]
WeeksOrNone = Annotated[Weeks | None, BeforeValidator(blank_is_none)]
WeeksOrZero = Annotated[Weeks, BeforeValidator(_blank_is_zero)]
Flag = Annotated[bool, BeforeValidator(lambda value: bool(blank_is_none(value)) and value)]  # null and blank: no
Position = Annotated[int, Field(ge=0, le=10_000)]


# Journeys


class ListJourneys(BaseModel):
    archived: Flag = False
    include_archived: Flag = False
    status: OptionalStatus = None
    active_client_id: OptionalId = None


class JourneyFields(BaseModel):
    """What may be said of a journey; null empties, what is absent stays."""

    client_name: OptionalText = None
    client_phone: OptionalText = None
    client_email: OptionalText = None
    symptoms: Symptoms | None = Field(default=None, repr=False)
    status: OptionalStatus = None
    paused: bool | None = None
    next_action_at: OptionalMoment = None
    notes_summary: OptionalLongText = Field(default=None, repr=False)
    active_client_id: OptionalId = None
    service_id: OptionalId = None
    parent_journey_id: OptionalId = None

    def columns(self, *, with_nulls: bool) -> dict[str, Any]:
        """The columns to write, without the status."""
        told = {name: getattr(self, name) for name in _COLUMNS if name in self.model_fields_set}
        if not with_nulls:
            return {name: value for name, value in told.items() if value is not None}
        return {name: value for name, value in told.items() if value is not None or name not in _NEVER_NULL}


_COLUMNS: Final = (
    *("client_name", "client_phone", "client_email", "symptoms", "paused", "next_action_at", "notes_summary"),
    *("active_client_id", "service_id", "parent_journey_id"),
)
_NEVER_NULL: Final = frozenset({"symptoms", "paused"})


class StartJourney(JourneyFields):
    """``lead_call_id`` is CTM's id of the call, or that of its row."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    lead_call_id: OptionalText = None
    force_new: Flag = False


class SetStatus(BaseModel):
    status: Status


class Restore(BaseModel):
    status: Annotated[
        Literal["pending", "in_progress", "active_client", "won", "lost"] | None, BeforeValidator(blank_is_none)
    ] = None


class AddJourneyNote(BaseModel):
    body: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(without_nul)
    ] = Field(repr=False)


# Steps


class AddStep(BaseModel):
    """``due_at`` absent: so many weeks from now; null: no date. ``position`` absent: the last."""

    label: Label
    channel: OptionalText = None
    message: OptionalLongText = Field(default=None, repr=False)
    offset_weeks: WeeksOrZero = 0
    due_at: OptionalMoment = None
    notes: OptionalLongText = Field(default=None, repr=False)
    position: Position | None = None

    @property
    def is_dated(self) -> bool:
        return "due_at" in self.model_fields_set


class UpdateStep(BaseModel):
    """Null empties, what is absent stays."""

    label: Label | None = None
    channel: OptionalText = None
    message: OptionalLongText = Field(default=None, repr=False)
    offset_weeks: WeeksOrNone = None
    due_at: OptionalMoment = None
    completed_at: OptionalMoment = None
    notes: OptionalLongText = Field(default=None, repr=False)
    position: Position | None = None

    def columns(self) -> dict[str, Any]:
        """The columns to write, without the position."""
        told = {name: getattr(self, name) for name in self.model_fields_set - {"position"}}
        return {name: value for name, value in told.items() if value is not None or name not in ("label",)}


class CompleteStep(BaseModel):
    """``completed_at`` absent or null: now."""

    completed_at: OptionalMoment = None


class TemplateStep(BaseModel):
    """A step of the template; ``offset_weeks`` after a journey's start it is due."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: Annotated[str, Field(max_length=100), AfterValidator(without_nul)] = Field(default_factory=lambda: uuid4().hex)
    label: Label
    channel: Annotated[str, Field(max_length=300), AfterValidator(without_nul)] = ""
    message: Annotated[str, Field(max_length=20_000), AfterValidator(without_nul)] = ""
    offset_weeks: WeeksOrZero = 0
    tone: OptionalText = None


def _labelled(steps: object) -> object:
    """Without the rows that nobody gave a label, and the fields that were left empty."""
    if not isinstance(steps, list):
        return steps
    rows = [{k: v for k, v in step.items() if v is not None} if isinstance(step, dict) else step for step in steps]
    return [row for row in rows if not isinstance(row, dict) or str(row.get("label", "")).strip()]


class SaveTemplate(BaseModel):
    steps: Annotated[list[TemplateStep], BeforeValidator(_labelled), Field(max_length=100)] = Field(
        validation_alias=AliasChoices("steps", "template")
    )


# Active clients


class ListActiveClients(BaseModel):
    """``status=archived``: those in the archive; anything else: the others."""

    status: str = ""


class AgreedService(BaseModel):
    """``agreed_date`` absent: now."""

    service_id: UUID
    agreed_price: Money = None
    agreed_date: OptionalMoment = None


class Agreement(BaseModel):
    """Somebody agrees to services. Whoever is not named is who called, as ``funnel_data`` and the call tell."""

    services: Annotated[list[AgreedService], Field(min_length=1, max_length=100)]
    client_name: OptionalText = None
    client_phone: OptionalText = None
    client_email: OptionalText = None
    source: OptionalText = None
    funnel_data: Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)] = Field(
        default={}, repr=False
    )
    lead_call_id: OptionalText = None

    def told(self, name: str) -> str | None:
        """A text of ``funnel_data``; None where there is none."""
        value = self.funnel_data.get(name)
        return value.strip()[:2_000] or None if isinstance(value, str) else None

    @property
    def prices(self) -> dict[UUID, tuple[Decimal | None, datetime | None]]:
        """Price and date by service; of two lines about one service the last counts."""
        return {one.service_id: (one.agreed_price, one.agreed_date) for one in self.services}


class UpdateActiveClient(BaseModel):
    """Null empties, what is absent stays; an active client keeps a name."""

    client_name: OptionalText = None
    client_phone: OptionalText = None
    client_email: OptionalText = None
    source: OptionalText = None

    def columns(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in told.items() if value is not None or name != "client_name"}
