"""Files in the bucket that nobody reads without a row of ours: each is encrypted with a key of its own.

That key lies in its row, sealed by the key ring. So a rotation of the ring touches no object, and an object whose row
is gone can be read by nobody.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, NewFile, Place
from shared.db.database import Database, Executor

if TYPE_CHECKING:
    from uuid import UUID

    from shared.crypto import KeyRing


async def keep(
    db: Database, bucket: Bucket, name: str, data: bytes, *, folder: str, created_by: UUID | None
) -> tuple[Kept, bytes]:
    """Put *data* into the bucket, encrypted; the file, still to be attached, and its key."""
    from shared.crypto import KEY_BYTES

    key = os.urandom(KEY_BYTES)
    sealed = await asyncio.to_thread(_box(key).seal, data, context=folder)
    place = Place(folder=folder, audience="area", owner_id=None, created_by=created_by)
    [kept] = await files.keep(db, bucket, [NewFile(name, "application/octet-stream", sealed.data)], place)
    return kept, key


async def read(db: Executor, bucket: Bucket, file_id: UUID, key: bytes, *, folder: str) -> bytes:
    """What was kept; NotFound when it is gone."""
    from shared.crypto import Sealed

    data = await files.read_held(db, bucket, file_id, folder=folder)
    return await asyncio.to_thread(_box(key).open, Sealed("data", data), context=folder)


def _box(key: bytes) -> KeyRing:
    from shared.crypto import KeyRing

    return KeyRing("data", {"data": key})
