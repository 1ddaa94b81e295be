"""What our mails say and how they look: text and HTML from the same few parts, everything escaped.

A mail is a subject and a list of parts (``paragraph``, ``lines``, ``button``, ``code``); ``compose`` puts them into
the one layout. A new type of mail is one more function that returns ``compose(…)``.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Template
from typing import Final, Protocol
from uuid import UUID

# Mails that let their reader in somewhere: the log keeps that they were sent, never what they said.
SECRET_TYPES: Final = frozenset({"mfa_otp", "password_reset", "email_verification", "onboarding_invite"})


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says. Both bodies say the same."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a mail, both ways."""

    text: str
    html: str


def paragraph(text: str) -> Part:
    return Part(text, f'<p style="margin:0 0 16px">{_escaped(text)}</p>')


def lines(pairs: Iterable[tuple[str, str]]) -> Part:
    """``Label: value`` lines; a table in HTML."""
    rows = list(pairs)
    cell = "padding:6px 16px 6px 0;vertical-align:top"
    table = "".join(
        f'<tr><td style="{cell};color:#59636e">{_escaped(label)}</td><td style="{cell}">{_escaped(value)}</td></tr>'
        for label, value in rows
    )
    text = "\n".join(f"{label}: {value}" for label, value in rows)
    return Part(text, f'<table role="presentation" style="border-collapse:collapse;margin:0 0 16px">{table}</table>')


def button(label: str, url: str) -> Part:
    """A link to one of our pages, spelled out in text; raises ValueError for an address that is no web address."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("a mail links to web addresses only")
    style = (
        "display:inline-block;padding:12px 22px;border-radius:6px;background:#1f6feb;color:#ffffff;text-decoration:none"
    )
    return Part(
        f"{label}: {url}",
        f'<p style="margin:0 0 16px"><a href="{_escaped(url)}" style="{style}">{_escaped(label)}</a></p>',
    )


def code(digits: str) -> Part:
    """A one-time code, large."""
    return Part(digits, f'<p style="margin:0 0 16px;font-size:28px;letter-spacing:6px">{_escaped(digits)}</p>')


def compose(subject: str, parts: Sequence[Part], *, app_base_url: str) -> Content:
    """The whole mail: the parts under our logo. The subject is one line of at most 200 characters."""
    one_line = " ".join(subject.split())[:200]
    logo = f"{app_base_url.rstrip('/')}/email-assets/ANCHOR__CORPS.png"
    page = _LAYOUT.substitute(
        subject=_escaped(one_line), logo=html.escape(logo), content="\n".join(part.html for part in parts)
    )
    return Content(one_line, "\n\n".join(part.text for part in parts) + "\n", page)


def _escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


_LAYOUT = Template("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$subject</title></head>
<body style="margin:0;padding:24px;background:#f3f5f7;color:#1f2328;font:16px/1.5 Arial,Helvetica,sans-serif">
<div style="max-width:600px;margin:0 auto;padding:28px;background:#ffffff;border-radius:8px">
<p style="margin:0 0 24px"><img src="$logo" alt="Anchor" height="40" style="display:block;border:0"></p>
$content
</div>
</body>
</html>
""")


class Submitted(Protocol):
    """A form submission, as much of it as a mail may tell (``forms.rules.Received``)."""

    @property
    def form_name(self) -> str: ...
    @property
    def submission_id(self) -> UUID: ...
    @property
    def received_at(self) -> datetime: ...
    def answers_for_mail(self) -> list[tuple[str, str]] | None: ...


def form_submission(sent: Submitted, *, app_base_url: str) -> Content:
    """A submission arrived: its answers as ``Label: value``.

    An intake's mail has nothing but the submission's id, the time and a notice: mail is no place for health data.
    """
    answers = sent.answers_for_mail()
    facts = lines([("Form", sent.form_name), ("Received", f"{sent.received_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")])
    which = lines([("Submission", str(sent.submission_id))])
    if answers is None:
        notice = (
            "A new intake was completed. It holds protected health information, so its answers are not in this mail."
        )
        told = [paragraph(f"{notice} Sign in to the dashboard to read them."), facts, which]
        return compose(f"New intake: {sent.form_name}", told, app_base_url=app_base_url)
    said = lines(answers) if answers else paragraph("It was sent without answers.")
    told = [paragraph("A new submission arrived."), facts, said, which]
    return compose(f"New submission: {sent.form_name}", told, app_base_url=app_base_url)
