"""What our mails say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.emails import templates
from shared.areas.emails.templates import button, code, compose, form_submission, lines, paragraph

BASE = "https://app.example.com/"


SUBMISSION = UUID(int=7)


@dataclass(frozen=True)
class Submitted:
    answers: list[tuple[str, str]] | None
    form_name: str = "Contact <us>"
    submission_id: UUID = SUBMISSION
    received_at: datetime = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)

    def answers_for_mail(self) -> list[tuple[str, str]] | None:
        return self.answers


def test_a_submission_lists_its_answers_in_both_bodies() -> None:
    """Text as ``Label: value`` lines, HTML escaped, the logo from its old place."""
    mail = form_submission(Submitted([("Message", "<b>hi</b> & bye\nsoon")]), app_base_url=BASE)
    assert mail.subject == "New submission: Contact <us>"
    assert "Message: <b>hi</b> & bye\nsoon" in mail.text and "2026-03-01 12:30 UTC" in mail.text
    assert "&lt;b&gt;hi&lt;/b&gt; &amp; bye<br>soon" in mail.html and "<b>hi" not in mail.html
    assert 'src="https://app.example.com/email-assets/ANCHOR__CORPS.png"' in mail.html


def test_an_intake_says_nothing_of_its_answers() -> None:
    """Its id and a notice; there is no place an answer could come from."""
    mail = form_submission(Submitted(None), app_base_url=BASE)
    assert str(SUBMISSION) in mail.text and "protected health information" in mail.text
    assert mail.subject == "New intake: Contact <us>"


@given(st.text(), st.text(), st.text())
def test_nothing_given_becomes_markup_or_a_header(subject: str, label: str, value: str) -> None:
    """Names, labels and answers are text, the subject is one line."""
    plain = compose("s", [paragraph("p"), lines([("l", "v")]), code("c")], app_base_url=BASE)
    mail = compose(subject, [paragraph(value), lines([(label, value)]), code(value)], app_base_url=BASE)
    assert len(mail.subject.splitlines()) <= 1 and len(mail.subject) <= 200
    assert mail.html.replace("<br>", "").count("<") == plain.html.count("<")


def test_a_button_is_spelled_out_in_text() -> None:
    """Its address is escaped, and is a web address."""
    part = button("Open", "https://a.test/?a=1&b=2")
    assert part.text == "Open: https://a.test/?a=1&b=2" and "a=1&amp;b=2" in part.html
    with pytest.raises(ValueError, match="web addresses"):
        button("Open", "javascript:alert(1)")


def test_secret_types() -> None:
    """The mails that let their reader in."""
    links = {"password_reset", "email_verification", "onboarding_invite", "onboarding_reminder"}
    assert {"mfa_otp", *links} == templates.SECRET_TYPES
