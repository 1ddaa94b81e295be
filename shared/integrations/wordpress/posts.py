"""What publishing needs of a blog, wherever it is hosted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A post as its site knows it."""

    id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a post shall be. ``status``: publish or draft; ``slug``: the name that tells it from all others."""

    slug: str
    title: str
    content: str
    status: str
