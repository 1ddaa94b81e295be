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
SECRET_TYPES: Final = frozenset(
    {"mfa_otp", "password_reset", "email_verification", "onboarding_invite", "onboarding_reminder"}
)


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


@dataclass(frozen=True, slots=True)
class Site:
    """Where our mails lead: the API's own address, and the dashboard's where it differs."""

    app_base_url: str
    dashboard_url: str = ""

    def page(self, path: str) -> str:
        """A page of the dashboard, by its in-app path."""
        return f"{(self.dashboard_url or self.app_base_url).rstrip('/')}/{path.lstrip('/')}"

    def file(self, path: str) -> str:
        """A file of ours, by its address."""
        return f"{self.app_base_url.rstrip('/')}/{path.lstrip('/')}"


def notification(*, title: str, body: str, link: str, site: Site) -> Content:
    """The mail of a notice in the dashboard's bell; ``link`` is an in-app path."""
    parts = [paragraph(body or title)]
    if link:
        parts.append(button("Open the dashboard", site.page(link)))
    return compose(title, parts, app_base_url=site.app_base_url)


def onboarding_invite(*, name: str, token: str, expires_at: datetime, site: Site) -> Content:
    parts = [
        paragraph(f"Hello {name}," if name else "Hello,"),
        paragraph("Welcome to Anchor. Please set up your account: it takes a few minutes, and you can pause anytime."),
        button("Start onboarding", site.page(f"/onboarding/{token}")),
        paragraph(f"This link is yours alone and works until {_until(expires_at)}."),
    ]
    return compose("Welcome to Anchor: set up your account", parts, app_base_url=site.app_base_url)


def onboarding_link_expires(*, name: str, token: str, expires_at: datetime, site: Site) -> Content:
    parts = [
        paragraph(f"Hello {name}," if name else "Hello,"),
        paragraph(f"Your onboarding link works until {_until(expires_at)}. Please finish setting up before then."),
        button("Continue onboarding", site.page(f"/onboarding/{token}")),
    ]
    return compose("Reminder: your onboarding link expires soon", parts, app_base_url=site.app_base_url)


def onboarding_unfinished(*, name: str, site: Site) -> Content:
    """To a client who has an account but stopped half-way: sign in and go on."""
    parts = [
        paragraph(f"Hello {name}," if name else "Hello,"),
        paragraph("Your account is ready, but your onboarding is not finished yet. What you entered is saved."),
        button("Continue onboarding", site.page("/onboarding")),
    ]
    return compose("Reminder: finish your onboarding", parts, app_base_url=site.app_base_url)


def onboarding_complete(*, name: str, summary_url: str, site: Site) -> Content:
    parts = [
        paragraph(f"Thank you, {name}." if name else "Thank you."),
        paragraph("Your onboarding is complete. We review it, and tell you as soon as your portal is ready."),
        button("Read your summary", site.file(summary_url)),
    ]
    return compose("Your onboarding is complete", parts, app_base_url=site.app_base_url)


def onboarding_complete_for_staff(*, client: str, summary_url: str, site: Site) -> Content:
    parts = [
        paragraph(f"{client} has finished onboarding and waits for activation."),
        button("Read the summary", site.file(summary_url)),
        button("Open the client hub", site.page("/client-hub")),
    ]
    return compose(f"Onboarding complete: {client}", parts, app_base_url=site.app_base_url)


def account_activated(*, name: str, site: Site) -> Content:
    parts = [
        paragraph(f"Hello {name}," if name else "Hello,"),
        paragraph("Your Anchor portal is ready. Sign in with your e-mail address and password."),
        button("Sign in", site.page("/pages/login")),
    ]
    return compose("Your Anchor portal is ready", parts, app_base_url=site.app_base_url)


def document_review(*, name: str, label: str, site: Site) -> Content:
    parts = [
        paragraph(f"Hello {name}," if name else "Hello,"),
        paragraph(f"Please review this document: {label}"),
        button("Open your documents", site.page("/portal?tab=documents")),
    ]
    return compose("A document waits for your review", parts, app_base_url=site.app_base_url)


