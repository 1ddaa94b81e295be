"""How much of somebody's time is billed, and which moments a day has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.areas.tasks.time_rules import (
    MOST_MINUTES,
    Billed,
    ChangeTime,
    LogTime,
    Report,
    billed,
    moments,
    rebilled,
    today,
)
from shared.config import Settings
from shared.errors import Invalid

minutes = st.integers(0, MOST_MINUTES)
maybe = st.none() | minutes
flag = st.none() | st.booleans()
entries = st.tuples(minutes, maybe, flag)
days = st.dates(date(1971, 1, 1), date(2199, 1, 1))
zones = st.sampled_from(["America/New_York", "Europe/Berlin", "Pacific/Auckland", "Asia/Kathmandu", "UTC"]).map(
    ZoneInfo
)


@given(entries)
def test_never_more_is_billed_than_was_spent(entry: tuple[int, int | None, bool | None]) -> None:
    """An entry is kept as told or refused: unbillable time bills nothing, billable time at most all of it."""
    spent, told, is_billable = entry
    try:
        sums = billed(spent, told, is_billable)
    except Invalid:
        assert told is not None
        assert told > spent or is_billable is False
        return
    assert sums.spent == spent
    assert 0 <= sums.billable <= spent
    assert sums.is_billable is (is_billable is not False)
    assert sums.is_billable or sums.billable == 0
    assert told is None or sums.billable == told


@given(entries, maybe, maybe, flag)
def test_a_change_leaves_a_sound_entry(
    entry: tuple[int, int | None, bool | None], spent: int | None, told: int | None, is_billable: bool | None
) -> None:
    """Whatever is changed of a sound entry, it is sound again or refused; what was not told stays if it can."""
    try:
        before = billed(*entry)
    except Invalid:
        return
    change = ChangeTime(time_spent_minutes=spent, billable_minutes=told, is_billable=is_billable)
    try:
        after = rebilled(before, change)
    except Invalid:
        assert told is not None
        return
    assert 0 <= after.billable <= after.spent
    assert after.is_billable or after.billable == 0
    assert spent is None or after.spent == spent
    assert told is None or after.billable == told
    if spent is None and is_billable is None and told is None and before.is_billable:
        assert after == before


def test_what_is_billed_follows_what_is_spent() -> None:
    """All of it stays all of it; a part stays that part while it fits; made billable, all of it is."""
    longer, shorter = ChangeTime(time_spent_minutes=90), ChangeTime(time_spent_minutes=30)
    assert rebilled(Billed(60, 60, True), longer) == Billed(90, 90, True)
    assert rebilled(Billed(60, 45, True), longer) == Billed(90, 45, True)
    assert rebilled(Billed(60, 45, True), shorter) == Billed(30, 30, True)
    assert rebilled(Billed(60, 0, False), ChangeTime(is_billable=True)) == Billed(60, 60, True)
    assert rebilled(Billed(60, 0, True), longer) == Billed(90, 0, True)


@given(days, st.integers(0, 400), zones)
def test_the_days_of_a_range_have_no_gap_and_no_overlap(start: date, more: int, zone: ZoneInfo) -> None:
    """One range ends where the next begins, whatever the clocks of the zone do in between."""
    end = start + timedelta(days=more)
    first, after = moments(start, end, zone)
    following, _ = moments(end + timedelta(days=1), None, zone)
    assert first is not None
    assert after == following
    assert today(zone, first) == start
    assert after is not None
    assert today(zone, after - timedelta(milliseconds=1)) == end


def test_days_begin_where_the_agency_is() -> None:
    """Three in the morning in UTC is the evening before in New York, in summer by four hours and in winter by five."""
    zone = Settings().agency_zone
    assert today(zone, datetime(2026, 7, 2, 3, 59, tzinfo=UTC)) == date(2026, 7, 1)
    assert today(zone, datetime(2026, 1, 2, 4, 59, tzinfo=UTC)) == date(2026, 1, 1)
    assert moments(date(2026, 3, 8), date(2026, 3, 8), zone) == (
        datetime(2026, 3, 8, 5, tzinfo=UTC),
        datetime(2026, 3, 9, 4, tzinfo=UTC),
    )
    assert moments(None, None, zone) == (None, None)


def test_a_zone_that_is_none_stops_the_instance() -> None:
    """The variable is named."""
    assert Settings.from_env({"AGENCY_TIME_ZONE": " Europe/Berlin "}).agency_zone == ZoneInfo("Europe/Berlin")
    with pytest.raises(ValueError, match="AGENCY_TIME_ZONE"):
        Settings.from_env({"AGENCY_TIME_ZONE": "Mars/Olympus"})


@given(st.text(max_size=12) | st.integers() | st.booleans() | st.floats())
def test_only_a_date_is_a_date(told: object) -> None:
    """Anything but YYYY-MM-DD of a sensible year is refused; nothing at all is no date."""
    try:
        read = LogTime.model_validate({"time_spent_minutes": 1, "work_date": told}).work_date
    except ValidationError:
        return
    assert (isinstance(told, str) and not told.strip() and read is None) or (read is not None and str(read) == told)


def test_a_range_ends_after_it_begins() -> None:
    """One day is a range; a day before its own beginning is none."""
    board = "6a1c4f5e-5d8e-4c51-9f0d-3d4f6bb3f6aa"
    Report.model_validate({"board_ids": [board], "start_date": "2026-01-02", "end_date": "2026-01-02"})
    with pytest.raises(ValidationError):
        Report.model_validate({"board_ids": [board], "start_date": "2026-01-02", "end_date": "2026-01-01"})
