"""Who manages whom, and what saving a list of services does to the rows."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.clients import rules
from shared.areas.clients.rules import ServiceItem
from shared.areas.text import email_address, split_name

NAMES = st.sampled_from(["Roofing", "roofing", "Siding", "GUTTERS", "Gutters", "Paint"])
ROWS = st.lists(st.tuples(st.uuids(), NAMES, st.booleans()), max_size=6, unique_by=lambda row: row[0])


@st.composite
def saves(draw: st.DrawFn) -> tuple[list[tuple[UUID, str, bool]], list[ServiceItem]]:
    rows = draw(ROWS)
    ids = st.sampled_from([None, uuid4(), *(row[0] for row in rows)])
    items = draw(st.lists(st.builds(ServiceItem, id=ids, name=NAMES), max_size=6))
    return rows, items


@given(saves())
def test_every_row_has_one_fate(given_: tuple[list[tuple[UUID, str, bool]], list[ServiceItem]]) -> None:
    """A row is updated once, or made inactive, or was inactive; no row is deleted and no name comes twice."""
    rows, items = given_

    changes = rules.merged(rows, items)

    updated = [row_id for row_id, _ in changes.updates]
    assert len(set(updated)) == len(updated)
    assert not set(updated) & set(changes.deactivations)
    inactive = {row_id for row_id, _, active in rows if not active}
    assert {row[0] for row in rows} == set(updated) | set(changes.deactivations) | (inactive - set(updated))
    names = [item.name.lower() for _, item in changes.updates] + [item.name.lower() for item in changes.inserts]
    assert len(set(names)) == len(names)
    assert set(names) <= {item.name.lower() for item in items}


@given(saves())
def test_every_name_asked_for_is_there(given_: tuple[list[tuple[UUID, str, bool]], list[ServiceItem]]) -> None:
    """No item is lost but one that names a row which an item before it named."""
    rows, items = given_
    known = {row[0] for row in rows}

    changes = rules.merged(rows, items)

    names = {item.name.lower() for item in [*dict(changes.updates).values(), *changes.inserts]}
    for index, item in enumerate(items):
        repeats = item.id in known and item.id in {before.id for before in items[:index]}
        assert repeats or item.name.lower() in names


def test_a_renamed_service_leaves_its_name_to_another() -> None:
    """Renaming one service and adding another under its old name in one save keeps both."""
    row = uuid4()
    renamed, new = ServiceItem(id=row, name="Roofing"), ServiceItem(id=None, name="Gutters")

    for items in ([renamed, new], [new, renamed]):
        changes = rules.merged([(row, "Gutters", True)], items)
        assert (changes.updates, changes.inserts, changes.deactivations) == ([(row, renamed)], [new], [])


@given(saves())
def test_saving_again_changes_no_row(given_: tuple[list[tuple[UUID, str, bool]], list[ServiceItem]]) -> None:
    """The list as it was saved inserts and deactivates nothing more."""
    rows, items = given_
    changes = rules.merged(rows, items)
    saved = [(row_id, item.name, item.active) for row_id, item in changes.updates]
    saved += [(uuid4(), item.name, item.active) for item in changes.inserts]

    again = rules.merged(saved, [ServiceItem(id=row_id, name=name) for row_id, name, _ in saved])

    assert again.inserts == [] and again.deactivations == []


@pytest.mark.parametrize(
    ("given_", "amount"),
    [
        *(("1,200.5", Decimal("1200.50")), ("$9", Decimal(9)), (3.1, Decimal("3.10"))),
        *((text, None) for text in ("", "free", "-1", "1e99", "nan", "inf", None, [])),
    ],
)
def test_a_price_is_read_or_none(given_: object, amount: Decimal | None) -> None:
    """Prices as people type them; what cannot be read is no price."""
    assert rules.price(given_) == amount


def test_a_title_begins_its_words_with_capitals() -> None:
    """First letters are raised, nothing else is changed."""
    assert rules.title("  roof   repair & HVAC o'clock ") == "Roof Repair & HVAC O'clock"


@pytest.mark.parametrize("actor", ["superadmin", "admin", "team", "client"])
def test_only_superadmins_manage_their_equals(actor: str) -> None:
    """Everybody else manages only those below."""
    order = ["client", "team", "admin", "superadmin"]
    managed = {target for target in order if rules.may_manage(actor, target)}

    assert managed == (set(order) if actor == "superadmin" else set(order[: order.index(actor)]))


@given(st.text(max_size=200))
def test_a_display_name_fits_its_columns(name: str) -> None:
    """First word and rest, sixty characters each at most."""
    first, last = split_name(name)

    assert len(first) <= 60 and len(last) <= 60
    assert f"{first} {last}".strip()[:60] == " ".join(name.split())[: len(f"{first} {last}".strip()[:60])]


@pytest.mark.parametrize("text", ["A.b+c@Example.test", " x@sub.example.co "])
def test_an_address_is_kept_in_lower_case(text: str) -> None:
    """Spaces go, capitals too."""
    assert email_address(text) == text.strip().lower()


@pytest.mark.parametrize(
    "text", ["", "a", "a@b", "a b@c.test", "a@b.test, c@d.test", "<a@b.test>", "a@-b.test", "a\n@b.test"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """One plain address, nothing that a mail header could read as more."""
    with pytest.raises(ValueError, match="e-mail"):
        email_address(text)
