"""Telling people of items that concern them: a notice and a mail, after the commit. Source: spec api-tasks §6, §7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from shared.areas.emails.templates import Site
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.ports import GetKeyRing
from shared.db.counters import Limit
from shared.db.database import Record, Transaction

if TYPE_CHECKING:
    from shared.config import Settings
    from shared.crypto import KeyRing

POSTS = Limit("task_posts", hits=60)
"""Updates that one person may post in a minute: each may mail many people."""
ASSIGNMENTS = Limit("task_assignments", hits=120)
"""People that one person may assign in a minute: each is mailed."""
UPLOADS = Limit("task_uploads", hits=60)


@dataclass(frozen=True, slots=True)
class Telling:
    """What telling people needs: where our pages are, and the keys of mails."""

    site: Site
    key_ring: GetKeyRing


class Instance(Protocol):
    """The running instance's services (``runtime.services``)."""

    @property
    def settings(self) -> Settings: ...

    async def key_ring(self) -> KeyRing: ...


def telling(instance: Instance) -> Telling:
    chosen = instance.settings
    return Telling(Site(chosen.app_base_url, chosen.client_app_url), instance.key_ring)


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
