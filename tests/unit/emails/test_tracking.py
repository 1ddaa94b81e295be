"""What a mail's events make of its log row."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.emails.rules import tracking

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENT: dict[str, Any] = {
    "id": "x",
    "status": "sent",
    "delivered_at": None,
    "opened_at": None,
    "open_count": 0,
    "clicked_at": None,
    "click_count": 0,
    "bounced_at": None,
    "bounce_type": None,
    "bounce_code": None,
    "error_message": None,
    "complained_at": None,
    "unsubscribed_at": None,
    "delivery_status": {},
}
KINDS = (
    "accepted",
    "delivered",
    "opened",
    "clicked",
    "failed_permanent",
    "failed_temporary",
    "complained",
    "unsubscribed",
    "other",
)


def event(kind: str, at: int = 0, name: str = "", **details: Any) -> dict[str, Any]:
    when = START + timedelta(seconds=at)
    return {"event_id": name or f"{kind}{at}", "event": kind, "occurred_at": when, "details": details}


events = st.lists(
    st.builds(
        event,
        st.sampled_from(KINDS),
        st.integers(0, 5),
        st.uuids().map(str),
        code=st.sampled_from(["250", "550", "421"]),
        reason=st.sampled_from([None, "full", "unknown"]),
    ),
    max_size=8,
)


@given(events, st.randoms(use_true_random=False))
def test_order_does_not_matter(happened: list[dict[str, Any]], dice: random.Random) -> None:
    """Any order of the same events, at once or one after another, gives the same row."""
    at_once = SENT | tracking(SENT, happened)
    shuffled = dice.sample(happened, len(happened))
    row = SENT
    for count in range(1, len(shuffled) + 1):  # as they arrive: each time all that is known so far
        row = row | tracking(row, shuffled[:count])
    assert row == at_once


@given(events)
def test_the_same_events_again_change_nothing(happened: list[dict[str, Any]]) -> None:
    """Delivered twice, counted once."""
    row = SENT | tracking(SENT, happened)
    assert tracking(row, [*happened, *happened]) == {}
    assert row["open_count"] == sum(one["event"] == "opened" for one in happened)


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["delivered"], "delivered"),
        (["failed_permanent", "delivered"], "bounced"),
        (["complained", "delivered"], "complained"),
        (["complained", "failed_permanent"], "bounced"),
        (["failed_temporary"], "sent"),
        (["failed_temporary", "delivered"], "delivered"),
        (["opened", "unsubscribed", "accepted", "other"], "sent"),
    ],
)
def test_status(kinds: list[str], status: str) -> None:
    """A late delivery undoes nothing; a temporary failure is no bounce."""
    row = SENT | tracking(SENT, [event(kind, at) for at, kind in enumerate(kinds)])
    assert row["status"] == status
    assert (row["bounced_at"] is not None) == ("failed_permanent" in kinds)


def test_a_bounce_says_why() -> None:
    """By the latest permanent failure, never by a word that means nothing."""
    changed = tracking(
        SENT, [event("failed_permanent", 2, code="550", reason="No such user"), event("failed_permanent", 1)]
    )
    assert (changed["bounce_type"], changed["bounce_code"], changed["error_message"]) == ("hard", "550", "No such user")
    bare = tracking(SENT, [event("failed_permanent")])
    assert "bounce_code" not in bare and bare["error_message"]


def test_first_times_and_counts() -> None:
    """Opened and clicked keep their first time and count every one."""
    changed = tracking(
        SENT, [event("opened", 9), event("opened", 3), event("clicked", 5, clicked_url="https://a.test")]
    )
    assert (changed["opened_at"], changed["open_count"]) == (START + timedelta(seconds=3), 2)
    assert (changed["clicked_at"], changed["click_count"]) == (START + timedelta(seconds=5), 1)
    assert changed["delivery_status"]["last_opened"].startswith("2026-03-01T12:00:09")
    assert changed["delivery_status"]["clicked_url"] == "https://a.test"


def test_what_was_tracked_before_stays() -> None:
    """Rows of the time before events were kept lose nothing."""
    old = SENT | {"opened_at": START - timedelta(days=9), "open_count": 4, "delivery_status": {"tls": True}}
    row = old | tracking(old, [event("opened", 1)])
    assert (row["opened_at"], row["open_count"], row["delivery_status"]["tls"]) == (START - timedelta(days=9), 4, True)
