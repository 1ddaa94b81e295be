"""Pure rules of connections: what may stand beside a token, which addresses are ours, what a location is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

BASIC: Final = "Basic"  # token_type of a site with an application password: base64 of user:password, never renewed
_SECRET_NAME = re.compile(r"token|secret|passw|credential|authorization|api_?key", re.IGNORECASE)


def without_secrets(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What may be kept in clear: everything, at any depth, whose name does not promise a secret."""
    return {name: _clean(value) for name, value in facts.items() if not _SECRET_NAME.search(name)}


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return without_secrets(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value
