"""Pure rules of reviews: what is news, what needs attention, which rule acts, and what may be sent unseen.

Source: seeds DATA_FLOWS §7; spec api-reviews-webhooks-jobs §1 "Rules" and "Do better".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

LONGEST_REPLY: Final = 4096  # bytes, by Google
DEFAULT_STARS: Final = 3  # where a threshold is not set
SENTIMENT_FROM: Final = 10  # characters; shorter texts say too little
NEWS_LATENESS: Final = timedelta(days=2)  # Google may show a review this long after its time
NEWS_AT_MOST: Final = timedelta(days=14)  # a location that was off for longer has brought history
SHORTEST_INTERVAL_MIN: Final = 15

Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES: Final[Sequence[Priority]] = get_args(Priority)  # by urgency


def priority_of(rating: int, *, answered: bool) -> Priority:
    """How urgent a review is when it first arrives."""
    if rating <= 2:
        return "urgent"
    if rating == 3:
        return "high"
    return "low" if rating == 5 and not answered else "normal"


def flag_reason(rating: int, text: str, threshold: int | None, keywords: Iterable[str]) -> str | None:
    """Why a new review is flagged by itself; None when it is not."""
    limit = DEFAULT_STARS if threshold is None else threshold
    if rating <= limit:
        return f"{rating} of 5 stars"
    found = next((word for word in keywords if has_word(text, word)), None)
    return f"mentions “{found}”" if found else None


def has_word(text: str, word: str) -> bool:
    """Whether *text* contains *word*, whatever its case; an empty one is in nothing."""
    return bool(word.strip()) and word.strip().casefold() in text.casefold()


def is_news(created_at: datetime, *, synced_at: datetime | None, now: datetime) -> bool:
    """Whether a review that we see for the first time was just written, and is not history of an import.

    *synced_at*: when the location's reviews were last read to the end; None at its first sync.
    """
    if synced_at is None:
        return False
    return created_at > max(synced_at - NEWS_LATENESS, now - NEWS_AT_MOST)


def parent_of(resource_id: str, account_id: str | None) -> str | None:
    """``accounts/1/locations/2`` of a chosen location, under whichever name it was stored; None without an account."""
    account, location = parts_of(resource_id)
    account = account or (account_id or "").removeprefix("accounts/")
    return f"accounts/{account}/locations/{location}" if account and location else None


def parts_of(resource_id: str) -> tuple[str, str]:
    """Account (perhaps empty) and location number of ``accounts/1/locations/2``, ``locations/2`` or ``2``."""
    found = re.fullmatch(r"(?:accounts/([^/]+)/)?(?:locations/)?([^/]+)", resource_id.strip().strip("/"))
    return (found[1] or "", found[2]) if found else ("", "")


# --- replies ----------------------------------------------------------------------------------------------------------

Step = Literal["done", "put", "taken"]


def next_step(held: str | None, wanted: str, replaces: Sequence[str]) -> Step:
    """What to do about a reply, by the one that Google shows now.

    ``done``: it is there. ``taken``: somebody else has answered meanwhile, and theirs is not to be lost.
    """
    if held is None:
        return "put"
    if same_words(held, wanted):
        return "done"
    return "put" if any(same_words(held, known) for known in replaces) else "taken"


def same_words(one: str, other: str) -> bool:
    """Whether two replies say the same; vendors change white space."""
    return one.split() == other.split()


def too_long(text: str) -> bool:
    return len(text.encode()) > LONGEST_REPLY


def shortened(text: str, characters: int) -> str:
    """*text*, cut after the last whole sentence (else word) that fits *characters* and Google's bytes."""
    cut = text.strip()[:characters].encode()[:LONGEST_REPLY].decode("utf-8", "ignore")
    if cut == text.strip():
        return cut
    ends = [found.end() for found in re.finditer(r"[.!?…](?=\s|$)", cut)]
    if ends and ends[-1] >= len(cut) // 2:
        return cut[: ends[-1]]
    head, _, _ = cut.rpartition(" ")
    return (head or cut).rstrip(" ,;:-")


