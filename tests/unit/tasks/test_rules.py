"""Rules of tasks: prefixes, mentions, and what a body may hold."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.areas.tasks.models import ChangeItem, CreateItem
from shared.areas.tasks.rules import MOST_MENTIONS, mentions, prefixed

WORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "Zs")), max_size=20)


@pytest.mark.parametrize(
    ("name", "prefix", "named"),
    [
        ("Logo", "ACME", "ACME Logo"),
        ("acme", "ACME", "acme"),
        ("Acme: logo", "ACME", "Acme: logo"),
        ("acme-logo", "ACME", "acme-logo"),
        ("Acmeville", "ACME", "ACME Acmeville"),
        (" Logo ", "  ", "Logo"),
        ("Logo", None, "Logo"),
        ("a+b x", "A+B", "a+b x"),
    ],
)
def test_a_prefix_is_put_where_it_is_missing(name: str, prefix: str | None, named: str) -> None:
    """A name that has it, whatever its case, stays; a longer word that only begins with it does not count."""
    assert prefixed(name, prefix) == named


@given(WORDS, WORDS)
def test_a_prefix_is_put_once(name: str, prefix: str) -> None:
    """Naming again what was named changes nothing."""
    once = prefixed(name, prefix)
    assert prefixed(once, prefix) == once.strip()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("@pat@example.test done", ["pat@example.test"]),
        ("(@Pat@Example.test), @pat@example.test.", ["pat@example.test"]),
        ("@a.b+c@x-y.co.uk:", ["a.b+c@x-y.co.uk"]),
        ("pat@example.test and @Pat and a@b@c.de and @pat@local", []),
        ("@one@x.de@two@y.de", ["one@x.de"]),
        ("", []),
    ],
)
def test_a_mention_is_an_at_and_the_whole_address(content: str, found: list[str]) -> None:
    """Neither a bare address nor a name is one."""
    assert mentions(content) == found


@given(st.text(max_size=200), st.integers(0, 80))
def test_mentions_are_found_in_any_text_and_bounded(noise: str, many: int) -> None:
    """Whatever else is there, each mentioned address is found once, and never more than fifty."""
    text = " ".join(f"@p{n}@example.test @p{n}@example.test" for n in range(many))
    found = mentions(f"{text} {noise}")
    assert found[: min(many, MOST_MENTIONS)] == [f"p{n}@example.test" for n in range(min(many, MOST_MENTIONS))]
    assert len(found) <= MOST_MENTIONS


@given(st.dates())
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    """YYYY-MM-DD and back; no other form of the same day."""
    assert CreateItem.model_validate_json(f'{{"name": "x", "due_date": "{day.isoformat()}"}}').due_date == day
    for other in (f"{day.isoformat()}T00:00:00Z", day.strftime("%d.%m.%Y")):
        with pytest.raises(ValidationError):
            CreateItem.model_validate({"name": "x", "due_date": other})


def test_a_change_is_what_was_given() -> None:
    """Null is a value of a due date only, what is left out stays, and what was seen is no change."""
    change = ChangeItem.model_validate({"due_date": None, "updated_at": "2026-11-21T10:00:00.000Z"})
    assert change.given == {"due_date": None}
    for wrong in ({"name": None}, {"status": None}, {}, {"updated_at": "2026-11-21T10:00:00.000Z"}):
        with pytest.raises(ValidationError):
            ChangeItem.model_validate(wrong)