def review_request(*, name: str, business: str, message: str, url: str, stop_url: str, app_base_url: str) -> Content:
    """A business asks its customer for a review. The message is its own words, the name its customer's."""
    asks = f"{business} would be glad to hear how your visit was." if business else "How was your visit?"
    parts = [
        paragraph(f"Hello {name}," if name else "Hello,"),
        paragraph(message or f"{asks} A review takes a minute, and helps others to find us."),
        button("Write a review", url),
        paragraph(f"You would rather not be asked again? {stop_url}"),
    ]
    subject = f"{business} would like to hear from you" if business else "We would like to hear from you"
    return compose(subject, parts, app_base_url=app_base_url)


def _until(moment: datetime) -> str:
    return moment.strftime("%B %d, %Y, %H:%M UTC")


_WHY_A_CODE = {
    "new_device": "You are signing in from a device that we do not know yet.",
    "new_ip": "You are signing in from a place that we do not know yet, after failed attempts.",
    "inactivity": "You have not signed in for a long time.",
}


def mfa_otp(*, digits: str, minutes: int, reason: str, app_base_url: str) -> Content:
    """The one-time code of a sign-in. The subject does not hold it: subjects show on locked screens and in logs."""
    told = [
        paragraph("Somebody, hopefully you, is signing in to Anchor. Enter this code to go on:"),
        code(digits),
        paragraph(
            f"It works once, for {minutes} minutes. {_WHY_A_CODE.get(reason, '')}".strip()
            + "\nIf this was not you, change your password: whoever tried knows it."
        ),
    ]
    return compose("Your Anchor sign-in code", told, app_base_url=app_base_url)


def password_reset(*, url: str, minutes: int, app_base_url: str) -> Content:
    """A link that sets a new password."""
    told = [
        paragraph("Somebody, hopefully you, asked for a new password for your Anchor account."),
        button("Choose a new password", url),
        paragraph(f"The link works once, for {minutes} minutes. If this was not you, nothing needs to be done."),
    ]
    return compose("Choose a new Anchor password", told, app_base_url=app_base_url)


def email_verification(*, url: str, minutes: int, app_base_url: str) -> Content:
    """A link that proves an address."""
    told = [
        paragraph("Welcome to Anchor. Please confirm that this is your e-mail address."),
        button("Confirm my address", url),
        paragraph(f"The link works once, for {minutes} minutes. If you did not ask for an account, ignore this mail."),
    ]
    return compose("Confirm your e-mail address", told, app_base_url=app_base_url)


def account_exists(*, app_base_url: str) -> Content:
    """Somebody registered with an address that has an account: told to its owner, not to whoever registered."""
    base = app_base_url.rstrip("/")
    told = [
        paragraph("Somebody, hopefully you, tried to register at Anchor with this address, which has an account."),
        button("Sign in", f"{base}/pages/login"),
        paragraph("Forgot your password? Ask for a new one there. If this was not you, nothing needs to be done."),
    ]
    return compose("You already have an Anchor account", told, app_base_url=app_base_url)


def rush_job(*, client: str, title: str, due: str, item_url: str | None, site: Site) -> Content:
    """A client asked for a rush job: told to their account manager."""
    facts = [("Client", client), ("Request", title), *([("Due", due)] if due else [])]
    opened = ("Open the item", item_url) if item_url else ("Open the dashboard", site.page("/client-hub"))
    parts = [paragraph("A client asks for a rush job."), lines(facts), button(*opened)]
    return compose(f"Rush job: {title}", parts, app_base_url=site.app_base_url)


def blog_notification(*, client: str, title: str, site: Site) -> Content:
    """A client published a blog post: told to their account manager."""
    parts = [
        paragraph("A client published a blog post."),
        lines([("Client", client), ("Post", title)]),
        button("Open the dashboard", site.page("/client-hub")),
    ]
    return compose(f"Blog post published: {title}", parts, app_base_url=site.app_base_url)
