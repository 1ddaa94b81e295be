"""What follows a finished onboarding, and the reminders of one that is not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.documents import service as documents
from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.emails.templates import Content, Site
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, NewFile, Place
from shared.areas.monday import service as monday
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.onboarding import link_store, links, service, summary
from shared.areas.ports import GetKeyRing, Instance
from shared.crypto import CannotOpen
from shared.db.database import Database, Record, Transaction
from shared.errors import NotFound, Park


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What telling people needs. ``also``: staff addresses told of a finished onboarding beside the head staff."""

    site: Site
    key_ring: GetKeyRing
    also: tuple[str, ...] = ()


def telling(instance: Instance) -> Telling:
    chosen = instance.settings
    site = Site(chosen.app_base_url, chosen.client_app_url)
    return Telling(site=site, key_ring=instance.key_ring, also=chosen.onboarding_notify_emails)


async def summarise(db: Database, bucket: Bucket, user_id: UUID) -> tuple[dict[str, Any], Kept]:
    """Draw the summary of a finished onboarding and put it into the bucket: what was entered, and the file.

    Park when the client is gone or has not finished.
    """
    try:
        state = await service.load(db, user_id)
    except NotFound:
        raise Park("the client is gone") from None
    completed = state["profile"]["onboarding_completed_at"]
    if completed is None:
        raise Park("the onboarding is not finished")
    at = datetime.fromisoformat(completed)
    data = await asyncio.to_thread(summary.render, state, completed_at=at)
    file = NewFile(summary.file_name(state["user"]["email"], at), "application/pdf", data)
    place = Place(folder="onboarding", audience="owner", owner_id=user_id, created_by=None)
    [kept] = await files.keep(db, bucket, [file], place)
    return state, kept


async def tell(tx: Transaction, state: dict[str, Any], kept: Kept, telling: Telling) -> None:
    """File the summary among the client's documents, mail the client, and tell staff."""
    user_id, email = UUID(state["user"]["id"]), state["user"]["email"]
    name = f"{state['user']['first_name']} {state['user']['last_name']}".strip()
    await documents.file_ours(tx, user_id, kept, label="Onboarding summary")
    site = telling.site
    content = templates.onboarding_complete(name=state["user"]["first_name"], summary_url=kept.url, site=site)
    await _mail(tx, "onboarding_complete", email, name, content, user_id, telling)
    staff = await notifications.head_staff(tx)
    notice = Notice(
        title="Onboarding complete",
        body=f"{name or email} has finished onboarding and waits for activation.",
        link="/client-hub",
        meta={"client_id": str(user_id)},
    )
    await notifications.notify(tx, staff, notice, site=site, key_ring=telling.key_ring)
    content = templates.onboarding_complete_for_staff(client=name or email, summary_url=kept.url, site=site)
    for address in telling.also:
        await _mail(tx, "onboarding_complete", address, "", content, user_id, telling)


# --- reminders --------------------------------------------------------------------------------------------------------


async def remind_client(tx: Transaction, telling: Telling, *, before: timedelta) -> bool:
    """Remind the client whose link ends next, within *before*, once per link; False when there is none left."""
    row = await link_store.next_ending(tx, before)
    if row is None:
        return False
    await link_store.client_reminded(tx, row["id"])
    try:
        token = links.unseal(row, await telling.key_ring())
    except CannotOpen:  # staff hears of it when the link has ended; no other client waits for this one
        token = None
    if token is not None:  # a link without a copy that can be read cannot be mailed again
        content = templates.onboarding_link_expires(
            name=row["first_name"], token=token, expires_at=row["expires_at"], site=telling.site
        )
        await _remind(tx, row, content, telling, key=f"onboarding_link_ends_{row['id']}")
    return True


async def remind_staff(tx: Transaction, telling: Telling) -> bool:
    """Tell staff of a link that ended before its client finished, once per link; False when there is none left.

    Staff is the client's account manager at Monday, where there is one with an account here, else the head staff.
    A client who made an account with it and stopped later is reminded too.
    """
    row = await link_store.next_ended(tx)
    if row is None:
        return False
    await link_store.staff_told(tx, row["id"])
    if row["consumed"]:
        content = templates.onboarding_unfinished(name=row["first_name"], site=telling.site)
        await _remind(tx, row, content, telling, key=f"onboarding_unfinished_{row['id']}")
    what = "has not finished onboarding." if row["consumed"] else "did not use the onboarding link before it expired."
    notice = Notice(
        title="Onboarding is not finished" if row["consumed"] else "Onboarding link expired",
        body=f"{row['name'] or row['email']} {what}",
        link="/client-hub",
        meta={"client_id": str(row["user_id"]), "token_id": str(row["id"]), "type": "onboarding_link_expired"},
    )
    manager = await monday.account_manager(tx, row["user_id"])
    staff = [manager] if manager else await notifications.head_staff(tx)
    await notifications.notify(tx, staff, notice, site=telling.site, key_ring=telling.key_ring)
    return True


async def _remind(tx: Transaction, row: Record, content: Content, telling: Telling, *, key: str) -> None:
    await _mail(tx, "onboarding_reminder", row["email"], row["name"], content, row["user_id"], telling, key=key)


async def _mail(
    tx: Transaction,
    kind: str,
    to: str,
    name: str,
    content: Content,
    client_id: UUID,
    telling: Telling,
    *,
    key: str | None = None,
) -> None:
    mail = Mail(
        type=kind,
        to=to,
        to_name=name,
        subject=content.subject,
        text=content.text,
        html=content.html,
        client_id=client_id,
        message_key=key,
    )
    await emails.queue(tx, mail, telling.key_ring)
