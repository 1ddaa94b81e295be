"""What a vendor's unsuccessful answer means, and how long it asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import vendor_error


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("7", 7), ("1.5", 1.5), (" 3 ", 3), ("0", 0), ("-5", 0), ("9" * 400, 86_400), ("inf", 86_400),
     ("nan", None), ("soon", None), ("", None), (None, None), ("²", None), ("99 Foo 2026", None)],
)  # fmt: skip
def test_seconds_to_wait(header: str | None, wait_s: float | None) -> None:
    """Whole or not; never below nothing, never more than a day; nonsense names no time."""
    assert vendor_error("ctm", 429, retry_after=header).retry_after_s == wait_s


def test_a_date_to_wait_for() -> None:
    """Retry-After may be a date; one that is past asks for no wait."""
    then = datetime.now(UTC) + timedelta(minutes=2)
    for header in (format_datetime(then, usegmt=True), format_datetime(then)):
        assert vendor_error("ctm", 429, retry_after=header).retry_after_s == pytest.approx(120, abs=2)
    assert vendor_error("ctm", 429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT").retry_after_s == 0


@given(st.text())
def test_no_header_breaks_the_reader(header: str) -> None:
    """Whatever a vendor sends, there is a wait in bounds, or none."""
    wait = vendor_error("ctm", 503, retry_after=header).retry_after_s
    assert wait is None or 0 <= wait <= 86_400
