"""Use cases of documents. Source: spec api-accounts §7."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.areas.documents import rules, store
from shared.areas.documents.models import Order, ReviewRequest, SharedEdit, UploadForClient
from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.emails.telling import Telling
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, Place, Upload
from shared.areas.files.rules import DOCUMENTS
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Invalid, NotFound

if TYPE_CHECKING:
    from shared.config import DefaultDocument

MAX_FILES = 10


def _no_document() -> NotFound:
    return NotFound("There is no such document.")


def _rows(defaults: Sequence[DefaultDocument]) -> list[dict[str, Any]]:
    """§Doc of the documents that the configuration gives to everybody."""
    return [
        {
            **asdict(document),
            "type": "default",
            "origin": "default",
            "review_status": "none",
            "review_requested_at": None,
            "viewed_at": None,
        }
        for document in defaults
    ]


async def list_own(db: Executor, owner_id: UUID, *, defaults: Sequence[DefaultDocument]) -> str:
    """A client's documents after the default ones, as JSON text."""
    return await store.list_of(db, owner_id, _rows(defaults))


async def list_clients(db: Executor, client_id: UUID, *, defaults: Sequence[DefaultDocument]) -> str:
    """The same list for an admin; NotFound when there is no such client."""
    await _require_client(db, client_id)
    return await store.list_of(db, client_id, _rows(defaults))


async def keep(
    db: Database, bucket: Bucket, uploads: Sequence[Upload], *, field: str, owner_id: UUID | None, by: UUID
) -> list[Kept]:
    """Put uploaded documents into the bucket; Invalid names *field*. Nobody's (shared) ones are for all signed in."""
    if not uploads:
        raise Invalid.field(field, "is required: choose at least one file")
    audience = "owner" if owner_id else "signed_in"
    place = Place(folder="docs", audience=audience, owner_id=owner_id, created_by=by)  # type: ignore[arg-type]
    return await files.keep(db, bucket, files.checked(uploads, field, DOCUMENTS), place)


async def add_own(
    tx: Transaction, owner_id: UUID, kept: Sequence[Kept], *, by: UUID, defaults: Sequence[DefaultDocument]
) -> str:
    """Add a client's own documents; the whole list as JSON text, because the dashboard replaces its own with it."""
    await files.attach(tx, kept)
    await store.insert(
        tx, owner_id, [(file.name, file.name, file.url) for file in kept], origin="client", created_by=by
    )
    return await store.list_of(tx, owner_id, _rows(defaults), message="Documents uploaded.")


async def require_client(db: Executor, client_id: UUID) -> None:
    """NotFound when there is no such client."""
    await _require_client(db, client_id)


async def add_for_client(
    tx: Transaction, asked: UploadForClient, kept: Sequence[Kept], *, by: UUID, telling: Telling
) -> list[Any]:
    """Give a client documents, and ask for their review if wanted; the new rows."""
    client = await _require_client(tx, asked.user_id)
    await files.attach(tx, kept)
    label = asked.doc_label.strip()
    rows = await store.insert(
        tx,
        asked.user_id,
        [(label or file.name, file.name, file.url) for file in kept],
        origin="admin",
        created_by=by,
        for_review=asked.for_review,
    )
    if asked.for_review:
        for row in rows:
            await _ask_for_review(tx, client, row["id"], row["label"], by=by, telling=telling)
    return [row["row"] for row in rows]


async def file_ours(tx: Transaction, client_id: UUID, kept: Kept, *, label: str) -> None:
    """File a document that we made among a client's."""
    await files.attach(tx, [kept])
    await store.insert(tx, client_id, [(label, kept.name, kept.url)], origin="admin", created_by=None)


async def set_review(tx: Transaction, asked: ReviewRequest, *, by: UUID, telling: Telling) -> None:
    """Ask a client to review one of their documents, or take that back. Asking twice asks once."""
    pending = asked.review_action == "pending"
    client = await _require_client(tx, asked.user_id)
    row = await store.set_review(tx, asked.user_id, asked.doc_id, pending=pending)
    if row is None:
        raise _no_document()
    if pending and row["changed"]:
        await _ask_for_review(tx, client, row["id"], row["label"], by=by, telling=telling)


