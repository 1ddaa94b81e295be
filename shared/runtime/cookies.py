"""The cookies of an answer: a handler sets and clears them, whatever its answer turns out to be.

One set of attributes: ``HttpOnly; Path=/``, in the cloud also ``Secure``, never a ``Domain``. ``SameSite`` is Strict in
the cloud and Lax on a laptop, unless a cookie must come along when another site links to us (``lax``). A 5xx sets
none: what a browser holds stays good for another try. Source: spec api-accounts §0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response


_VALUE = re.compile(r"[\w.~+/=:-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Cookie:
    name: str
    value: str
    max_age_s: int
    path: str
    lax: bool


@dataclass(slots=True)
class Cookies:
    """What one answer will tell the browser to keep or to forget. Of one name the last word counts."""

    secure: bool  # everywhere but on a laptop
    _told: dict[str, _Cookie] = field(default_factory=dict)

    def set(self, name: str, value: str, *, max_age_s: int, path: str = "/", lax: bool = False) -> None:
        """Have *name* kept; ValueError for a value that a cookie cannot hold as it is (RFC 6265 §4.1.1)."""
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the cookie {name} cannot hold this value")
        self._told[name] = _Cookie(name, value, max_age_s, path, lax)

    def clear(self, name: str, *, path: str = "/", lax: bool = False) -> None:
        self.set(name, "", max_age_s=0, path=path, lax=lax)

    def told(self, name: str) -> bool:
        """Whether this answer already says something of *name*."""
        return name in self._told

    def apply(self, response: Response) -> None:
        if response.status_code >= 500:
            return
        attributes = "; HttpOnly; Secure" if self.secure else "; HttpOnly"
        for cookie in self._told.values():
            same_site = "strict" if self.secure and not cookie.lax else "lax"
            line = (
                f"{cookie.name}={cookie.value}; Max-Age={cookie.max_age_s}; Path={cookie.path}"
                f"{attributes}; SameSite={same_site}"
            )
            response.raw_headers.append((b"set-cookie", line.encode("ascii")))
