"""Time as people log it: how much of it is billed, and which moments a range of days holds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from shared.areas.tasks.models import Day
from shared.areas.text import blank_is_none
from shared.errors import Invalid

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MOST_MINUTES = 44_640  # a month without sleep


def _of_our_time(day: date | None) -> date | None:
    if day is not None and not date(1970, 1, 1) <= day <= date(2199, 12, 31):
        raise ValueError("must be a date between 1970 and 2199")
    return day


OptionalDay = Annotated[Day, BeforeValidator(blank_is_none), AfterValidator(_of_our_time)]


def _minutes(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number of minutes")
    return value


Minutes = Annotated[int, BeforeValidator(_minutes), Field(ge=0, le=MOST_MINUTES)]
Description = Annotated[Annotated[str, StringConstraints(max_length=5_000)] | None, BeforeValidator(blank_is_none)]
Category = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None, BeforeValidator(blank_is_none)
]


class LogTime(BaseModel):
    """Time spent on an item. ``work_date`` is the day it is billed for: today unless told."""

    time_spent_minutes: Minutes
    billable_minutes: Minutes | None = None
    description: Description = None
    work_category: Category = None
    is_billable: bool | None = None
    work_date: OptionalDay = None


class ChangeTime(BaseModel):
    """What of an entry is to be different; what is not told stays."""

    time_spent_minutes: Minutes | None = None
    billable_minutes: Minutes | None = None
    description: Description = None
    work_category: Category = None
    is_billable: bool | None = None
    work_date: OptionalDay = None


@dataclass(frozen=True, slots=True)
class Billed:
    """How long somebody worked, and how much of that is billed."""

    spent: int
    billable: int
    is_billable: bool


def billed(spent: int, billable: int | None, is_billable: bool | None) -> Billed:
    """What a new entry bills: all of it unless told otherwise, never more than was spent."""
    chosen = True if is_billable is None else is_billable
    if billable is None:
        return Billed(spent, spent if chosen else 0, chosen)
    if billable > spent:
        raise Invalid.field("billable_minutes", "must not be more than the time spent")
    if billable and not chosen:
        raise Invalid.field("billable_minutes", "must be 0 for time that is not billable")
    return Billed(spent, billable, chosen)


def rebilled(before: Billed, change: ChangeTime) -> Billed:
    """What a changed entry bills.

    An entry that billed all of its time goes on doing so; one that billed a part keeps that part while it fits.
    """
    spent = before.spent if change.time_spent_minutes is None else change.time_spent_minutes
    chosen = before.is_billable if change.is_billable is None else change.is_billable
    if change.billable_minutes is not None:
        return billed(spent, change.billable_minutes, chosen)
    if not chosen:
        return Billed(spent, 0, False)
    whole = not before.is_billable or before.billable >= before.spent
    return Billed(spent, spent if whole else min(before.billable, spent), True)


class Report(BaseModel):
    """Which boards a report is about, and which days, both included; a bound that is missing is open."""

    board_ids: Annotated[Sequence[UUID], Field(min_length=1, max_length=1_000)]
    start_date: OptionalDay = None
    end_date: OptionalDay = None

    @model_validator(mode="after")
    def _in_order(self) -> Report:
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ValueError("end_date must not be before start_date")
        return self


class BillingReport(Report):
    """``limit`` and ``offset`` page through the items of a large report; without ``limit`` all are told."""

    limit: Annotated[int, Field(ge=1, le=1_000)] | None = None
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


def moments(start: date | None, end: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The first moment of the days from *start* to *end*, and the first one after them, where days begin in *zone*."""
    after = None if end is None else end + timedelta(days=1)
    return _midnight(start, zone), _midnight(after, zone)


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, zone).astimezone(UTC)


def today(zone: ZoneInfo, now: datetime) -> date:
    """The day that it is in *zone*."""
    return now.astimezone(zone).date()