async def mark_viewed(
    tx: Transaction, owner_id: UUID, doc_id: str, *, defaults: Sequence[DefaultDocument], telling: Telling
) -> None:
    """A client has looked at a document. Only a pending review changes, once, and staff is told once."""
    if any(document.id == doc_id for document in defaults):
        return
    try:
        row = await store.mark_viewed(tx, owner_id, UUID(doc_id))
    except ValueError:
        row = None
    if row is None:
        raise _no_document()
    if row["changed"]:
        client = await store.person(tx, owner_id)
        name = client["name"] if client else "A client"
        notice = Notice(
            title="Document reviewed",
            body=f"{name} has viewed {row['label']}.",
            link="/client-hub",
            meta={"client_id": str(owner_id), "document_id": doc_id, "action": "viewed"},
        )
        await notifications.notify(
            tx,
            await notifications.head_staff(tx),
            notice,
            site=telling.site,
            key_ring=telling.key_ring,
        )


async def delete_own(tx: Transaction, owner_id: UUID, doc_id: UUID) -> None:
    """Delete a document that the client uploaded; those we gave them stay (NotFound)."""
    await _delete(tx, owner_id, doc_id, origin="client")


async def delete_clients(tx: Transaction, client_id: UUID, doc_id: UUID) -> None:
    """Delete any document of a client, as an admin."""
    await _delete(tx, client_id, doc_id, origin=None)


async def _delete(tx: Transaction, owner_id: UUID, doc_id: UUID, *, origin: str | None) -> None:
    row = await store.delete(tx, owner_id, doc_id, origin=origin)
    if row is None:
        raise _no_document()
    await files.drop(tx, [row["url"]])


async def list_shared(db: Executor) -> str:
    return await store.list_shared(db)


async def list_shared_admin(db: Executor) -> str:
    return await store.list_shared_admin(db)


async def add_shared(
    tx: Transaction, kept: Sequence[Kept], labels: Sequence[str], descriptions: Sequence[str], *, by: UUID
) -> list[Any]:
    """Share documents with everybody signed in; the new rows."""
    await files.attach(tx, kept)
    texts = rules.paired([file.name for file in kept], labels, descriptions)
    rows = [(label, file.name, file.url, words) for file, (label, words) in zip(kept, texts, strict=True)]
    listed: list[Any] = json.loads(await store.insert_shared(tx, rows, created_by=by))
    return listed


async def edit_shared(db: Executor, doc_id: UUID, edit: SharedEdit) -> str:
    """Change a shared document's texts or place; it as JSON text."""
    label = (edit.label or "").strip() or None
    text = await store.edit_shared(db, doc_id, label=label, description=edit.description, sort_order=edit.sort_order)
    if text is None:
        raise _no_document()
    return text


async def delete_shared(tx: Transaction, doc_id: UUID) -> None:
    url = await store.delete_shared(tx, doc_id)
    if url is None:
        raise _no_document()
    await files.drop(tx, [url])


async def reorder_shared(tx: Transaction, order: Order) -> None:
    """Put shared documents in new places, all or none; NotFound when one is not there."""
    places = {place.id: place.sort_order for place in order.order}
    if await store.reorder_shared(tx, list(places.items())) != len(places):
        raise _no_document()


async def _require_client(db: Executor, client_id: UUID) -> Record:
    client = await store.person(db, client_id)
    if client is None or client["role"] != "client":
        raise NotFound("There is no such client.")
    return client


async def _ask_for_review(
    tx: Transaction, client: Record, doc_id: UUID, label: str, *, by: UUID, telling: Telling
) -> None:
    """Tell the client, in the bell and by one mail."""
    meta = {"document_id": str(doc_id), "action": "review_requested"}
    notice = Notice(title="A document waits for your review", body=label, link="/portal?tab=documents", meta=meta)
    await notifications.notify_silently(tx, [client["id"]], notice)
    content = templates.document_review(name=client["first_name"], label=label, site=telling.site)
    mail = Mail(
        type="document_review",
        to=client["email"],
        to_name=client["name"],
        subject=content.subject,
        text=content.text,
        html=content.html,
        client_id=client["id"],
        triggered_by_id=by,
        metadata={"document_id": str(doc_id)},
    )
    await emails.queue(tx, mail, telling.key_ring)
