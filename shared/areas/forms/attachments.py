"""Files that visitors send with a form: each is taken before the answers, and held by the submission that names it.

A file is known by an id that only its sender was told. It lies encrypted (``sealed_files``), and its name, which may
say much of a person, is sealed with its key. One that no submission names within the hour is swept (``areas.files``).
Files are checked for their type and size, not for what harm they may do: staff get them as downloads only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from shared.areas.files import rules as file_rules
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Upload
from shared.areas.files.rules import DOCUMENTS, MEBIBYTE, Kind
from shared.areas.forms import attachments_store, audit, rules, sealed_files
from shared.areas.forms.audit import Editor
from shared.areas.forms.models import FormField, FormSchema, JsonObject
from shared.db.database import Database, Executor, Record
from shared.errors import Invalid, NotFound

if TYPE_CHECKING:
    from shared.crypto import KeyRing

FOLDER: Final = "form-files"
_TAKEN: Final = {name: kind for name, kind in DOCUMENTS.items() if name != "svg"}  # which may hold scripts


def types_of(asked: FormField) -> dict[str, Kind]:
    """What a question takes, by extension: its ``accept``, read as HTML does, among what we take at all."""
    wanted = [word.strip().lower() for word in asked.accept.split(",") if word.strip()]
    return {name: kind for name, kind in _TAKEN.items() if not wanted or any(_fits(one, name, kind) for one in wanted)}


def _fits(wanted: str, extension: str, kind: Kind) -> bool:
    if wanted.endswith("/*"):
        return wanted == "*/*" or kind.content_type.startswith(wanted[:-1])
    return wanted == f".{extension}" or wanted in (kind.content_type, *kind.aliases)


def largest(asked: FormField) -> int:
    """How many bytes a file may have."""
    wished = asked.max_size_mb
    return int(min(rules.MAX_FILE_BYTES, wished * MEBIBYTE)) if wished and wished > 0 else rules.MAX_FILE_BYTES


def question(schema: FormSchema, name: str) -> FormField:
    """The question that a file answers; brackets of its input's name (``photos[]``) do not count."""
    for one in schema.fields:
        if one.type == "file" and one.name in (name, name.removesuffix("[]")):
            return one
    raise Invalid.field(name, "Files cannot be sent with this question. Please send us the file another way.")


async def take(
    db: Database, bucket: Bucket, form_id: UUID, asked: FormField, uploads: Sequence[Upload], ring: KeyRing
) -> tuple[UUID, str, int]:
    """Keep the one file that was sent for a question: its id, name and bytes. Raises Invalid and TooLarge."""
    if len(uploads) != 1:
        raise Invalid.field(asked.name, "is required: choose one file")
    [file] = files.checked(uploads, asked.name, types_of(asked), max_bytes=largest(asked))
    kept, key = await sealed_files.keep(db, bucket, "file", file.data, folder=FOLDER, created_by=None)
    sent_id = uuid4()
    box = ring.seal(key + file.name.encode(), context=_context(sent_id))
    await attachments_store.insert(
        db,
        sent_id=sent_id,
        form_id=form_id,
        field=asked.name,
        file_id=kept.id,
        content_type=file.content_type,
        size=len(file.data),
        sealed=(box.data, box.key_id),
    )
    return sent_id, file.name, len(file.data)


async def named(db: Executor, form_id: UUID, schema: FormSchema, payload: JsonObject) -> list[Record]:
    """The rows of the files that checked answers name; Invalid for one that was never sent for its question."""
    asked = (one.name for one in schema.fields if one.type == "file")
    wanted = [(name, UUID(one)) for name in asked for one in payload.get(name) or ()]
    if not wanted:
        return []
    rows = await attachments_store.sent(db, form_id, [one for _, one in wanted])
    known = {(row["field"], row["id"]) for row in rows}
    wrong = [pair for pair in wanted if pair not in known]
    if wrong:
        errors = [{"field": name, "message": rules.CHOOSE_AGAIN} for name in dict.fromkeys(name for name, _ in wrong)]
        raise Invalid(f"{errors[0]['field']}: {rules.CHOOSE_AGAIN}", errors=errors)
    return rows


def told(payload: JsonObject, rows: Sequence[Record], ring: KeyRing, *, folder_url: str) -> JsonObject:
    """The answers with each file as its name and the address where staff get it, which is what people read."""
    answers: dict[str, list[str]] = {}
    for row in rows:
        answers.setdefault(row["field"], []).append(f"{_opened(row, ring)[1]} ({folder_url}/{row['id']})")
    return {**payload, **{name: texts[0] if len(texts) == 1 else texts for name, texts in answers.items()}}


async def claim(tx: Executor, submission_id: UUID, rows: Sequence[Record]) -> None:
    """Let a new submission hold its files; Invalid when one was swept meanwhile, or is another submission's."""
    ids = [row["id"] for row in rows]
    if await attachments_store.claim(tx, submission_id, ids) != len(ids):
        raise Invalid.field(rows[0]["field"], rules.CHOOSE_AGAIN)


async def listed(db: Executor, form_id: UUID, submission_id: UUID, ring: KeyRing) -> list[dict[str, Any]]:
    """``{id, field, name, size, content_type, url}`` of each file of a submission."""
    return [
        {
            "id": str(row["id"]),
            "field": row["field"],
            "name": _opened(row, ring)[1],
            "size": row["size_bytes"],
            "content_type": row["content_type"],
            "url": f"/api/forms/{form_id}/submissions/{submission_id}/files/{row['id']}",
        }
        for row in await attachments_store.of_submission(db, submission_id)
    ]


async def read(
    db: Database, editor: Editor, form_id: UUID, submission_id: UUID, sent_id: UUID, *, bucket: Bucket, ring: KeyRing
) -> tuple[bytes, Mapping[str, str]]:
    """A file's content and headers, to be saved; the reading is in the trail before it is sent."""
    row = await attachments_store.find(db, editor.viewer, form_id, submission_id, sent_id)
    if row is None:
        raise NotFound("There is no such file.")
    key, name = _opened(row, ring)
    data = await sealed_files.read(db, bucket, row["file_id"], key, folder=FOLDER)
    await audit.record(
        db, editor, "file.downloaded", "file", sent_id, form_id=form_id, submission_id=str(submission_id)
    )
    return data, file_rules.download_headers(name, row["content_type"])


def _opened(row: Record, ring: KeyRing) -> tuple[bytes, str]:
    """The key and the name of a file."""
    from shared.crypto import KEY_BYTES, Sealed

    both = ring.open(Sealed(row["encryption_key_id"], row["sealed_key"]), context=_context(row["id"]))
    return both[:KEY_BYTES], both[KEY_BYTES:].decode()


def _context(sent_id: UUID) -> str:
    from shared.crypto import column_context

    return column_context("form_submission_files", "sealed_key", sent_id)