_ENGLISH = re.compile(r"\b(?:thanks?|you|your|we|our|the|for|sorry)\b", re.IGNORECASE)
_STEERS = re.compile(
    r"ignore (?:all |any |the )?(?:previous|prior|above|earlier)|disregard (?:all|any|the|previous|prior)|system prompt"
    r"|as an ai|you are now|(?:new|following) instructions?|respond with|reply with|say exactly|repeat after",
    re.IGNORECASE,
)
_LEADS_AWAY = re.compile(r"https?:|www\.|\b[\w.-]+@[\w-]+\.\w|\b[\w-]+\.(?:com|net|org|io|info|biz)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\+?\d(?:[\s().-]*\d){6,}")
_HEALTH = re.compile(
    r"\b(?:patients?|diagnos\w+|treatments?|treated|therap\w+|surger\w+|surgical|procedures?|prescri\w+|medications?"
    r"|medicines?|symptoms?|conditions?|x-?rays?|implants?|root canals?|fillings?|crowns?|braces|injur\w+|disease"
    r"|illness\w*|medical|health records?|test results?|insurance)\b",
    re.IGNORECASE,
)
_PROMISES = re.compile(r"\b(?:refund\w*|compensat\w+|lawsuit|liab\w+|free of charge|discount)\b", re.IGNORECASE)


def doubt_about(review_text: str, reply: str) -> str | None:
    """Why a reply that nobody has read should not be sent by itself; None when nothing speaks against it.

    A review is anybody's text, so one that tries to steer its answer is left to a person. A reply confirms nothing
    about anybody's health: that a reviewer was a patient is not ours to publish.
    """
    if _STEERS.search(review_text):
        return "The review reads like instructions."
    return doubt_in(reply) or (None if _ENGLISH.search(reply) else "The reply is not in English.")


def doubt_in(words: str) -> str | None:
    """What in these words a person should see before they are published; only English ones are understood."""
    for pattern, doubt in (
        (_LEADS_AWAY, "The reply names an address."),
        (_NUMBER, "The reply names a number."),
        (_HEALTH, "The reply speaks of health."),
        (_PROMISES, "The reply promises something."),
    ):
        if pattern.search(words):
            return doubt
    return None


# --- automation -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules look at in a review."""

    rating: int
    text: str
    sentiment: str | None
    location_id: str | None


def matches(rule: Mapping[str, Any], review: Facts) -> bool:
    """Whether a rule is meant for this review. What is not known is no match: no mood, no text to find words in."""
    if rule["min_rating"] is not None and review.rating < rule["min_rating"]:
        return False
    if rule["max_rating"] is not None and review.rating > rule["max_rating"]:
        return False
    if rule["sentiment_filter"] and review.sentiment not in rule["sentiment_filter"]:
        return False
    if rule["location_ids"] and review.location_id not in rule["location_ids"]:
        return False
    triggers = rule["keyword_triggers"] or ()
    if triggers and not any(has_word(review.text, word) for word in triggers):
        return False
    return not any(has_word(review.text, word) for word in rule["keyword_exclusions"] or ())


def may_send_itself(rule: Mapping[str, Any], rating: int) -> bool:
    """Whether a rule's reply may leave without a person: only when it says so, and for good reviews only."""
    threshold = rule["approval_threshold_rating"]
    return not rule["requires_approval"] and rating > (DEFAULT_STARS if threshold is None else threshold)


_PLACE = re.compile(r"\{\{?\s*(\w+)\s*\}?\}")


def filled(template: str, values: Mapping[str, str]) -> str:
    """A person's template with ``{reviewer_name}``, ``{business_name}`` … put in; other braces stay as they are.

    What is put in is not looked at again, so that nothing in a name is a place of its own.
    """
    return _PLACE.sub(lambda found: values.get(found[1].lower(), found[0]), template)
