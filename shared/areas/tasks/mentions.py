"""Whom a text mentions: an @ followed by a whole e-mail address. Source: spec api-tasks §6."""

from __future__ import annotations

import re

_MENTION = re.compile(
    r"(?<![\w.+@-])@([^\s@<>\"(),:;\\\[\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63})",
    re.IGNORECASE,
)


def mentioned(content: str) -> list[str]:
    """The addresses that a text mentions, lower case, each once, in their order. A full stop ends the sentence."""
    return list(dict.fromkeys(found.rstrip("-").lower() for found in _MENTION.findall(content)))
