"""What lists are asked for: pages, days, words. A number out of range counts as the nearest in range."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

from shared.areas.text import blank_is_none


def in_range(least: int, most: int) -> BeforeValidator:
    """A whole number, brought between *least* and *most*; what is no number is left to be refused."""

    def clamp(value: object) -> object:
        text = str(value).strip()
        return max(least, min(int(text), most)) if text.lstrip("-").isdecimal() and len(text) < 1000 else value

    return BeforeValidator(clamp)


def _moment(*, last: bool) -> BeforeValidator:
    """A time, UTC's unless it names its zone; of a day alone the first instant, or with *last* the last one."""

    def read(value: object) -> object:
        value = blank_is_none(value)
        if not isinstance(value, str):
            return value
        text = value.strip()
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                return datetime.combine(date.fromisoformat(text), time.max if last else time.min, UTC)
            told = datetime.fromisoformat(text)
            return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise ValueError("is not a date such as 2026-01-31") from None

    return BeforeValidator(read)


PageNumber = Annotated[int, in_range(1, 1_000_000)]
"""Which page, from 1."""

PageSize = Annotated[int, in_range(1, 100)]
"""How many rows a page has, from 1 to 100."""

From = Annotated[AwareDatetime | None, _moment(last=False)]
"""The first instant that counts; None where it was left empty."""

To = Annotated[AwareDatetime | None, _moment(last=True)]
"""The last instant that counts; None where it was left empty."""


def like_pattern(words: str) -> str | None:
    """A search as a pattern of LIKE in which its own wildcards mean themselves; None for an empty one."""
    escaped = re.sub(r"([\\%_])", r"\\\1", words.strip())
    return f"%{escaped}%" if escaped else None
