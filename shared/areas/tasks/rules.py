"""Rules of tasks that need no database."""

from __future__ import annotations

import re


def prefixed(name: str, prefix: str | None) -> str:
    """An item's name on a board with *prefix*: kept when it already has it, whatever its case. Spec api-tasks §5."""
    prefix, name = (prefix or "").strip(), name.strip()
    if not prefix:
        return name
    if re.match(rf"{re.escape(prefix)}(?:$|[\s\-:])", name, re.IGNORECASE):
        return name
    return f"{prefix} {name}"


_MENTION = re.compile(r"(?<![\w.@])@([a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
MOST_MENTIONS = 50


def mentions(content: str) -> list[str]:
    """The addresses that a text mentions as @ and the whole address, lower case, each once; at most fifty."""
    found = (match[1].lower() for match in _MENTION.finditer(content))
    return list(dict.fromkeys(found))[:MOST_MENTIONS]
