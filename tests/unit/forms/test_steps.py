"""What follows from a submission, and what others learn of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.forms import rules
from shared.areas.forms.models import Attribution, FormSchema, FormSettings, Utms
from shared.areas.forms.rules import Received, contact_of, ctm_body, steps_for, text_to_classify

ID = UUID("00000000-0000-4000-8000-000000000001")
SCHEMA = FormSchema.read(
    {
        "fields": [
            {"name": "full_name", "type": "text", "label": "Name"},
            {"name": "reach", "type": "phone", "label": "Phone"},
            {"name": "email", "type": "email"},
            {"name": "patient_dob", "type": "date", "label": "Born"},
            {"name": "field_7", "type": "text", "label": "Current medication"},
            {"name": "ssn", "type": "ssn"},
            {"name": "interest", "type": "select", "label": "Interested in"},
        ]
    }
)
ANSWERS: dict[str, Any] = {
    "full_name": "Ada L",
    "reach": "555 123 4567",
    "email": "ada@example.com",
    "patient_dob": "1990-01-01",
    "field_7": "Aspirin",
    "ssn": "123-45-6789",
    "interest": "Whitening",
    "submission_id": "forged",
}
SENT = Received(
    submission_id=ID,
    form_id=UUID(int=2),
    form_name="Contact",
    form_type="conversion",
    received_at=datetime(2026, 3, 1, tzinfo=UTC),
    schema=SCHEMA,
    payload=ANSWERS,
    attribution=Attribution(
        utms=Utms(utm_source="google"), landing_page="https://a.test/x?q=headache#top", ctm_session_id="sid1"
    ),
)
INTAKE = replace(SENT, form_type="intake")


def test_every_step_is_there_with_its_reason() -> None:
    """What is not done says why; keys are those of the seeds, each mail its own."""
    off = steps_for(ID, "intake", FormSettings())
    assert [(step.kind, step.skipped) for step in off] == [
        ("classification", "health data is not classified"),
        ("ctm_conversion", "ctm off"),
        ("email_notification", "no recipients"),
    ]
    on = steps_for(
        ID,
        "conversion",
        FormSettings(
            ctm_enabled=True,
            ctm_conversion_action_id="FRT1",
            email_recipients=["A@b.test", "c@d.test", "a@B.test", "nonsense"],
        ),
    )
    assert [(step.recipient, step.skipped) for step in on] == [
        (None, None),
        (None, None),
        ("A@b.test", None),
        ("c@d.test", None),
        ("nonsense", "not an e-mail address"),
    ]
    assert [step.key for step in on][:2] == [f"class_{ID}", f"ctm_{ID}"]
    assert on[2].key.startswith(f"email_{ID}_") and "@" not in on[2].key


def test_switches_are_obeyed() -> None:
    """Notifications off; CTM without a form reactor."""
    steps = steps_for(
        ID, "conversion", FormSettings(ctm_enabled=True, email_on_submission=False, email_recipients=["a@b.test"])
    )
    assert [step.skipped for step in steps] == [None, "no ctm form reactor", "notifications off"]


@given(st.lists(st.sampled_from(["a@b.test", "A@B.test", "c@d.test", "x", "é@f.test"])))
def test_keys_are_unique_and_stable(recipients: list[str]) -> None:
    """One step per address, whatever its case; the same keys each time."""
    steps = steps_for(ID, "conversion", FormSettings(email_recipients=recipients))
    keys = [step.key for step in steps]
    assert len(set(keys)) == len(keys)
    shouted = steps_for(ID, "conversion", FormSettings(email_recipients=[one.upper() for one in recipients]))
    assert sorted(keys) == sorted(step.key for step in shouted)


def test_backoff() -> None:
    """5, 10, 20, 40, 80 seconds."""
    assert [rules.backoff(n).total_seconds() for n in range(5)] == [5, 10, 20, 40, 80]


def test_contact_by_type_then_by_name() -> None:
    """Types count first; parts of a name are put together; what is no number or address is left out."""
    contact = contact_of(SCHEMA, ANSWERS)
    assert (contact.name, contact.phone, contact.email) == ("Ada L", "555 123 4567", "ada@example.com")
    loose = contact_of(FormSchema(), {"firstName": "Ada", "Last name": "L", "tel": "no", "E-mail": "ada@example.com"})
    assert (loose.name, loose.phone, loose.email) == ("Ada L", None, "ada@example.com")


def test_ctm_learns_who_and_what_but_no_health_data() -> None:
    """Answers as custom_*, our submission id always, health data never, nothing after the page's address."""
    body = ctm_body(SENT, FormSettings())
    assert body["phone_number"] == "555 123 4567" and body["caller_name"] == "Ada L" and body["visitor_sid"] == "sid1"
    assert body["custom_interest"] == "Whitening" and body["custom_utm_source"] == "google"
    assert body["custom_submission_id"] == str(ID) and body["custom_conversion_type"] == "contact_form"
    assert body["custom_landing_page"] == "https://a.test/x"
    text = repr(body)
    assert not any(secret in text for secret in ("1990", "Aspirin", "123-45", "headache", "forged"))


def test_ctm_learns_of_an_intake_only_that_it_was_completed() -> None:
    """No answer at all, not even the phone number: then there is nothing CTM would record."""
    body = ctm_body(INTAKE, FormSettings(ctm_five_star_enabled=True))
    assert body["custom_conversion_type"] == "intake_completed" and body["custom_five_star_lead"] is True
    assert not any(str(answer) in repr(body) for answer in ANSWERS.values())
    assert rules.why_not_to_ctm(body) == "no phone number"
    assert rules.why_not_to_ctm(ctm_body(SENT, FormSettings())) is None


def test_the_ai_reads_answers_but_not_people() -> None:
    """Labelled answers without health data and without who sent them."""
    assert text_to_classify(SENT) == "Interested in: Whitening\nsubmission_id: forged"


def test_an_intake_never_reaches_the_ai() -> None:
    """Asking for its text is an error."""
    with pytest.raises(ValueError, match="never"):
        text_to_classify(INTAKE)


def test_mail_has_every_answer_of_a_conversion_and_none_of_an_intake() -> None:
    """Staff read a conversion in their mail, an intake only in the dashboard."""
    assert ("Name", "Ada L") in (SENT.answers_for_mail() or [])
    assert INTAKE.answers_for_mail() is None


@pytest.mark.parametrize(
    "name", ["dob", "patientDOB", "Date of birth", "medical-record-number", "emergency_contact[]", "SSN"]
)
def test_health_data_is_known_however_it_is_written(name: str) -> None:
    """Camel case, spaces, dashes, lists."""
    assert rules.is_health_data(name)


@pytest.mark.parametrize("name", ["message", "dobermann", "address", "adobe"])
def test_other_words_are_not_health_data(name: str) -> None:
    """Whole words count."""
    assert not rules.is_health_data(name)


@given(
    st.dictionaries(
        st.text(max_size=12), st.text(max_size=12) | st.booleans() | st.lists(st.text(max_size=4), max_size=2)
    )
)
def test_no_answer_breaks_what_follows(payload: dict[str, object]) -> None:
    """Any payload can be told to CTM, to the AI and in a mail; our own facts cannot be overwritten."""
    sent = replace(SENT, payload=payload)
    assert ctm_body(sent, FormSettings())["custom_submission_id"] == str(ID)
    text_to_classify(sent)
    assert sent.answers_for_mail() is not None
