"""Rules of the wizard: which columns its fields become, what is still missing, what a draft may hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from shared.areas.onboarding.models import ACCESS_STEPS, CONTACT, STATUSES, Fields
from shared.errors import TooLarge

MAX_DRAFT_BYTES: Final = 64 * 1024
_DEEPEST: Final = 12
_GIVEN: Final = ("provided", "provided_access")
_PROMISED: Final = ("will_provide", "will_provide_access")


def columns(fields: Fields) -> dict[str, Any]:
    """The profile columns of the fields that were given; a status also decides its two flags unless they came too."""
    given = fields.model_fields_set
    names = (*CONTACT, *STATUSES, "google_ads_account_id", "client_identifier_value")
    chosen = {name: getattr(fields, name) for name in names if name in given}
    if fields.monthly_revenue_goal is not None:
        chosen["monthly_revenue_goal"] = fields.monthly_revenue_goal
    derived: dict[str, Any] = {}
    for name in STATUSES:
        if chosen.get(name) is not None:
            base = name.removesuffix("_status")
            derived |= {f"{base}_provided": chosen[name] in _GIVEN, f"{base}_understood": chosen[name] in _PROMISED}
    return {**derived, **chosen, **fields.flag_columns()}


def missing(profile: Mapping[str, Any]) -> list[str]:
    """The status fields that this client's switches ask for and nobody has answered."""
    return [status for switch, status in ACCESS_STEPS.items() if profile[switch] and not profile[status]]


def draft(given: Mapping[str, Any] | None) -> Any:
    """A draft as it may be kept: without passwords, at most 64 kB; TooLarge."""
    if given is None:
        return None
    kept = _without_passwords(given, _DEEPEST)
    if len(json.dumps(kept).encode()) > MAX_DRAFT_BYTES:
        raise TooLarge(f"draft: may have at most {MAX_DRAFT_BYTES // 1024} kB")
    return kept


def _without_passwords(value: Any, depth: int) -> Any:
    if depth == 0:
        raise TooLarge("draft: is nested too deeply")
    if isinstance(value, Mapping):
        return {
            str(key).replace("\x00", ""): _without_passwords(one, depth - 1)
            for key, one in value.items()
            if "password" not in str(key).lower()
        }
    if isinstance(value, list):
        return [_without_passwords(one, depth - 1) for one in value]
    return value.replace("\x00", "") if isinstance(value, str) else value
