"""Keeping files: announced in the database, put into the bucket, then attached by their area's transaction.

A crash at any point loses nothing and leaves nothing: a file that was announced but never attached is swept, and a
file is dropped in the transaction that drops its row, which also orders the deletion of its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote
from uuid import UUID, uuid4

from shared.areas.files import rules, store
from shared.areas.files.models import Bucket, Kept, NewFile, Opened, Place, Upload, Viewer
from shared.areas.files.rules import MAX_BYTES, Kind
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import NotFound

_PER_TASK = 100  # objects that one run of files_delete deletes


def checked(
    uploads: Sequence[Upload], field: str, allowed: dict[str, Kind], *, max_bytes: int = MAX_BYTES
) -> list[NewFile]:
    """The uploads under safe names and true types; Invalid or TooLarge for the first that may not be kept."""
    return [
        NewFile(
            rules.safe_name(upload.name),
            rules.accept(upload, field, allowed, max_bytes=max_bytes).content_type,
            upload.data,
        )
        for upload in uploads
    ]


async def keep(db: Database, bucket: Bucket, files: Sequence[NewFile], place: Place) -> list[Kept]:
    """Put *files* into the bucket. No transaction may be open; ``attach`` them in the one that uses them."""
    if not files:
        return []
    ids = [uuid4() for _ in files]
    announced = [(one, file.name, file.content_type, len(file.data)) for one, file in zip(ids, files, strict=True)]
    created_at = await store.insert(db, place, announced)
    for file_id, file in zip(ids, files, strict=True):
        await bucket.put(f"{place.folder}/{file_id}", file.data, content_type=file.content_type)
    return [
        Kept(
            id=file_id,
            name=file.name,
            url=rules.url(file_id, file.name),
            content_type=file.content_type,
            size=len(file.data),
            created_at=created_at,
        )
        for file_id, file in zip(ids, files, strict=True)
    ]


async def attach(tx: Transaction, kept: Iterable[Kept]) -> None:
    """Say that the rows of this transaction hold these files."""
    ids = [file.id for file in kept]
    if ids and await store.attach(tx, ids) != len(ids):
        raise NotFound("The upload took too long and was swept; please send the file again.")


async def drop(tx: Transaction, addresses: Iterable[str | None]) -> None:
    """Delete the files at these addresses after the commit; addresses that are not ours are left alone."""
    found = [rules.read_url(address) for address in addresses]
    objects = await store.remove(tx, [one for one in found if isinstance(one, UUID)])
    await _order(tx, [*objects, *(one for one in found if isinstance(one, str))])


async def drop_ids(tx: Transaction, file_ids: Sequence[UUID]) -> None:
    """Delete these files after the commit."""
    await _order(tx, await store.remove(tx, file_ids))


async def drop_all_of(tx: Transaction, owner_id: UUID) -> None:
    """Delete every file of an owner after the commit."""
    await _order(tx, await store.remove_of_owner(tx, owner_id))


async def sweep(tx: Transaction, *, limit: int = 500) -> int:
    """Delete files that were left behind, at most *limit*; return how many."""
    objects = await store.remove_left_behind(tx, limit=limit)
    await _order(tx, objects)
    return len(objects)


async def _order(tx: Transaction, objects: Sequence[str]) -> None:
    for start in range(0, len(objects), _PER_TASK):
        await tx.enqueue("files_delete", {"objects": list(objects[start : start + _PER_TASK])})


async def open_for(db: Executor, bucket: Bucket, folder: str, name: str, viewer: Viewer) -> Opened:
    """The file of ``/uploads/{folder}/{name}``, for whoever may see it; NotFound for everybody else.

    *folder* is a kept file's id, or a folder of the old server's uploads.
    """
    try:
        row = await store.find(db, UUID(folder))
    except ValueError:
        return await _open_old(db, bucket, folder, name, viewer)
    if row is None or not _may_see(row, viewer):
        raise _missing()
    return await _opened(bucket, f"{row['folder']}/{row['id']}", row["name"], row["content_type"])


async def open_owned(db: Executor, bucket: Bucket, file_id: UUID, owner_id: UUID, *, cache: str) -> Opened:
    """A file of *owner_id* for whoever its area lets in (an avatar's page, the holder of an onboarding link)."""
    row = await store.find(db, file_id)
    if row is None or row["owner_id"] != owner_id:
        raise _missing()
    return await _opened(bucket, f"{row['folder']}/{row['id']}", row["name"], row["content_type"], cache=cache)


async def read_held(db: Executor, bucket: Bucket, file_id: UUID, *, folder: str) -> bytes:
    """A file that only its area serves (audience ``area``), for whoever that area lets in; NotFound when it is gone."""
    row = await store.find(db, file_id)
    stream = await bucket.open(f"{folder}/{file_id}") if row and row["folder"] == folder else None
    if stream is None:
        raise _missing()
    return await stream.read()


async def read_public(db: Executor, bucket: Bucket, file_id: UUID, owner_id: UUID, *, folder: str) -> NewFile | None:
    """A file of *owner_id* that anybody may see, with its bytes; None when there is no such one."""
    row = await store.find(db, file_id)
    if row is None or (row["owner_id"], row["folder"], row["audience"]) != (owner_id, folder, "public"):
        return None
    stream = await bucket.open(f"{folder}/{file_id}")
    return NewFile(row["name"], row["content_type"], await stream.read()) if stream is not None else None


async def _open_old(db: Executor, bucket: Bucket, folder: str, name: str, viewer: Viewer) -> Opened:
    kept_as = rules.old_object(folder, name)
    if kept_as is None:
        raise _missing()
    row = None
    for path in dict.fromkeys((f"/uploads/{folder}/{name}", f"/uploads/{folder}/{quote(name, safe='')}")):
        row = row or await store.old_audience(db, path)
    if row is None or not _may_see(row, viewer):
        raise _missing()
    kind = rules.kind_of_name(name)
    return await _opened(bucket, kept_as, name, kind.content_type if kind else "application/octet-stream")


async def _opened(
    bucket: Bucket, object_name: str, name: str, content_type: str, *, cache: str = "private, max-age=300"
) -> Opened:
    stream = await bucket.open(object_name)
    if stream is None:
        raise _missing()
    headers = rules.headers(name, content_type, cache=cache)
    if stream.size is not None:
        headers["Content-Length"] = str(stream.size)
    return Opened(stream=stream, headers=headers)


def _may_see(row: Record, viewer: Viewer) -> bool:
    match row["audience"]:
        case "owner":
            return viewer.is_admin or row["owner_id"] == viewer.id
        case "staff":
            return viewer.is_staff
        case "area":
            return False
        case _:
            return True


def _missing() -> NotFound:
    return NotFound("There is no such file.")
