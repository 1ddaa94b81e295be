"""Reads a call record of CTM's listing: one field may stand under several names, the first that says something counts.

Source: https://www.calltrackingmetrics.com/docs (calls, content types) and the names seen in accounts (spec api-leads,
"CTM pull"). What cannot be read is as if it were not there; a record without an id is no call.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

Record = Mapping[str, Any]

_ID_KEYS = ("id", "call_id", "sid", "uuid", "callSid", "call_uuid", "callId")
_SOURCE = ("tracking_number_name", "source", "campaign_name", "tracking_label", "campaign_source")
_TRANSCRIPT = ("transcription.text", "transcription_text", "transcript")
_MESSAGE = ("message_body", "notes", "form_submission", "form_data", "form.custom", "form")
_NAME = ("caller.name", "name", "caller_name")
_NUMBER = ("caller.number", "contact_number", "caller_number", "phone_number", "from_number")
_TO = ("tracking_number", "to_number", "dialed_number", "number_dialed")
_DURATION = ("duration", "duration_sec", "duration_seconds", "talk_time", "call_duration")
_UNIX_TIME = ("unix_time", "unixTime", "unix_timestamp")
_TIME = ("start_time", "started_at", "call_time", "created_at", "timestamp", "called_at")
_CITY = ("caller.city", "caller.address.city", "city", "caller_city")
_STATE = ("caller.state", "caller.address.state", "state", "caller_state")
_COUNTRY = ("caller.country", "caller.address.country", "country")
_STATUS = ("status", "result", "call_status", "callResult")
_LONGEST_LINE = 300  # characters of an id, a name, a number, a place
_LONGEST_CALL_S = 10_000_000  # beyond it is no duration
_DEEPEST = 5  # levels of a form's answers
_YEAR_3000 = 32_503_680_000  # seconds since 1970; more are milliseconds, or nonsense
_HALF_DAYS = re.compile(r"\d{4}-\d\d-\d\d \d\d?:\d\d [AP]M [+-]\d\d:?\d\d", re.IGNORECASE)
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps neither


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call, text or form as CTM tells it. Empty text means that nothing was told. ``score``: 0 (none) to 5."""

    id: str
    score: int
    transcript: str
    message: str
    source: str
    caller_name: str
    caller_number: str
    caller_email: str
    contact_id: str
    to_number: str
    duration_s: int
    started_at: datetime | None
    region: str
    direction: str
    states: tuple[str, ...]  # status words and the names of actions, in lower case
    assets: tuple[Mapping[str, Any], ...]  # {id, name, url, created_at}
    recording_url: str
    transcript_url: str


def record_id(record: Record) -> str | None:
    """CTM's id of a call or form record, as text."""
    values = (record.get(key) for key in _ID_KEYS)
    told = (_clean(str(value)) for value in values if isinstance(value, str | int) and not isinstance(value, bool))
    return next((text for text in told if 0 < len(text) <= _LONGEST_LINE), None)


def read_call(record: Record) -> CallRecord | None:
    """The call that *record* tells of; None when it has no id."""
    call_id = record_id(record)
    if call_id is None:
        return None
    started_at = _started_at(record)
    assets = tuple(_assets(record))
    return CallRecord(
        id=call_id,
        score=score_of(record),
        transcript=_text(record, _TRANSCRIPT),
        message=_text(record, _MESSAGE),
        source=_line(record, _SOURCE),
        caller_name=_line(record, _NAME),
        caller_number=_line(record, _NUMBER),
        caller_email=_line(record, ("caller.email", "email", "caller_email")),
        contact_id=_line(record, ("contact_id", "caller.id")),
        to_number=_line(record, _TO),
        duration_s=_duration(record),
        started_at=started_at,
        region=_region(record),
        direction=_line(record, ("direction",)),
        states=tuple(_states(record)),
        assets=assets,
        recording_url=str(assets[0]["url"]) if assets else _text(record, ("recording_url", "audio")),
        transcript_url=_transcript_url(started_at),
    )


def score_of(record: Record) -> int:
    """The stars of a record, 0 when it has none."""
    value = _first(record, ("sale.score", "score"))
    number = _number(value)
    return min(5, max(0, round(number))) if number is not None else 0


def sale_of(record: Record) -> tuple[float, date | None]:
    """What a record's sale is worth, and its day if that can be read: a new rating keeps both."""
    value = _number(_first(record, ("sale.value", "sale.sale_value")))
    try:
        day = date.fromisoformat(_text(record, ("sale.sale_date", "sale.date"))[:10])
    except ValueError:
        day = None
    return value or 0.0, day


