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
