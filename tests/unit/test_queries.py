"""What lists are asked for, read from text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.areas.queries import From, PageNumber, PageSize, To, like_pattern

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


class Query(BaseModel):
    page: PageNumber = 1
    limit: PageSize = 20
    since: From = None
    until: To = None


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_pages_are_the_nearest(page: int, limit: int) -> None:
    """Any number is a page and a size."""
    query = Query.model_validate({"page": str(page), "limit": str(limit)})
    assert (query.page, query.limit) == (max(1, min(page, 1_000_000)), max(1, min(limit, 100)))


@pytest.mark.parametrize("given_page", ["", "one", "1.5", "--1", "²"])
def test_what_is_no_number_is_refused(given_page: str) -> None:
    """A word is no page."""
    with pytest.raises(ValidationError):
        Query.model_validate({"page": given_page})


@given(st.dates())
def test_a_day_is_all_of_it(day: object) -> None:
    """From its first instant to its last, in UTC."""
    query = Query.model_validate({"since": f" {day} ", "until": str(day)})
    assert query.since is not None
    assert query.until is not None
    assert (query.since.isoformat(), query.until.isoformat()) == (
        f"{day}T00:00:00+00:00",
        f"{day}T23:59:59.999999+00:00",
    )


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES))
def test_a_time_keeps_its_instant(moment: datetime) -> None:
    """Whatever its zone; one without is UTC's."""
    query = Query.model_validate({"since": moment.isoformat(), "until": moment.replace(tzinfo=None).isoformat()})
    assert (query.since, query.until) == (moment, moment.replace(tzinfo=UTC))


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    """Never a crash; a refusal does not repeat what was sent."""
    try:
        query = Query.model_validate({"since": text})
    except ValidationError as error:
        assert [found["msg"] for found in error.errors()] == ["Value error, is not a date such as 2026-01-31"]
        return
    assert (query.since is None) == (not text.strip())


@given(st.text(max_size=60))
def test_a_search_means_itself(words: str) -> None:
    """Wildcards are escaped; blank words search nothing."""
    pattern = like_pattern(words)
    assert (pattern is None) == (not words.strip())
    if pattern:
        assert pattern[1:-1].replace("\\\\", "").replace("\\%", "").replace("\\_", "").count("%") == 0
