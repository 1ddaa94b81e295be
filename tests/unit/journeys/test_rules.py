"""The state diagram of journeys, and what lists of concerns and sources become."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.areas.journeys import rules
from shared.areas.journeys.rules import State, Status
from shared.errors import Conflict

STATUSES = get_args(Status)
ARROWS = {
    "pending": {"pending", "in_progress", "active_client", "won", "lost", "archived"},
    "in_progress": {"in_progress", "active_client", "won", "lost", "archived"},
    "active_client": {"active_client", "archived"},
    "won": {"won", "archived"},
    "lost": {"lost", "archived"},
}


@pytest.mark.parametrize("status", ARROWS)
def test_only_the_arrows_of_the_diagram_can_be_followed(status: str) -> None:
    """A live journey goes where the diagram leads, through the states between, and nowhere else."""
    reached = set()
    for to in STATUSES:
        try:
            rules.moved(State(status), to)
        except Conflict:
            continue
        reached.add(to)
    assert reached == ARROWS[status]


@pytest.mark.parametrize(
    ("before", "in_archive", "after"),
    [
        ("pending", "archived", "in_progress"),
        ("in_progress", "archived", "in_progress"),
        ("lost", "lost", "in_progress"),
        ("won", "won", "won"),
        ("active_client", "active_client", "active_client"),
    ],
)
def test_the_archive_and_back(before: str, in_archive: str, after: str) -> None:
    """An ended journey says how in the archive, too; one that is restored is worked on again, unless it has won.

    The status it has already, sent again with other fields, restores nothing.
    """
    there = rules.archived(State(before))
    assert there == State(in_archive, archived=True)
    assert rules.restored(there) == State(after)
    assert rules.moved(there, after) == (there if after == in_archive else State(after))


def test_whoever_restores_may_say_as_what() -> None:
    """A status told on restoring counts."""
    assert rules.restored(State("archived", archived=True), "pending") == State("pending")


class Journeys(RuleBasedStateMachine):
    """Any order of moves, archiving and restoring."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State("pending")

    @rule(to=st.sampled_from(STATUSES))
    def move(self, to: str) -> None:
        before = self.state
        try:
            self.state = rules.moved(before, to)
        except Conflict:
            return
        assert self.state.status == to or (to == "archived" and self.state.archived)

    @rule()
    def archive(self) -> None:
        self.state = rules.archived(self.state)
        assert rules.archived(self.state) == self.state

    @rule()
    def restore(self) -> None:
        self.state = rules.restored(self.state)

    @invariant()
    def archived_says_so(self) -> None:
        assert self.state.status in STATUSES
        assert self.state.archived or self.state.status != "archived"
        assert not self.state.archived or self.state.status not in ("pending", "in_progress")


TestJourneys = Journeys.TestCase


def test_concerns_are_told_once() -> None:
    """As first written, without spaces and blanks."""
    assert rules.distinct([" Pain ", "pain", "", "  ", "Swelling", "PAIN"]) == ["Pain", "Swelling"]


@given(st.lists(st.text(max_size=8), max_size=12))
def test_distinct_twice_is_distinct_once(texts: list[str]) -> None:
    """Nothing is left that another one repeats, and nothing is lost."""
    once = rules.distinct(texts)
    assert rules.distinct(once) == once
    assert {text.strip().casefold() for text in texts} - {""} == {text.casefold() for text in once}


def test_sources_are_joined() -> None:
    """Every source once, in the order they were told; none at all is none."""
    assert rules.joined_sources("Google, Ads", None, "ads", "Phone ,google") == "Google, Ads, Phone"
    assert rules.joined_sources(None, "", " , ") is None
