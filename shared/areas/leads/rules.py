"""What follows from a call without asking anybody: its first category, its stars, whose rating counts, its meta.

Ratings are settled by a three-way comparison, the same in both directions (docs/decisions, "Whose rating counts").
Everything here is pure. Sources: seeds DATA_FLOWS §3, INTEGRATIONS §1; spec api-leads §1 "Rules".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from shared.areas.leads.classification import STARS
from shared.areas.leads.models import CallRecord

# What a person may choose. "converted" is theirs alone.
CATEGORIES: Final = tuple(STARS)
_OF_STARS: Final = {1: "spam", 2: "not_a_fit", 3: "warm", 4: "very_good", 5: "converted"}

UNANSWERED: Final = "Nobody answered, and nothing was said."
STUB: Final = "Only a notice that somebody got in touch; nothing to judge yet."
VOICEMAIL: Final = "A voicemail without a transcript."

_STUB = re.compile(r"(?:new call from:|repeat call from:|call from:|caller transcript:|website visitor)")
_NOT_ANSWERED = ("missed", "unanswered", "no answer", "no-answer", "busy")
_VOICEMAIL = ("voicemail", "voice mail")
_PROMISING = frozenset({"warm", "very_good", "applicant"})
MIN_MESSAGE: Final = 10  # a message must say more than this many characters to be judged

By = Literal["user", "auto", "ctm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A call's stars here, and what is known of them in CTM.

    ``agreed``: the last value that both sides had; ``pending``: ``score`` is not in CTM yet; ``posting``: it is being
    posted right now; ``touched_at``: when we last changed or posted it.
    """

    score: int = 0
    by: By | None = None
    agreed: int = 0
    pending: bool = False
    posting: bool = False
    touched_at: datetime | None = None


def rating_after_reading(known: Rating, seen: int, read_at: datetime) -> Rating:
    """The rating after CTM was seen to hold *seen* stars in an answer asked for at *read_at* (the database's clock).

    A person's rating that waits to be posted stays; so does one that is being posted, and one that changed since CTM
    was asked. An automatic one gives way to a person's in CTM. Otherwise what changed in CTM counts, also its removal.
    """
    stale = known.touched_at is not None and known.touched_at >= read_at
    if known.posting or stale or (known.pending and known.by == "user") or seen == known.agreed:
        return known
    if known.pending and seen == 0:
        return known
    return replace(known, score=seen, by="ctm", agreed=seen, pending=False)


def may_post(by: str | None, agreed: int, held: int) -> bool:
    """Whether our rating may replace the stars CTM holds now: a person's always, an automatic one only nobody's."""
    return by == "user" or held == 0 or held == agreed


def category_of_rating(score: int, current: str) -> str:
    """The category that *score* (1 to 5) stars mean; one that already has so many stars stays."""
    return current if STARS.get(current) == score else _OF_STARS[score]


def is_voicemail(call: CallRecord) -> bool:
    return any(word in state for state in (*call.states, call.direction.lower()) for word in _VOICEMAIL)


def is_stub(message: str) -> bool:
    text = message.strip().lower()
    return text == "website" or _STUB.match(text) is not None


def conversation(call: CallRecord) -> str:
    """The words to judge: the transcript, else a message that says something; empty when there are none."""
    if call.transcript.strip():
        return call.transcript
    if len(call.message.strip()) > MIN_MESSAGE and not is_stub(call.message):
        return call.message
    return ""


def is_likely_unanswered(call: CallRecord) -> bool:
    if call.duration_s == 0 and not is_voicemail(call):
        return True
    return any(word in state for state in call.states for word in _NOT_ANSWERED)


def first_category(call: CallRecord) -> tuple[str, str] | None:
    """Category and summary of a call that needs no AI; None when it has words, or nothing can be said."""
    if conversation(call):
        return None
    if is_likely_unanswered(call) and not call.message.strip():
        return "unanswered", UNANSWERED
    if call.message.strip() and is_stub(call.message):
        return "neutral", STUB
    if is_voicemail(call):
        return "voicemail", VOICEMAIL
    return ("unanswered", UNANSWERED) if is_likely_unanswered(call) else None


def labelled_category(category: str, *, voicemail: bool) -> str:
    """The category for what the AI chose: a promising voicemail wants to be called back."""
    return "needs_attention" if voicemail and category in _PROMISING else category


def text_version(call: CallRecord) -> str | None:
    """Names the words to judge, so that they are judged once; None when there are none."""
    words = conversation(call)
    return hashlib.sha256(words.encode()).hexdigest()[:16] if words else None


def activity_type(direction: str) -> str:
    """call, sms, form, email or other."""
    text = direction.lower()
    kinds = {"msg": "sms", "sms": "sms", "form": "form", "email": "email", "inbound": "call", "outbound": "call"}
    return next((kind for word, kind in kinds.items() if word in text), "other")


def source_key(source: str) -> str:
    return re.sub(r"\W+", "_", source.lower()).strip("_") or "unknown"


