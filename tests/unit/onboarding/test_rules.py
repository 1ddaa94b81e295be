"""The wizard's rules: flags follow statuses, drafts lose passwords, switches name what is missing; the summary."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.onboarding import rules, summary
from shared.areas.onboarding.models import ACCESS_STEPS, STATUSES, STEPS, Complete, Fields
from shared.errors import TooLarge

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "password", "newPassword", "PASSWORD2", "x\x00"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["form", "password", "confirm_password"]), JSON, max_size=3))
def test_a_draft_never_holds_a_password(draft: dict[str, Any]) -> None:
    """No key that names a password is kept at any depth, and nothing that PostgreSQL cannot keep."""
    try:
        kept = rules.draft(draft)
    except TooLarge:
        return
    text = json.dumps(kept)

    assert "password" not in text.lower()
    assert "\\u0000" not in text


def test_a_draft_has_limits() -> None:
    """Too many bytes and too deep a nest are refused; none at all empties it."""
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"a": deep}
    for draft in ({"a": "x" * 70_000}, deep):
        with pytest.raises(TooLarge):
            rules.draft(draft)
    assert rules.draft(None) is None


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_decides_its_flags(status: str) -> None:
    """Provided and promised are exactly the statuses that say so; flags that come with it win."""
    base = status.removesuffix("_status")
    for value, flags in {
        "provided": (True, False),
        "provided_access": (True, False),
        "will_provide": (False, True),
        "will_provide_access": (False, True),
        "need_help": (False, False),
    }.items():
        try:
            fields = Fields.model_validate({status: value})
        except ValueError:
            continue
        columns = rules.columns(fields)
        assert (columns[f"{base}_provided"], columns[f"{base}_understood"]) == flags
    told = Fields.model_validate({status: "need_help", f"{base}_provided": True})
    assert rules.columns(told)[f"{base}_provided"] is True


def test_what_is_absent_is_left_alone() -> None:
    """Only given fields become columns; an empty text empties its column."""
    assert rules.columns(Fields()) == {}
    assert rules.columns(Fields.model_validate({"office_admin_name": ""})) == {"office_admin_name": None}


@given(st.dictionaries(st.sampled_from([*ACCESS_STEPS, *STATUSES]), st.booleans()))
def test_missing_is_asked_for_and_unanswered(answers: dict[str, bool]) -> None:
    """A status is missing exactly when its switch is on and it is empty."""
    profile = {name: answers.get(name, False) for name in (*ACCESS_STEPS, *STATUSES)}

    expected = [status for switch, status in ACCESS_STEPS.items() if profile[switch] and not profile[status]]
    assert rules.missing(profile) == expected


def test_every_field_belongs_to_one_step() -> None:
    """The eight steps share the wizard's fields out without rest."""
    fields = [name for names in STEPS.values() for name in names]

    assert len(STEPS) == 8 and len(fields) == len(set(fields))
    assert set(fields) == set(Fields.model_fields)
    assert set(Complete.model_fields) - set(fields) == {"password", "current_password"}


TEXT = st.text(max_size=300)


@given(TEXT, TEXT, TEXT)
def test_any_text_makes_a_summary(name: str, notes: str, service: str) -> None:
    """Whatever was typed, in whatever script and length, the PDF is drawn."""
    state = {
        "user": {"first_name": name, "last_name": "", "email": "a@example.test"},
        "profile": {
            **dict.fromkeys((*rules.CONTACT, *STATUSES, "google_ads_account_id"), notes),
            "monthly_revenue_goal": "",
            "website_forms_notes": notes,
        },
        "brand": {"business_name": name, "logos": [{"name": service}]},
        "services": [{"name": service, "description": notes, "base_price": None, "active": True}],
    }

    pdf = summary.render(state, completed_at=datetime(2026, 1, 31, tzinfo=UTC))

    assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")


def test_the_summary_is_named_after_its_client() -> None:
    """The file's name has nothing but letters, digits and underscores of the address."""
    name = summary.file_name("a.b+c@x.test", datetime(2026, 1, 31, tzinfo=UTC))

    assert name == "anchor_onboarding_a_b_c_x_test_1769817600000.pdf"
