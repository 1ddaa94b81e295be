"""The one mail service: log, send once, track.

A mail is logged as pending in the transaction of whatever causes it. Sending gives it a Message-Id made from its log
row; when an answer of Mailgun's is lost (a crash, a dropped connection), the next attempt first asks Mailgun's event
log for that id, so that nobody gets a mail twice. Bodies with codes or links that let somebody in are stored sealed
until they are sent, and then not at all. Source: seeds DATA_FLOWS §8, INTEGRATIONS §2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

from shared.areas.emails import rules, store
from shared.areas.emails.models import Mail, MailEvent, Received, TestMail
from shared.areas.emails.templates import SECRET_TYPES
from shared.areas.ports import GetKeyRing, Instance
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Park, Problem, Reconnect, Rejected, TryLater

GONE = "what this mail said is no longer kept"
REDACTED = "[not kept: this mail lets its reader in]"


class Sender(Protocol):
    """Whoever sends mail (``integrations.mailgun.client``)."""

    async def send(
        self,
        *,
        message_id: str,
        to: str,
        to_name: str,
        subject: str,
        text: str,
        html: str | None,
        tag: str,
        tracked: bool,
        unsubscribe_url: str | None,
    ) -> str: ...

    async def find_accepted(self, message_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sending:
    """What sending needs to know of the outside."""

    mailgun: Sender
    domain: str
    key_ring: GetKeyRing
    events_delay_s: float  # how long Mailgun's event log may take to show what was accepted


class SendingInstance(Instance, Protocol):
    """An instance that can send mail."""

    async def mailgun(self) -> Sender: ...


async def sending(instance: SendingInstance) -> Sending:
    """What sending needs, from the running instance."""
    chosen = instance.settings
    return Sending(await instance.mailgun(), chosen.mailgun_domain, instance.key_ring, chosen.mailgun_events_delay_s)


async def log(db: Executor, mail: Mail, key_ring: GetKeyRing) -> UUID:
    """Log *mail* as pending and return its log id; of two mails with one ``message_key`` the first counts."""
    log_id = uuid4()
    text, html, sealed = mail.text, mail.html, None
    if mail.type in SECRET_TYPES:
        content = json.dumps({"text": mail.text, "html": mail.html}).encode()
        box = (await key_ring()).seal(content, context=_context(log_id))
        text, html, sealed = REDACTED, None, (box.data, box.key_id)
    logged_as, _ = await store.insert(db, log_id, mail, text=text, html=html, sealed=sealed)
    return logged_as


async def queue(tx: Transaction, mail: Mail, key_ring: GetKeyRing) -> UUID:
    """Log *mail* and have ``emails_send`` send it after the commit."""
    log_id = await log(tx, mail, key_ring)
    await tx.enqueue("emails_send", {"email_log_id": str(log_id)})
    return log_id


async def deliver(db: Database, sending: Sending, log_id: UUID) -> str | None:
    """Send a logged mail unless that was done; None when Mailgun has it, else why it never will.

    Raises TryLater (not now, or not known yet whether an earlier attempt arrived) and Reconnect.
    """
    message_id = f"<{log_id}@{sending.domain}>"
    row = await store.begin_attempt(db, log_id, message_id)
    if row is None:
        return None if await store.exists(db, log_id) else "the mail is no longer logged"
    if row["email_type"] in SECRET_TYPES and row["sealed_content"] is None:
        await store.failed(db, log_id, GONE)
        return GONE
    if row["attempted_before"] is not None:
        if await sending.mailgun.find_accepted(message_id):
            await store.sent(db, log_id, "found in the event log")
            return None
        if row["attempted_ago_s"] < sending.events_delay_s:
            raise TryLater("mailgun", reason="not known yet whether the mail arrived")
    return await _send(db, sending, row, message_id)


async def give_up(db: Executor, log_id: UUID, reason: str) -> None:
    """Say in the log that a mail was not sent, and why; its work can be sent again by a person."""
    await store.given_up(db, log_id, reason)


async def _send(db: Database, sending: Sending, row: Record, message_id: str) -> str | None:
    text, html = await _content(row, sending.key_ring)
    try:
        note = await sending.mailgun.send(
            message_id=message_id,
            to=row["recipient_email"],
            to_name=row["recipient_name"] or "",
            subject=row["subject"],
            text=text,
            html=html,
            tag=row["email_type"],
            tracked=row["email_type"] not in SECRET_TYPES,  # a tracked link passes through the vendor's redirect
            unsubscribe_url=row["unsubscribe_url"],
        )
    except Rejected as error:
        await store.failed(db, row["id"], str(error))
        return str(error)
    except (TryLater, Reconnect) as error:
        if error.status is not None:  # an answer came, and it was no
            await store.not_accepted(db, row["id"])
        raise
    await store.sent(db, row["id"], note)
    return None


async def _content(row: Record, key_ring: GetKeyRing) -> tuple[str, str | None]:
    if row["sealed_content"] is None:
        return row["text_body"], row["html_body"]
    from shared.crypto import Sealed

    box = Sealed(row["sealed_key_id"], row["sealed_content"])
    content = json.loads((await key_ring()).open(box, context=_context(row["id"])))
    return content["text"], content["html"]


def _context(log_id: UUID) -> str:
    return f"email_logs.sealed_content:{log_id}"


class Unproven(Problem):
    """A webhook without valid proof. Mailgun takes 406 as final; any other refusal it would repeat for eight hours."""

    status, code = 406, "BAD_SIGNATURE"


async def receive(tx: Transaction, event: MailEvent, token: str) -> Received:
    """Keep an event that Mailgun proved, and tell ``emails_track``; one stored before is answered as received.

    An event of a mail we do not know stores nothing. Raises Unproven when the proof was used for another event.
    """
    if event.message_id is None:
        return Received(skipped="no-message-id")
    kept = await store.keep_event(tx, event, token)
    if kept["log_id"] is None:
        return Received(skipped="no-matching-log")
    if kept["is_new"]:
        await tx.publish("mail-event", {"event_id": event.event_id})
    elif not kept["known"]:
        raise Unproven("This signature was used before.")
    return Received(event=event.name, logId=kept["log_id"])


async def track(tx: Transaction, event_id: str) -> None:
    """Bring a mail's tracking up to what all its stored events say; Park when its log row is gone."""
    found = await store.events_of(tx, event_id)
    if found is None:
        raise Park("the mail of this event is no longer logged")
    mail, events = found
    columns = rules.tracking(mail, events)
    if columns:
        await store.set_tracking(tx, mail["id"], columns)


async def send_test(tx: Transaction, mail: TestMail, *, by: UUID, key_ring: GetKeyRing) -> UUID:
    """Send a mail of an admin's own words; its log id."""
    given = Mail(type="test", to=mail.to, subject=mail.subject, text=mail.text, html=mail.html, triggered_by_id=by)
    return await queue(tx, given, key_ring)
