"""What Google tells of accounts, locations and reviews, read into our words.

Source: https://developers.google.com/my-business/reference/rest/v4/accounts.locations.reviews#Review
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any

STARS = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
ANONYMOUS = "Anonymous"


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """One review. ``name`` is Google's full name of it; ``rating`` 0: Google does not say."""

    name: str
    rating: int
    text: str
    reviewer: str
    photo_url: str | None
    created_at: datetime
    updated_at: datetime
    reply: str | None
    replied_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One page of a location's reviews, changed last first. ``total``: of all pages; ``next_token`` empty at the end.

    ``unreadable``: how many reviews of the page made no sense (no name, or no time).
    """

    reviews: list[ReviewRecord]
    next_token: str
    total: int
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """``name``: ``accounts/123``."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Location:
    """``name``: ``locations/456``. ``review_url``: where a customer writes a review; empty when Google gives none."""

    name: str
    title: str
    review_url: str
    raw: Mapping[str, Any] = field(repr=False)


def read_review(told: Mapping[str, Any]) -> ReviewRecord | None:
    """A review as Google sends it; None when it has no name or no time."""
    name = _text(told.get("name")) or _text(told.get("reviewId"))
    created = _moment(told.get("createTime"))
    updated = _moment(told.get("updateTime")) or created
    if not name or created is None or updated is None:
        return None
    reviewer, reply = _object(told.get("reviewer")), _object(told.get("reviewReply"))
    words = _text(reply.get("comment"))
    return ReviewRecord(
        name=name,
        rating=STARS.get(str(told.get("starRating")), 0),
        text=_text(told.get("comment")),
        reviewer=_text(reviewer.get("displayName")).strip() or ANONYMOUS,
        photo_url=_text(reviewer.get("profilePhotoUrl")) or None,
        created_at=created,
        updated_at=updated,
        reply=words or None,
        replied_at=_moment(reply.get("updateTime")) if words else None,
        raw=_clean(told),
    )


def read_page(told: Mapping[str, Any]) -> ReviewPage:
    """A page of reviews; what Google leaves out is empty."""
    given = [one for one in _list(told.get("reviews")) if isinstance(one, dict)]
    read = [read_review(one) for one in given]
    reviews = [one for one in read if one is not None]
    total = told.get("totalReviewCount")
    return ReviewPage(
        reviews,
        _text(told.get("nextPageToken")),
        total if isinstance(total, int) and not isinstance(total, bool) else 0,
        len(given) - len(reviews),
    )


def read_account(told: Mapping[str, Any]) -> Account:
    return Account(_text(told.get("name")), _text(told.get("accountName")))


def read_location(told: Mapping[str, Any]) -> Location:
    metadata = _object(told.get("metadata"))
    return Location(
        _text(told.get("name")), _text(told.get("title")), _text(metadata.get("newReviewUri")), _clean(told)
    )


def _clean(told: Any) -> Any:
    """The same, without what PostgreSQL cannot keep: zero bytes, half characters, numbers that are none."""
    if isinstance(told, str):
        return _text(told)
    if isinstance(told, Mapping):
        return {_text(name): _clean(value) for name, value in told.items()}
    if isinstance(told, float) and not isfinite(told):
        return None
    return [_clean(one) for one in told] if isinstance(told, list) else told


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "").encode("utf-8", "ignore").decode()


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _moment(value: object) -> datetime | None:
    """A time of RFC 3339, whose fraction may have nine digits."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
