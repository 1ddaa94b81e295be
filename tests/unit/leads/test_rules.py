"""The rules of calls, ratings and exports, on their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.areas.leads import rules
from shared.areas.leads.classification import CATEGORIES, STARS
from shared.areas.leads.rules import Rating
from shared.integrations.ctm.records import read_call

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["sale", "score", "transcription", "transcript", "notes", "form", "source", "caller", "name", "duration",
     "unix_time", "start_time", "recordings", "actions", "status", "direction", "called_at", "cnam", "timestamp"]
)  # fmt: skip


@given(st.dictionaries(names, json_values, max_size=8))
def test_any_record_can_be_read_and_stored(record: dict[str, Any]) -> None:
    """Whatever CTM sends under the names we read, a call comes out that PostgreSQL and the dashboard can keep."""
    call = read_call({"id": 7, **record})
    assert call is not None and call.id == "7"
    assert 0 <= call.score <= 5 and call.duration_s >= 0
    merged = rules.merge(None, call, NOON)
    assert merged is not None and merged.is_new
    assert "\x00" not in call.transcript + call.message + call.caller_name
    assert merged.meta["category"] in STARS


@pytest.mark.parametrize(
    ("record", "field_name", "value"),
    [
        ({"transcription": {"text": "Hi"}, "transcript": "No"}, "transcript", "Hi"),
        ({"transcription": {"text": ""}, "transcript": "Yes"}, "transcript", "Yes"),
        ({"form": {"custom": {"reason": "roof", "when": 3}}}, "message", "reason: roof\nwhen: 3"),
        ({"form": {"custom": [{"name": "reason", "value": "roof"}]}}, "message", "reason: roof"),
        ({"caller": {"name": "Ada", "number": "+1"}, "name": "No"}, "caller_name", "Ada"),
        ({"duration": 0, "talk_time": 12}, "duration_s", 12),
        ({"unix_time": 1769860800}, "started_at", NOON),
        ({"start_time": "2026-01-31T07:00:00-05:00"}, "started_at", NOON),
        ({"called_at": "2026-01-31 12:00 +00:00"}, "started_at", NOON),
        ({"timestamp": 1769860800000}, "started_at", NOON),
        ({"called_at": "2026-01-31 07:00 AM -05:00"}, "started_at", NOON),
        ({"start_time": "0001-01-01T00:00:00+14:00", "called_at": "2026-01-31 12:00 PM +00:00"}, "started_at", NOON),
        ({"start_time": "9999-12-31T23:59:59-14:00"}, "started_at", None),
        ({"start_time": "1969-12-31"}, "started_at", None),
        ({"duration": 10**14}, "duration_s", 0),
        ({"name": "x" * 1000}, "caller_name", "x" * 300),
        ({"id": 0, "name": "zero"}, "id", "0"),
        ({"id": "x" * 1000, "sid": "CA1"}, "id", "CA1"),
        ({"sale": {"score": "4"}, "score": 1}, "score", 4),
        ({"score": 9}, "score", 5),
        ({"score": float("nan")}, "score", 0),
        ({"cnam": "ADA", "city": "Austin", "country": "US"}, "region", "ADA · Austin, US"),
        ({"recordings": [{"url": "u", "id": 1}, {"name": "none"}]}, "recording_url", "u"),
        ({"actions": [{"event": "Voicemail"}], "status": "Done"}, "states", ("done", "voicemail")),
    ],
)
def test_fields_stand_under_several_names(record: dict[str, Any], field_name: str, value: object) -> None:
    """The first name that says something counts."""
    assert getattr(read_call({"id": "1", **record}), field_name) == value


def test_a_record_without_id_is_no_call() -> None:
    """There is nothing to store it under."""
    assert read_call({"name": "Ada"}) is None and read_call({"id": True}) is None and read_call({"id": ""}) is None


def test_every_category_of_the_ai_has_its_stars_and_only_people_convert() -> None:
    """The seeds' table: converted 5, very_good 4, warm and needs_attention 3, not_a_fit 2, spam 1, the others none."""
    assert {name: stars for name, stars in STARS.items() if stars} == {
        "converted": 5, "very_good": 4, "warm": 3, "needs_attention": 3, "not_a_fit": 2, "spam": 1
    }  # fmt: skip
    assert set(STARS) - set(CATEGORIES) == {"converted"} and len(CATEGORIES) == 10


