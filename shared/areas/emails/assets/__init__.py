"""Pictures that mails show."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def logo() -> bytes:
    """Our logo, a PNG of 360 × 80 pixels."""
    return (Path(__file__).parent / "ANCHOR__CORPS.png").read_bytes()
