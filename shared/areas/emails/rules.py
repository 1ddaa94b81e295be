"""What a mail's events make of its log row, in whatever order they arrive."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from shared.areas.emails.models import MailEvent, Tracking

KEPT_EVENTS = 20  # of each kind; counts go on beyond it


def tracked(before: Tracking, event: MailEvent) -> Tracking:
    """The row after *event*. The same events give the same row in any order.

    First times are the earliest, bounce and complaint the latest. A bounce outweighs a complaint, and both a delivery,
    whenever they are heard of; a temporary failure is noted but is no bounce. Events must come here once: opens count.

    ``delivery_status`` keeps the last events of each kind under ``events``, and beside them their details merged in the
    order of time, which is what the dashboard's detail view prints.
    """
    after = replace(before, delivery_status=_noted(before.delivery_status, event))
    at = event.occurred_at
    match event.kind:
        case "delivered":
            after = replace(after, delivered_at=_earliest(before.delivered_at, at))
        case "opened":
            after = replace(after, opened_at=_earliest(before.opened_at, at), open_count=before.open_count + 1)
        case "clicked":
            after = replace(after, clicked_at=_earliest(before.clicked_at, at), click_count=before.click_count + 1)
        case "failed_permanent":
            after = _bounced(after)
        case "complained":
            after = replace(after, complained_at=_latest(before.complained_at, at))
        case "unsubscribed":
            after = replace(after, unsubscribed_at=_latest(before.unsubscribed_at, at))
    return replace(after, status=_status(after))


def changes(before: Tracking, after: Tracking) -> dict[str, Any]:
    """Column → new value, of the columns that differ."""
    pairs = ((one.name, getattr(before, one.name), getattr(after, one.name)) for one in fields(Tracking))
    return {name: new for name, old, new in pairs if new != old}


def _status(row: Tracking) -> str:
    if row.bounced_at:
        return "bounced"
    if row.complained_at:
        return "complained"
    return "delivered" if row.delivered_at else row.status


def _earliest(known: datetime | None, at: datetime) -> datetime:
    return min(known, at) if known else at


def _latest(known: datetime | None, at: datetime) -> datetime:
    return max(known, at) if known else at


def _bounced(row: Tracking) -> Tracking:
    """The bounce columns, after the latest permanent failure that was noted."""
    last = max((one for one in row.delivery_status["events"] if one["kind"] == "failed_permanent"), key=_when)
    return replace(
        row,
        bounced_at=_latest(row.bounced_at, datetime.fromisoformat(last["at"])),
        bounce_type="hard",
        bounce_code=last["code"],
        error_message=last["reason"] or "The mail could not be delivered.",
    )


def _noted(known: Any, event: MailEvent) -> dict[str, Any]:
    """``delivery_status`` with one event more."""
    happened = {
        "id": event.event_id,
        "kind": event.kind,
        "at": event.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "code": event.code,
        "reason": event.reason,
        "details": dict(event.details),
    }
    events = [one for one in known.get("events", []) if isinstance(one, dict) and one.get("id") != event.event_id]
    alike = sorted([happened, *(one for one in events if one["kind"] == event.kind)], key=_when)[-KEPT_EVENTS:]
    kept = sorted([*alike, *(one for one in events if one["kind"] != event.kind)], key=_when)
    merged: dict[str, Any] = {key: value for key, value in known.items() if not events and key != "events"}
    for one in kept:
        merged |= one["details"] | _marks(one)
    return {**merged, "events": kept}


def _when(one: dict[str, Any]) -> tuple[str, str]:
    return one["at"], one["id"]


def _marks(one: dict[str, Any]) -> dict[str, Any]:
    """What the flat part says beside an event's own details."""
    match one["kind"]:
        case "accepted":
            return {"accepted": True, "accepted_at": one["at"]}
        case "delivered":
            return {"delivered": True}
        case "opened":
            return {"last_opened": one["at"]}
        case "clicked":
            return {"last_clicked": one["at"]}
        case "failed_permanent":
            return {"bounced": True}
        case "complained" | "unsubscribed" as kind:
            return {kind: True}
        case _:
            return {}


def harmless(page: str) -> str:
    """A mail's HTML as a page may show it: formatting stays, scripts, forms, frames and handlers go."""
    import nh3

    style = {"style", "align", "width", "height", "bgcolor", "border", "cellpadding", "cellspacing", "role"}
    return nh3.clean(
        page,
        attributes={"*": style, "a": {"href", "title"}, "img": {"src", "alt"}},
        url_schemes={"http", "https", "mailto"},
    )
