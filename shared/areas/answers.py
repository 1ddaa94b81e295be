"""Reads what a model wrote where JSON was asked for."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from shared.areas.text import storable

_READ: Final = 8000  # characters of an answer
_STARTS: Final = 20  # braces that are tried as the beginning


def object_in(answer: str) -> dict[str, Any]:
    """The first JSON object in an answer of a few thousand characters, {} when there is none."""
    text = answer[:_READ]
    for start in [found.start() for found in re.finditer(r"\{", text)][:_STARTS]:
        try:
            told, _ = json.JSONDecoder().raw_decode(text[start:])
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            return told
    return {}


def one_line(text: str, *, at_most: int) -> str:
    """Words of a model as they may be stored: on one line, of so many characters."""
    return " ".join(storable(text).split())[:at_most]
