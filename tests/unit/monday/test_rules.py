"""What a task and its item should both have."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.areas.monday import rules
from shared.areas.monday.models import MondaySettings
from shared.areas.monday.rules import State
from shared.integrations.monday.records import Item, Value

STATES = st.builds(
    State,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["To Do", "Done", "Stuck"]),
    st.sampled_from(["", "2026-01-01", "2026-01-02"]),
    st.booleans(),
)
CHOSEN = MondaySettings(monday_client_column_id="client")


def item(**cells: Any) -> Item:
    values = {key: value if isinstance(value, Value) else Value(str(value), value) for key, value in cells.items()}
    return Item("1", "Name", "active", "2", "g", "G", "2026-01-01T00:00:00Z", "5", "", values)


@given(base=STATES, ours=STATES, theirs=STATES)
def test_each_field_is_of_whoever_alone_changed_it(base: State, ours: State, theirs: State) -> None:
    """Ours where we changed it, theirs where only they did; never a value that neither has."""
    both = rules.merge(base, ours, theirs)
    for field in ("name", "status", "due_date", "archived"):
        known, mine, other, got = (getattr(state, field) for state in (base, ours, theirs, both))
        assert got == (mine if mine != known else other)


@given(state=STATES, other=STATES)
def test_what_is_settled_stays(state: State, other: State) -> None:
    """Equal sides have nothing to do, and the first meeting takes ours."""
    assert rules.merge(state, state, state) == state
    assert rules.merge(other, state, state) == state
    assert rules.merge(None, state, other) == state
    assert rules.column_values(state, state, CHOSEN) == {}


class History(RuleBasedStateMachine):
    """People change both sides in any order; settling may crash between its two writes."""

    def __init__(self) -> None:
        super().__init__()
        self.base = self.ours = self.theirs = State("a", "To Do", "", False)
        self.settled = True

    @rule(state=STATES)
    def change_here(self, state: State) -> None:
        self.ours, self.settled = state, False

    @rule(state=STATES)
    def change_there(self, state: State) -> None:
        self.theirs, self.settled = state, False

    @rule()
    def settle(self) -> None:
        self.base = self.ours = self.theirs = rules.merge(self.base, self.ours, self.theirs)
        self.settled = True

    @rule()
    def crash_after_writing_there(self) -> None:
        wanted = rules.merge(self.base, self.ours, self.theirs)
        self.theirs = wanted
        assert rules.merge(self.base, self.ours, self.theirs) == wanted

    @invariant()
    def both_are_equal_once_settled(self) -> None:
        assert not self.settled or self.base == self.ours == self.theirs


TestHistory = History.TestCase


@given(name=st.text(), status=st.text(), day=st.dates() | st.none())
def test_what_only_one_side_can_hold_makes_no_difference(name: str, status: str, day: Any) -> None:
    """A state made of a state is the same: longer names and missing statuses are evened out once."""
    once = State.of(name, status, day, False)
    assert State.of(once.name, once.status, once.due_date, False) == State.of(
        once.name.strip(), once.status, day, False
    )
    assert len(once.name) <= 255
    assert once.status
    assert State.read(once.as_json()) == once


def test_a_column_that_a_board_lacks_cannot_differ() -> None:
    """It counts as equal to ours, so nothing is written for it."""
    ours = State("Name", "Done", "2026-01-01", False)
    assert rules.state_of(item(), CHOSEN, ours) == ours
    seen = rules.state_of(item(status="", date4=Value("", None)), CHOSEN, ours)
    assert (seen.status, seen.due_date) == ("To Do", "")


def test_a_requests_columns_follow_the_settings() -> None:
    """The person asked for comes before the account manager, and that one before everybody's; no column, no value."""
    request = {
        "client_identifier_value": "C-1", "person_override": None, "account_manager_person_id": "7", "rush": True,
        "due_date": "2026-03-09",
    }  # fmt: skip
    assert rules.request_values(CHOSEN, request) == {
        "client": "C-1",
        "person": {"personsAndTeams": [{"id": 7, "kind": "person"}]},
        "status": {"label": "Rush Job"},
        "date4": {"date": "2026-03-09"},
    }
    override = rules.request_values(CHOSEN, {**request, "person_override": "8"})
    assert override["person"]["personsAndTeams"][0]["id"] == 8
    bare = MondaySettings(
        monday_person_column_id="", monday_status_column_id=None, monday_due_date_column_id="", monday_person_id="x"
    )
    assert rules.request_values(bare, request) == {}


def test_a_shared_groups_items_are_the_clients_that_a_column_names() -> None:
    """Alone in a group, a client has all of it; in a shared one, only what says so."""
    client = {"shared": True, "client_identifier_value": " c-1"}
    assert rules.is_clients(item(client="C-1 "), CHOSEN, client)
    assert not rules.is_clients(item(client="C-2"), CHOSEN, client)
    assert not rules.is_clients(item(client=""), CHOSEN, client)
    assert not rules.is_clients(item(client="C-1"), MondaySettings(), client)
    assert not rules.is_clients(item(client=""), CHOSEN, {**client, "client_identifier_value": None})
    assert rules.is_clients(item(client="C-2"), CHOSEN, {**client, "shared": False})


@given(text=st.text())
def test_a_comment_is_no_markup(text: str) -> None:
    """What people wrote arrives as they wrote it."""
    body = rules.as_html(text).replace("<br>", "\n")
    assert "<" not in body
    assert rules.same_text(text, text.replace("\n", ""))