def iso(moment: datetime | None) -> str | None:
    """A UTC time as the dashboard reads it, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z" if moment else None


def meta_of(call: CallRecord) -> dict[str, Any]:
    """The descriptive values of a call, under the names that the dashboard reads. A value not told is left out where
    an earlier one may stay (a transcript that CTM no longer sends), and null elsewhere."""
    source = call.source or "Calls"
    seconds = int(call.started_at.timestamp()) if call.started_at else None
    told = {
        "transcript": call.transcript,
        "message": call.message,
        "recording_url": call.recording_url,
        "caller_email": call.caller_email,
        "contact_id": call.contact_id,
    }
    return {
        "source": source,
        "source_key": source_key(source),
        "name": call.caller_name,
        "caller_name": call.caller_name or "Unknown",
        "caller_number": call.caller_number,
        "to_number": call.to_number or None,
        "region": call.region,
        "direction": call.direction,
        "activity_type": activity_type(call.direction),
        "is_inbound": call.direction in ("inbound", "in"),
        "is_voicemail": is_voicemail(call),
        "duration_sec": call.duration_s,
        "started_at": iso(call.started_at),
        "timestamp": seconds * 1000 if seconds else None,
        "unix_time": seconds,
        "transcript_url": call.transcript_url or None,
        "assets": [dict(asset) for asset in call.assets],
        **{name: value for name, value in told.items() if value},
    }


def fingerprint(meta: Mapping[str, Any]) -> str:
    """Of what CTM told about a call: the same again changes nothing."""
    return hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is stored of a call that CTM tells of again."""

    rating: Rating
    from_number: str | None
    category: str
    category_by: str | None
    summary: str | None
    classification: str | None
    text_version: str | None
    classified_version: str | None
    ctm_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A call as it is to be stored. ``meta`` is laid over what is there."""

    call_id: str
    is_new: bool
    direction: str | None
    from_number: str | None
    to_number: str | None
    started_at: str | None
    duration_sec: int
    rating: Rating
    category_by: str | None
    text_version: str | None
    classified_version: str | None
    ctm_hash: str
    meta: dict[str, Any]


def merge(known: Known | None, call: CallRecord, read_at: datetime) -> Stored | None:
    """How to store what CTM told about a call; None when nothing changes by it."""
    facts = meta_of(call)
    ctm_hash = fingerprint(facts)
    before = known.rating if known else Rating()
    rating = rating_after_reading(before, call.score, read_at)
    if known is not None and rating == before and ctm_hash == known.ctm_hash:
        return None
    version = text_version(call) or (known.text_version if known else None)
    judged = _category(known, call, before, rating, version)
    return Stored(
        call_id=call.id,
        is_new=known is None,
        direction=call.direction or None,
        from_number=call.caller_number or None,
        to_number=call.to_number or None,
        started_at=iso(call.started_at),
        duration_sec=call.duration_s,
        rating=rating,
        category_by=judged.by,
        text_version=version,
        classified_version=_classified(known, version),
        ctm_hash=ctm_hash,
        meta={**facts, **judged.meta},
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    by: str | None
    meta: dict[str, Any]


def _category(known: Known | None, call: CallRecord, before: Rating, rating: Rating, version: str | None) -> _Judged:
    """Who decides the category now, and what that changes: a new rating, a person, else the rules or the AI."""
    current = known.category if known else "unreviewed"
    by = known.category_by if known else None
    if rating.score != before.score or (known is None and rating.score):
        if rating.score:
            return _Judged("rating", {"category": category_of_rating(rating.score, current)})
        return _Judged(*category_without_rating(by, known.classification if known else None))
    if by in ("user", "rating"):
        return _Judged(by, {})
    ruled = first_category(call) if version is None else None
    if ruled is not None:
        return _Judged("rule", {"category": ruled[0], "classification_summary": ruled[1]})
    if known is None:
        return _Judged(None, {"category": "unreviewed"})
    return _Judged(by, {})


def category_without_rating(by: str | None, classification: str | None) -> tuple[str | None, dict[str, Any]]:
    """Who decides, and the change of meta, once a rating is gone: what it decided goes back to the AI's finding."""
    if by != "rating":
        return by, {}
    found = classification if classification in STARS and classification != "converted" else None
    return ("ai", {"category": found}) if found else (None, {"category": "unreviewed"})


def _classified(known: Known | None, version: str | None) -> str | None:
    """The version that has its label. A call of the old server that was labelled is not asked about again."""
    if known is None:
        return None
    if known.text_version is None and known.ctm_hash is None and known.summary and known.category != "unreviewed":
        return version
    return known.classified_version


# Source: OWASP, "CSV Injection"; the wide forms are read as the plain ones by spreadsheets of East Asia.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_line(cells: Iterable[object]) -> str:
    """One line of CSV; a cell that a spreadsheet would run as a formula is made text."""
    return ",".join(_cell("" if cell is None else str(cell)) for cell in cells) + "\r\n"


def _cell(text: str) -> str:
    if text.startswith(_FORMULA):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text