@given(st.integers(1, 5), st.sampled_from(sorted(STARS)))
def test_a_rating_and_its_category_agree(score: int, current: str) -> None:
    """The category for a rating has just these stars; one that already had them stays."""
    category = rules.category_of_rating(score, current)
    assert STARS[category] == score
    assert category == current or STARS[current] != score


@given(st.lists(st.lists(st.none() | st.integers() | st.text(), min_size=2, max_size=4), max_size=5))
def test_csv_comes_back_as_text(rows: list[list[Any]]) -> None:
    """What is written is read again, but for the apostrophe before what a spreadsheet would run."""
    for row in rows:
        [read] = csv.reader(io.StringIO(rules.csv_line(row), newline=""))
        plain = ["" if cell is None else str(cell) for cell in row]
        assert [
            cell.removeprefix("'") if not was.startswith("'") else cell for cell, was in zip(read, plain, strict=True)
        ] == plain
        assert not any(cell.startswith(tuple("=+-@\t\r\n＝＋－＠")) for cell in read)


@dataclass
class Side:
    """One call's stars, here and in CTM, and what is on its way between them."""

    ours: Rating = field(default_factory=Rating)
    ctm: int = 0
    rev: int = 0
    clock: datetime = NOON


class Ratings(RuleBasedStateMachine):
    """Every interleaving of people on both sides, syncs whose reading is late, and posts that are slow or die.

    The steps are those of ``sync`` and ``ratings``: a sync reads, then stores; a post takes the lease, asks CTM, posts,
    and records it, and may die at any of these points.
    """

    def __init__(self) -> None:
        super().__init__()
        self.side = Side()
        self.reading: tuple[int, datetime] | None = None
        self.post: dict[str, Any] | None = None
        self.said_by_person: set[int] = {0}  # every rating that somebody gave, on either side
        self.landed_last = False  # the last change of CTM's stars was our post
        self.rated_after_landing = False  # somebody rated in CTM after our latest rating arrived there

    def tick(self) -> datetime:
        self.side.clock += timedelta(seconds=1)
        return self.side.clock

    @rule(score=st.integers(0, 5))
    def a_person_rates_here(self, score: int) -> None:
        self.rated_after_landing = False
        self.side.rev += 1
        self.side.ours = Rating(
            score=score, by="user", agreed=self.side.ours.agreed, pending=True, posting=self.side.ours.posting,
            touched_at=self.tick(),
        )  # fmt: skip
        self.said_by_person.add(score)

    @rule(score=st.integers(0, 5))
    def a_person_rates_in_ctm(self, score: int) -> None:
        self.side.ctm = score
        self.said_by_person.add(score)
        self.rated_after_landing = self.post is not None and self.post["step"] == "records"
        self.landed_last = False

    @rule(score=st.integers(1, 4))
    @precondition(lambda self: self.side.ours == Rating())
    def a_label_gives_stars(self, score: int) -> None:
        self.side.rev += 1
        self.side.ours = Rating(score=score, by="auto", pending=True, touched_at=self.tick())
        self.said_by_person.add(score)

    @rule()
    @precondition(lambda self: self.reading is None)
    def a_sync_reads(self) -> None:
        self.reading = (self.side.ctm, self.tick())

    @rule()
    @precondition(lambda self: self.reading is not None)
    def a_sync_stores(self) -> None:
        assert self.reading is not None
        before, (seen, read_at) = self.side.ours, self.reading
        self.side.ours = rules.rating_after_reading(before, seen, read_at)
        if before.pending and before.by == "user":
            assert self.side.ours == before, "a person's rating that CTM has not got is never taken away"
        self.reading = None

    @rule()
    @precondition(lambda self: self.post is None and self.side.ours.pending)
    def a_post_begins(self) -> None:
        self.side.ours = self._with(posting=True)
        self.post = {"score": self.side.ours.score, "by": self.side.ours.by, "agreed": self.side.ours.agreed,
                     "rev": self.side.rev, "step": "asks"}  # fmt: skip

    @rule()
    @precondition(lambda self: self.post is not None)
    def a_post_goes_on(self) -> None:
        post = self.post
        assert post is not None
        if post["step"] == "asks":
            post["held"] = self.side.ctm
            post["step"] = "posts" if rules.may_post(post["by"], post["agreed"], post["held"]) else "yields"
        elif post["step"] == "posts":
            self.side.ctm = post["score"]
            self.landed_last = True
            post["step"] = "records"
        elif post["step"] == "records":
            self.side.ours = self._with(
                agreed=post["score"], pending=self.side.rev != post["rev"], posting=False, touched_at=self.tick()
            )
            self.post = None
        else:
            if self.side.rev == post["rev"]:
                self.side.ours = Rating(score=post["held"], by="ctm", agreed=post["held"], touched_at=self.tick())
            else:
                self.side.ours = self._with(posting=False)
            self.post = None

    @rule()
    @precondition(lambda self: self.post is not None)
    def a_post_dies(self) -> None:
        self.side.ours = self._with(posting=False)  # its lease runs out
        self.landed_last &= self.side.ours.by == "user"  # an automatic one: nobody knows any more that it landed
        self.post = None

    @invariant()
    def nobody_sees_a_rating_that_nobody_gave(self) -> None:
        assert self.side.ours.score in self.said_by_person

    @invariant()
    def what_was_posted_is_not_taken_back(self) -> None:
        if self.landed_last and self.post is None and not self.side.ours.pending:
            assert self.side.ours.score == self.side.ctm, "an old reading of CTM has undone our rating"

    def teardown(self) -> None:
        """After the dust both sides are equal, and a person's rating made here last is what both have."""
        waits = self.side.ours.pending and self.side.ours.by == "user" and not self.rated_after_landing
        last_here = self.side.ours if waits else None
        if self.reading:
            self.a_sync_stores()
        for _ in range(3):
            while self.post is not None:
                self.a_post_goes_on()
            if self.side.ours.pending:
                self.a_post_begins()
            else:
                self.a_sync_reads()
                self.a_sync_stores()
        while self.post is not None:
            self.a_post_goes_on()
        assert not self.side.ours.pending
        assert self.side.ours.score == self.side.ctm
        if last_here is not None:
            assert self.side.ctm == last_here.score

    def _with(self, **changes: Any) -> Rating:
        return replace(self.side.ours, **changes)


