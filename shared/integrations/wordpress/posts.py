"""What publishing needs of a blog, wherever it is hosted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

UPLOAD_S: Final = 60.0  # for one picture: a site makes several sizes of it before it answers


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image for a site's library. ``slug``: the name that tells it from all others."""

    slug: str
    extension: str
    content_type: str
    data: bytes = field(repr=False)

    @property
    def file_name(self) -> str:
        return f"{self.slug}.{self.extension}"
