"""Rules of accounts and services: who may manage whom, and what a list of services becomes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

_RANK: Final = {"client": 0, "team": 1, "admin": 2, "superadmin": 3}


def may_manage(actor: str, target: str) -> bool:
    """Superadmins manage everybody, others only those below them. Effective roles."""
    return actor == "superadmin" or _RANK.get(actor, 0) > _RANK.get(target, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceItem:
    """One service as it is to be saved."""

    id: UUID | None
    name: str
    description: str | None = None
    base_price: Decimal | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class ServiceChanges:
    """What saving a list means for the rows: (row id, item) to update, items to insert, row ids to deactivate."""

    updates: list[tuple[UUID, ServiceItem]]
    inserts: list[ServiceItem]
    deactivations: list[UUID]


def title(name: str) -> str:
    """A service's name, each word beginning with a capital: ``roof repair`` → ``Roof Repair``."""
    return re.sub(r"(^|\s)(\S)", lambda found: found[1] + found[2].upper(), " ".join(name.split()))


def price(value: object) -> Decimal | None:
    """A price of ten digits, two of them cents; None for anything that is not one."""
    try:
        amount = Decimal(str(value).replace(",", "").replace("$", "").strip()).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**8 else None


def merged(existing: Sequence[tuple[UUID, str, bool]], items: Iterable[ServiceItem]) -> ServiceChanges:
    """Save *items* over the rows (id, name, active): no row is ever deleted, for agreed services refer to it.

    An item is the row of its id, else the row of its name whatever its case, else new. A row that an item names by its
    id is no other item's, so that one service can be renamed and another take its old name. Of two items with one id
    the first counts; of two with one name the one with an id does, else the first. Rows without an item become
    inactive.
    """
    rows = {row_id for row_id, _, _ in existing}
    by_id: dict[UUID, ServiceItem] = {}
    others: list[ServiceItem] = []
    for item in items:
        if item.id in rows:
            by_id.setdefault(item.id, item)
        else:
            others.append(item)
    by_name: dict[str, UUID] = {}
    for row_id, name, _ in existing:
        if row_id not in by_id:
            by_name.setdefault(name.lower(), row_id)
    updates: dict[UUID, ServiceItem] = {}
    inserts: list[ServiceItem] = []
    names: set[str] = set()
    for item in [*by_id.values(), *others]:
        key = item.name.lower()
        if key in names:
            continue
        names.add(key)
        found = item.id if item.id in by_id else by_name.get(key)
        if found is None:
            inserts.append(item)
        else:
            updates[found] = item
    rest = [row_id for row_id, _, active in existing if active and row_id not in updates]
    return ServiceChanges(list(updates.items()), inserts, rest)
