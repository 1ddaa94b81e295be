"""Telling people of items that concern them: a notice and a mail, after the commit. Source: spec api-tasks §6, §7."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.areas.emails.telling import Telling
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.db.counters import Limit
from shared.db.database import Record, Transaction

POSTS = Limit("task_posts", hits=60)
"""Updates that one person may post in a minute: each may mail many people."""
ASSIGNMENTS = Limit("task_assignments", hits=120)
"""People that one person may assign in a minute: each is mailed."""
NOTICES = Limit("task_rule_notices", hits=120)
"""Changes that one automation tells people of in a minute: each mails many."""
UPLOADS = Limit("task_uploads", hits=60)


def link(board_id: UUID, item_id: UUID) -> str:
    """The item's place in the dashboard."""
    return f"/tasks?pane=boards&board={board_id}&item={item_id}"


async def tell(
    tx: Transaction, user_ids: Sequence[UUID], title: str, item: Record, meta: dict[str, Any], telling: Telling
) -> None:
    """Give each user a notice about *item* (with board_id and workspace_id), and mail it to them after the commit."""
    if not user_ids:
        return
    about = {"item_id": str(item["id"]), "workspace_id": str(item["workspace_id"])}
    notice = Notice(title=title, body=item["name"], link=link(item["board_id"], item["id"]), meta={**about, **meta})
    await notifications.notify(tx, user_ids, notice, site=telling.site, key_ring=telling.key_ring)
