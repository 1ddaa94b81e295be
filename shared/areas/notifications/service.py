"""Telling people of things, in the dashboard and by mail. Source: spec api-accounts §8."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.emails.templates import Site
from shared.areas.notifications import store
from shared.areas.notifications.models import Notice
from shared.areas.ports import GetKeyRing
from shared.db.database import Executor, Transaction
from shared.errors import NotFound


async def notify(
    tx: Transaction, user_ids: Sequence[UUID], notice: Notice, *, site: Site, key_ring: GetKeyRing
) -> None:
    """Give each user the notice, and mail it to them after the commit."""
    content = templates.notification(title=notice.title, body=notice.body, link=notice.link, site=site)
    for row in await store.insert(tx, user_ids, notice):
        mail = Mail(
            type="notification",
            to=row["email"],
            to_name=row["name"],
            subject=content.subject,
            text=content.text,
            html=content.html,
            metadata={"notification_id": str(row["id"])},
            message_key=f"notification_{row['id']}",
        )
        await emails.queue(tx, mail, key_ring)


async def notify_silently(tx: Transaction, user_ids: Sequence[UUID], notice: Notice) -> None:
    """Give each user the notice where another mail already tells them."""
    await store.insert(tx, user_ids, notice)


async def head_staff(db: Executor) -> list[UUID]:
    """Who hears of a client's steps: every superadmin, else every admin."""
    return await store.head_staff(db)


async def list_own(db: Executor, user_id: UUID, *, limit: int) -> str:
    """A person's newest notices as JSON text."""
    return await store.page(db, user_id, limit=max(1, min(limit, 100)))


async def mark_read(db: Executor, user_id: UUID, notice_id: UUID) -> None:
    """Mark one as read; NotFound when it is not theirs."""
    if not await store.mark_read(db, user_id, notice_id):
        raise NotFound("There is no such notification.")


async def mark_all_read(db: Executor, user_id: UUID) -> None:
    await store.mark_all_read(db, user_id)
