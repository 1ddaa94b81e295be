"""What a mail's events make of its log row, in whatever order they arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

_COLUMNS = (
    "status",
    "delivered_at",
    "opened_at",
    "open_count",
    "clicked_at",
    "click_count",
    "bounced_at",
    "bounce_type",
    "bounce_code",
    "error_message",
    "complained_at",
    "unsubscribed_at",
    "delivery_status",
)


def tracking(mail: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of ``email_logs`` that must change so that *mail* says what all its *events* say.

    Events are rows of ``email_events``: event_id, event (a kind of ``integrations.mailgun.webhook``), occurred_at,
    details. Only their time counts, not their order here. Delivery, first opening and first click keep the earliest
    time, bounce, complaint and unsubscribe the latest. A bounce outweighs a complaint, and both a delivery, whenever
    they are heard of; a temporary failure is among the details and is no bounce. What was tracked before the events
    were kept as rows stays, and opens and clicks are counted on once there are more events than that.
    """
    known = sorted({event["event_id"]: event for event in events}.values(), key=_when)
    said = {column: mail[column] for column in _COLUMNS}
    told = {**said, **_times(said, known), **_bounce(known), "delivery_status": _details(said, known)}
    told["status"] = _status(told)
    return {column: value for column, value in told.items() if value != said[column]}


def _when(event: Mapping[str, Any]) -> tuple[datetime, str]:
    return event["occurred_at"], event["event_id"]


def _times(said: Mapping[str, Any], events: list[Mapping[str, Any]]) -> dict[str, Any]:
    def at(kind: str) -> list[datetime]:
        return [event["occurred_at"] for event in events if event["event"] == kind]

    def first(column: str, kind: str) -> datetime | None:
        return min([*filter(None, [said[column]]), *at(kind)], default=None)

    def last(column: str, kind: str) -> datetime | None:
        return max([*filter(None, [said[column]]), *at(kind)], default=None)

    return {
        "delivered_at": first("delivered_at", "delivered"),
        "opened_at": first("opened_at", "opened"),
        "open_count": max(said["open_count"], len(at("opened"))),
        "clicked_at": first("clicked_at", "clicked"),
        "click_count": max(said["click_count"], len(at("clicked"))),
        "bounced_at": last("bounced_at", "failed_permanent"),
        "complained_at": last("complained_at", "complained"),
        "unsubscribed_at": last("unsubscribed_at", "unsubscribed"),
    }


def _bounce(events: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Why the mail bounced, by the latest permanent failure."""
    failures = [event for event in events if event["event"] == "failed_permanent"]
    if not failures:
        return {}
    details = failures[-1]["details"]
    return {
        "bounce_type": "hard",
        "bounce_code": details.get("code"),
        "error_message": details.get("reason") or "The mail could not be delivered.",
    }


def _status(told: Mapping[str, Any]) -> str:
    if told["bounced_at"]:
        return "bounced"
    if told["complained_at"]:
        return "complained"
    return "delivered" if told["delivered_at"] else str(told["status"])


def _details(said: Mapping[str, Any], events: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What the dashboard's detail view prints: the events' details laid over each other in the order of time."""
    merged: dict[str, Any] = dict(said["delivery_status"] or {})
    for event in events:
        merged |= event["details"] | _mark(event)
    return merged


def _mark(event: Mapping[str, Any]) -> dict[str, Any]:
    """What the flat details say beside an event's own."""
    at = event["occurred_at"].astimezone(UTC).isoformat()
    marks: dict[str, dict[str, Any]] = {
        "accepted": {"accepted": True, "accepted_at": at},
        "delivered": {"delivered": True},
        "opened": {"last_opened": at},
        "clicked": {"last_clicked": at},
        "failed_permanent": {"bounced": True},
        "complained": {"complained": True},
        "unsubscribed": {"unsubscribed": True},
    }
    return marks.get(event["event"], {})
