"""What an automation may be made of, and when it runs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.tasks import automation_rules as rules
from shared.areas.tasks.automation_runs import starts
from shared.areas.tasks.changes import Change, ItemChanged, Origin
from shared.errors import Invalid

values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers())
configs = st.dictionaries(
    st.sampled_from(["to_status", "days_from_due", "title", "body", "link_url", "status", "value", "content", "x"]),
    values,
)
kinds = st.text(max_size=10)


@given(st.sampled_from(sorted(rules.TRIGGERS)) | kinds, configs)
def test_a_trigger_is_read_or_refused(kind: str, config: dict[str, Any]) -> None:
    """Whatever is stored: a trigger that reads the same again, or Invalid with the field's name."""
    try:
        trigger = rules.trigger_of(kind, config)
    except Invalid as problem:
        assert problem.extra["errors"][0]["field"].startswith("trigger_")  # type: ignore[index]
        return
    assert rules.trigger_of(kind, trigger.model_dump(mode="json", exclude_none=True)) == trigger


@given(st.sampled_from(sorted(rules.ACTIONS)) | kinds, configs)
def test_an_action_is_read_or_refused(kind: str, config: dict[str, Any]) -> None:
    """The same of actions; a notice never leads outside of the dashboard."""
    try:
        action = rules.action_of(kind, config)
    except Invalid as problem:
        assert problem.extra["errors"][0]["field"].startswith("action_")  # type: ignore[index]
        return
    assert rules.action_of(kind, action.model_dump(mode="json", exclude_none=True)) == action
    if isinstance(action, rules.Notify) and action.link_url is not None:
        assert action.link_url.startswith("/")
        assert not action.link_url.startswith("//")


def test_a_title_is_one_line() -> None:
    """It becomes the subject of a mail."""
    action = rules.action_of("notify_admins", {"title": " Look\r\nBcc: all@x.test  here ", "body": "One\nTwo"})
    assert action == rules.Notify(title="Look Bcc: all@x.test here", body="One\nTwo")


@pytest.mark.parametrize(
    "link", ["//evil.test", "/\\evil.test", "https://evil.test", "javascript:alert(1)", "tasks", "/a b"]
)
def test_a_link_that_leads_outside_is_refused(link: str) -> None:
    """A browser takes some of these for another site."""
    with pytest.raises(Invalid):
        rules.action_of(rules.NOTIFY_ADMINS, {"link_url": link})


@pytest.mark.parametrize(
    ("wanted", "status", "matches"),
    [
        (None, "Anything", True),
        ("", "Anything", True),
        ("Done", "done", True),
        ("done", "Done", True),
        ("needs_attention", "Needs Attention", True),
        ("Working on it", " working ", True),
        ("Done", "Donee", False),
        ("Stuck", "To Do", False),
    ],
)
def test_a_status_is_matched_as_labels_are(wanted: str | None, status: str, matches: bool) -> None:
    """In any case, and old codes as the labels they have become: the dashboard's template still sends a code."""
    trigger = rules.trigger_of(rules.STATUS_CHANGE, {"to_status": wanted})
    assert isinstance(trigger, rules.OnStatusChange)
    assert rules.status_matches(trigger, status) is matches


@given(st.integers(-365, 365), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_due_date_rule_is_about_one_day(days: int, due: date) -> None:
    """Run on the day that lies so many days from a due date, it is about that due date and no other."""
    trigger = rules.OnDueDate(days_from_due=days)
    assert rules.due_day(trigger, due + timedelta(days=days)) == due
    assert rules.due_fingerprint(days, due) == f"due_date_relative:{days}:{due}"


ACTOR, SOMEBODY = uuid4(), uuid4()


def fact(*found: Change, origin: Origin = "person") -> ItemChanged:
    return ItemChanged(item_id=uuid4(), board_id=uuid4(), changes=list(found), by=ACTOR, origin=origin)


def test_only_what_a_person_did_starts_a_rule() -> None:
    """Automations, schedules and Monday.com do not, so that nothing goes round in circles; nor does making an item."""
    change = Change(what="status", old="To Do", new="Done")
    others: tuple[Origin, ...] = ("automation", "schedule", "monday")
    assert [starts(fact(change, origin=origin), "k") for origin in others] == [[], [], []]
    assert starts(fact(Change(what="created"), Change(what="name", old="a", new="b")), "k") == []
    [told] = starts(fact(change), "k")
    assert (told.trigger_type, told.facts) == ("status_change", {"from_status": "To Do", "to_status": "Done"})
    assert (told.actor_id, told.fingerprint) == (ACTOR, "status_change:k")


def test_each_new_assignee_is_a_change_of_their_own() -> None:
    """Two people assigned in one step have two fingerprints."""
    both = starts(fact(*(Change(what="assignee_added", new=str(one)) for one in (ACTOR, SOMEBODY))), "k")
    assert [one.assignee_id for one in both] == [ACTOR, SOMEBODY]
    assert len({one.fingerprint for one in both}) == 2
    assert all(isinstance(one.assignee_id, UUID) for one in both)
