"""Files of an item, in the bucket like all files; a trigger orders their bytes' deletion with their rows.

Source: spec api-tasks §6.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, Place, Upload
from shared.areas.files.rules import DOCUMENTS
from shared.areas.tasks import access, shapes
from shared.areas.tasks.telling import UPLOADS
from shared.db import counters
from shared.db.database import Database, Executor, Transaction
from shared.errors import Invalid


async def list_of_item(db: Executor, user_id: UUID, item_id: UUID) -> str:
    """``{"files": […]}``, newest first. Their addresses work with the session cookie alone."""
    return await access.read(
        db, "item", user_id, item_id,
        """
        select json_build_object('files', (
            select coalesce(json_agg(json_build_object({file}, 'uploaded_by_name', {name})
                order by f.created_at desc, f.id), '[]')
            from task_files f left join users u on u.id = f.uploaded_by where f.item_id = seen.id))::text from seen
        """,
    )  # fmt: skip


async def keep(db: Database, bucket: Bucket, user_id: UUID, item_id: UUID, uploads: Sequence[Upload]) -> Kept:
    """Put the one file of an upload into the bucket, for staff to see; checked before any byte is kept."""
    await access.item(db, user_id, item_id)
    await counters.spend(db, (UPLOADS, str(user_id)))
    if len(uploads) != 1:
        raise Invalid.field("file", "is required: choose one file")
    place = Place(folder="tasks", audience="staff", owner_id=None, created_by=user_id)
    [kept] = await files.keep(db, bucket, files.checked(uploads, "file", DOCUMENTS), place)
    return kept


async def add(tx: Transaction, user_id: UUID, item_id: UUID, kept: Kept) -> str:
    """``{"file": …}``."""
    await access.item(tx, user_id, item_id, lock="keep")
    await files.attach(tx, [kept])
    return await shapes.text(
        tx,
        """
        with f as (
            insert into task_files (item_id, uploaded_by, file_url, file_name) values ($1, $2, $3, $4) returning *
        ) select json_build_object('file', json_build_object({file}))::text from f
        """,
        item_id, user_id, kept.url, kept.name,
    )  # fmt: skip
