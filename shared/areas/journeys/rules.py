"""Rules of journeys: which state follows which, what a list of concerns or sources becomes, when data is redacted.

Everything here is pure. Sources: seeds DATA_FLOWS §4 (the state diagram); spec api-leads §2 "Rules".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.errors import Conflict

Status = Literal["pending", "in_progress", "active_client", "won", "lost", "archived"]

KEPT_FOR: Final = timedelta(days=90)  # sold services after they were agreed to, concerns after their journey began

_OPEN: Final = frozenset({"pending", "in_progress"})
_WON: Final = frozenset({"active_client", "won"})
# The diagram's arrows. Whoever closes a pending journey has begun to work on it.
_ENDINGS: Final = frozenset({"active_client", "won", "lost"})
_NEXT: Final[dict[str, frozenset[str]]] = {
    "pending": _ENDINGS | {"in_progress"},
    "in_progress": _ENDINGS,
}


@dataclass(frozen=True, slots=True)
class State:
    """Where a journey stands, and whether it lies in the archive."""

    status: str
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step to append. Not *dated*: due its *weeks* from now, or never where they are 0."""

    label: str
    channel: str | None = None
    message: str | None = field(default=None, repr=False)
    notes: str | None = field(default=None, repr=False)
    weeks: float = 0
    dated: bool = False
    due_at: datetime | None = None


def archived(state: State) -> State:
    """In the archive. How a journey ended is still told there; one that was open is just ``archived``."""
    return State("archived" if state.status in _OPEN else state.status, archived=True)


def restored(state: State, as_status: str | None = None) -> State:
    """Out of the archive: worked on again, unless it has won its customer, or as whoever restores it says."""
    return State(as_status or (state.status if state.status in _WON else "in_progress"))


def moved(state: State, to: str) -> State:
    """The state after a person chose the status *to*; Conflict where no arrow of the diagram leads there."""
    if to == state.status:
        return state
    if to == "archived":
        return archived(state)
    if state.archived and to == restored(state).status:
        return restored(state)
    if not state.archived and to in _NEXT.get(state.status, frozenset()):
        return State(to)
    where = f"{state.status}, in the archive" if state.archived else state.status
    raise Conflict(f"A journey that is {where} cannot become {to}.", code="STATUS_NOT_REACHABLE")


def distinct(texts: Iterable[str]) -> list[str]:
    """The texts without spaces around them, blanks and repetitions; ``Pain`` and ``pain`` are one, as first written."""
    kept: dict[str, str] = {}
    for text in texts:
        trimmed = text.strip()
        if trimmed:
            kept.setdefault(trimmed.casefold(), trimmed)
    return list(kept.values())


def joined_sources(*lists: str | None) -> str | None:
    """Comma-joined lists of sources as one, each source once; None where there is none."""
    return ", ".join(distinct(source for listed in lists for source in (listed or "").split(","))) or None