def _first(record: Record, names: Iterable[str]) -> Any:
    """The first of the dotted *names* that holds something."""
    for name in names:
        found: Any = record
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found not in (None, "", [], {}):
            return found
    return None


def _line(record: Record, names: Iterable[str]) -> str:
    """A short text: names and numbers are indexed, and an index takes no endless ones."""
    return _text(record, names)[:_LONGEST_LINE]


def _text(record: Record, names: Iterable[str]) -> str:
    for name in names:
        text = _as_text(_first(record, (name,)))
        if text:
            return text
    return ""


def _as_text(value: Any, depth: int = 0) -> str:
    """Text as it is; an object or a list of names and values as ``name: value`` lines, some levels deep."""
    if depth > _DEEPEST:
        return ""
    match value:
        case str():
            return _clean(value).strip()
        case bool() | None:
            return ""
        case int() | float():
            return str(value)
        case Mapping():
            lines = (f"{name}: {text}" for name, one in value.items() if (text := _as_text(one, depth + 1)))
            return _clean("\n".join(lines))
        case list():
            named = ({str(one.get("name") or one.get("id")): one.get("value")} for one in value if _is_pair(one))
            return "\n".join(filter(None, (_as_text(one, depth + 1) for one in named)))
    return ""


def _is_pair(value: Any) -> bool:
    return isinstance(value, Mapping) and "value" in value


def _clean(text: str) -> str:
    return _UNREADABLE.sub("", text)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None  # also refuses infinities; not-a-number compares false


def _duration(record: Record) -> int:
    """Seconds; a name that says 0 gives way to a later one that says more."""
    numbers = (_number(_first(record, (name,))) for name in _DURATION)
    seconds = round(next((number for number in numbers if number), 0))
    return seconds if 0 <= seconds <= _LONGEST_CALL_S else 0


def _started_at(record: Record) -> datetime | None:
    seconds = _number(_first(record, _UNIX_TIME))
    if seconds is not None and 0 < seconds < _YEAR_3000:
        return datetime.fromtimestamp(seconds, UTC)
    for name in _TIME:
        moment = _moment(_first(record, (name,)))
        if moment is not None:
            return moment
    return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        seconds = _seconds(value.strip())
    else:
        seconds = _number(value)
        seconds = seconds / 1000 if seconds is not None and seconds > _YEAR_3000 else seconds
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds < _YEAR_3000 else None


def _seconds(text: str) -> float | None:
    """Since 1970, of an ISO time or of CTM's ``2026-01-31 05:12 PM -05:00``; one without a zone is UTC's."""
    try:
        if _HALF_DAYS.fullmatch(text):
            told = datetime.strptime(text, "%Y-%m-%d %I:%M %p %z")
        else:
            told = datetime.fromisoformat(re.sub(r" ([+-])", r"\1", text, count=1))
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _region(record: Record) -> str:
    place = ", ".join(filter(None, (_line(record, _CITY), _line(record, _STATE), _line(record, _COUNTRY))))
    return " · ".join(filter(None, (_line(record, ("cnam",)), place)))


def _states(record: Record) -> Iterable[str]:
    for name in _STATUS:
        if text := _text(record, (name,)):
            yield text.lower()
    actions = record.get("actions")
    for action in actions if isinstance(actions, list) else []:
        if isinstance(action, Mapping):
            yield from (_text(action, (name,)).lower() for name in ("event", "name") if _text(action, (name,)))


def _assets(record: Record) -> Iterable[dict[str, Any]]:
    recordings = record.get("recordings")
    for number, one in enumerate(recordings if isinstance(recordings, list) else [], 1):
        if isinstance(one, Mapping) and (url := _text(one, ("public_url", "url"))):
            yield {
                "id": _text(one, ("id", "uuid")) or str(number),
                "name": _text(one, ("name",)) or f"Recording {number}",
                "url": url,
                "created_at": _text(one, ("created_at",)) or None,
            }


def _transcript_url(started_at: datetime | None) -> str:
    """Where CTM's own pages show the transcripts from this call on."""
    if started_at is None:
        return ""
    after = quote(b64encode(str(int(started_at.timestamp())).encode()).decode(), safe="")
    return f"https://calltrackingapp.com/calls#after={after}&callNav=caller_transcription"