TestRatings = Ratings.TestCase


def interleavings(threads: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, ...]]:
    """Every order of all steps in which each thread's own order is kept."""
    if not any(threads):
        yield ()
    for index, thread in enumerate(threads):
        if thread:
            rest = (*threads[:index], thread[1:], *threads[index + 1 :])
            yield from ((thread[0], *later) for later in interleavings(rest))


def play(machine: Ratings, step: str, here: str, ctm: int) -> None:
    """Take one step, if it is possible now."""
    match step:
        case "ctm":
            machine.a_person_rates_in_ctm(score=ctm)
        case "here" if here != "auto-star":
            machine.a_person_rates_here(score=4 if here == "person" else 0)
        case "here" if machine.side.ours == Rating():
            machine.a_label_gives_stars(score=3)
        case "read" if machine.reading is None:
            machine.a_sync_reads()
        case "store" if machine.reading is not None:
            machine.a_sync_stores()
        case "begin" if machine.post is None and machine.side.ours.pending:
            machine.a_post_begins()
        case "on" if machine.post is not None:
            machine.a_post_goes_on()
        case "die" if machine.post is not None:
            machine.a_post_dies()


@pytest.mark.parametrize("here", ["person", "person clears", "auto-star"])
@pytest.mark.parametrize("ctm", [2, 0])
@pytest.mark.parametrize("post", [("begin", "on", "on", "on"), ("begin", "on", "on", "die")])
def test_both_sides_agree_after_every_interleaving(here: str, ctm: int, post: tuple[str, ...]) -> None:
    """One rating here, one in CTM, two syncs and a post that may die, in every order there is."""
    for order in interleavings((("here",), ("ctm",), ("read", "store", "read", "store"), post)):
        machine = Ratings()
        if here == "person clears":
            machine.side = Side(ours=Rating(score=5, by="user", agreed=5), ctm=5)
            machine.said_by_person.add(5)
        for step in order:
            play(machine, step, here, ctm)
            machine.nobody_sees_a_rating_that_nobody_gave()
            machine.what_was_posted_is_not_taken_back()
        machine.teardown()
