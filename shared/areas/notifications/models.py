"""What a notice is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice. ``link``: an in-app path such as ``/client-hub``."""

    title: str
    body: str = ""
    link: str = ""
    meta: dict[str, Any] = field(default_factory=dict)


class ListQuery(BaseModel):
    """How many of the newest notices; out of 1 to 100 counts as the nearest."""

    limit: int = 25
