"""Use cases of submissions as staff see them: list, read, export, print, draw as a PDF, delete. Spec api-forms §2.

An intake's answers are health data. They are decrypted here and nowhere else, for one person who asks, and each time
leaves an entry in the trail in the commit before they are shown. Lists hold none.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from shared.areas.csv import csv_line
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept
from shared.areas.forms import attachments, audit, builder, printing, rules, sealed_files, submissions_store
from shared.areas.forms.audit import Editor
from shared.areas.forms.builder_models import ExportQuery
from shared.areas.forms.models import Attribution, FormSchema, JsonObject, as_dict
from shared.areas.forms.service import payload_context
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from shared.crypto import KeyRing

FOLDER: Final = "form-pdfs"
PDF_DAYS: Final = 90  # how long a drawn PDF is kept
_BATCH: Final = 200
_META: Final = (
    *("submission_id", "received_at", "version", "kind", "embed_domain", "classification", "ctm_sent", "email_sent"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "landing_page", "referrer"),
)
_OTHER: Final = "other_answers"


async def list_rows(db: Executor, editor: Editor, form_id: UUID, *, limit: int, offset: int) -> str:
    found = await submissions_store.list_rows(db, editor.viewer, form_id, limit=limit, offset=offset)
    if found is None:
        raise NotFound("There is no such form.")
    return found


async def show(tx: Transaction, editor: Editor, form_id: UUID, submission_id: UUID, ring: KeyRing) -> JsonObject:
    """Submission of spec §1 with the answers in ``payload``, its ``files``, and what was done with it in ``jobs``."""
    row = await _find(tx, editor, form_id, submission_id)
    payload = answers_of(row, ring)
    await audit.record(tx, editor, "submission.viewed", "submission", submission_id, form_id=form_id)
    names = (
        *("id", "form_id", "form_version_id", "submission_kind", "encryption_key_id", "non_phi_payload"),
        *("attribution_json", "ctm_sent", "ctm_sent_at", "ctm_response", "ctm_error", "email_sent", "email_sent_at"),
        *("email_error", "user_agent", "referrer", "embed_domain", "created_at", "version_number", "form_type"),
        *("form_name", "classification", "classification_summary", "extracted"),
    )
    told = {name: _iso(row[name]) if isinstance(row[name], datetime) else row[name] for name in names}
    jobs = json.loads(await submissions_store.steps(tx, submission_id))
    sent = await attachments.listed(tx, form_id, submission_id, ring)
    return {**told, "ip_address": row["ip"], "payload": payload, "files": sent, "jobs": jobs}


async def print_page(
    tx: Transaction, editor: Editor, form_id: UUID, submission_id: UUID, ring: KeyRing, *, opens_dialog: bool
) -> tuple[str, dict[str, str]]:
    """The version's own print template with the answers in it; its HTML and headers.

    Raises NotFound, or Invalid when the version has no template.
    """
    row = await _find(tx, editor, form_id, submission_id)
    template = printing.template_of(row["schema_json"])
    answers = answers_of(row, ring)
    await audit.record(tx, editor, "submission.printed", "submission", submission_id, form_id=form_id)
    return printing.page(template, answers, title=row["form_name"], opens_dialog=opens_dialog)


async def delete(tx: Transaction, editor: Editor, form_id: UUID, submission_id: UUID) -> None:
    """Delete a submission with its answers, jobs, files and PDFs."""
    await _find(tx, editor, form_id, submission_id)
    await files.drop_ids(tx, await submissions_store.remove(tx, [submission_id]))
    await audit.record(tx, editor, "submission.deleted", "submission", submission_id, form_id=form_id)


async def _find(db: Executor, editor: Editor, form_id: UUID, submission_id: UUID) -> Record:
    row = await submissions_store.find(db, editor.viewer, form_id, submission_id)
    if row is None:
        raise NotFound("There is no such submission.")
    return row


def answers_of(row: Record, ring: KeyRing) -> JsonObject:
    """A submission's answers, decrypted where they are health data."""
    from shared.crypto import Sealed

    if row["encrypted_payload"] is None:
        return _named(row["non_phi_payload"])
    box = Sealed(row["encryption_key_id"] or "", row["encrypted_payload"])
    return _named(json.loads(ring.open(box, context=payload_context(row["id"]))))


def _named(told: object) -> JsonObject:
    """Answers by name; of a list, which the old server took as well, by place."""
    return {str(at): one for at, one in enumerate(told, start=1)} if isinstance(told, list) else as_dict(told)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- the export -------------------------------------------------------------------------------------------------------


class Export:
    """A form's submissions as CSV, read batch by batch as they are sent. Text that a spreadsheet would run as a
    formula is quoted, because visitors write it."""

    def __init__(
        self, db: Database, form_id: UUID, columns: list[str], query: ExportQuery, ring: KeyRing | None
    ) -> None:
        self._db, self._form_id, self._columns, self._ring = db, form_id, columns, ring
        self._since = _midnight(query.since) if query.since else None
        self._until = _midnight(query.until) + timedelta(days=1) if query.until and query.until < date.max else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file: a byte order mark (spreadsheets read the letters by it), a heading, a line each."""
        other = [_OTHER] if self._ring else []
        yield ("\ufeff" + csv_line((*_META, *self._columns, *other))).encode()
        before: tuple[datetime, UUID] | None = None
        while True:
            rows = await submissions_store.batch(
                self._db, self._form_id, since=self._since, until=self._until, before=before, limit=_BATCH
            )
            if rows:
                yield "".join(map(self._line, rows)).encode()
                before = rows[-1]["created_at"], rows[-1]["id"]
            if len(rows) < _BATCH:
                return

    async def close(self) -> None:
        """Nothing is held between batches."""

    def _line(self, row: Record) -> str:
        told = Attribution.read(row["attribution_json"])
        utms = told.utms
        meta = [
            *(row["id"], _iso(row["created_at"]), row["version_number"], row["submission_kind"], row["embed_domain"]),
            *(row["classification"], _yes(row["ctm_sent"]), _yes(row["email_sent"]), utms.utm_source, utms.utm_medium),
            *(utms.utm_campaign, utms.utm_term, utms.utm_content, told.landing_page, told.referrer),
        ]
        if self._ring is None:
            return csv_line(meta)
        payload = answers_of(row, self._ring)
        rest = [f"{key}: {rules.answer_text(value)}" for key, value in payload.items() if key not in self._columns]
        return csv_line((*meta, *(rules.answer_text(payload.get(key)) for key in self._columns), "\n".join(rest)))


async def export(
    tx: Transaction, db: Database, editor: Editor, form_id: UUID, query: ExportQuery, ring: KeyRing
) -> tuple[Export, str]:
    """The submissions of a form as a stream of CSV, and its file's name.

    A conversion's answers are in it unless ``answers=false``; an intake's only with ``answers=true``, which is for
    admins (Forbidden).
    """
    form = await builder.found(tx, editor, form_id)
    rows = await submissions_store.schemas(tx, form_id)
    sealed = await tx.fetchval(
        "select exists (select from form_submissions where form_id = $1 and encrypted_payload is not null)", form_id
    )
    is_health = bool(sealed) or form["form_type"] == "intake"
    answers = query.answers if query.answers is not None else not is_health
    if answers and is_health and not editor.is_admin:
        raise Forbidden("Only an admin may export the answers of an intake.")
    names = (one.name for row in rows for one in FormSchema.read(row["schema_json"]).fields)
    columns = list(dict.fromkeys(names)) if answers else []
    await audit.record(tx, editor, "submissions.exported", "form", form_id, form_id=form_id, answers=answers)
    return Export(db, form_id, columns, query, ring if answers else None), f"{printing.slug(form['name'])}.csv"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# --- PDFs -------------------------------------------------------------------------------------------------------------


async def draw_pdf(db: Database, editor: Editor, form_id: UUID, submission_id: UUID, ring: KeyRing) -> printing.Drawn:
    """Draw a submission. No transaction is open meanwhile; ``attach_pdf`` writes the trail."""
    row = await _find(db, editor, form_id, submission_id)
    sheet = printing.Sheet(
        title=row["form_name"],
        submission_id=submission_id,
        received_at=row["created_at"],
        version_number=row["version_number"],
        is_health_data=row["encrypted_payload"] is not None,
        embed_domain=row["embed_domain"],
        schema=FormSchema.read(row["schema_json"]),
        answers=answers_of(row, ring),
        attribution=Attribution.read(row["attribution_json"]),
    )
    return await asyncio.to_thread(printing.draw_submission, sheet)


async def keep_pdf(db: Database, drawn: printing.Drawn, editor: Editor, bucket: Bucket) -> tuple[Kept, bytes]:
    """Put a drawn PDF into the bucket, under a key that is used for nothing else; the file and that key."""
    return await sealed_files.keep(db, bucket, drawn.name, drawn.data, folder=FOLDER, created_by=editor.id)


async def attach_pdf(
    tx: Transaction,
    editor: Editor,
    form_id: UUID,
    submission_id: UUID,
    drawn: printing.Drawn,
    kept: Kept,
    key: bytes,
    ring: KeyRing,
) -> JsonObject:
    """The PDF's row; ``{"id", "filename", "checksum", "generated_at"}``. The checksum is that of the PDF itself."""
    await _find(tx, editor, form_id, submission_id)
    pdf_id = uuid4()
    box = ring.seal(key, context=_key_context(pdf_id))
    checksum = hashlib.sha256(drawn.data).hexdigest()
    await files.attach(tx, [kept])
    generated_at = await submissions_store.insert_pdf(
        tx,
        pdf_id=pdf_id,
        submission_id=submission_id,
        file_id=kept.id,
        object_name=f"{FOLDER}/{kept.id}",
        name=drawn.name,
        size=len(drawn.data),
        checksum=checksum,
        sealed_key=(box.data, box.key_id),
        generated_by=editor.id,
    )
    await audit.record(tx, editor, "pdf.generated", "pdf", pdf_id, form_id=form_id, submission_id=str(submission_id))
    return {"id": str(pdf_id), "filename": drawn.name, "checksum": checksum, "generated_at": generated_at}


async def list_pdfs(db: Executor, editor: Editor, form_id: UUID, submission_id: UUID) -> str:
    found = await submissions_store.list_pdfs(db, editor.viewer, form_id, submission_id)
    if found is None:
        raise NotFound("There is no such submission.")
    return found


async def read_pdf(
    db: Database, editor: Editor, form_id: UUID, submission_id: UUID, pdf_id: UUID, *, bucket: Bucket, ring: KeyRing
) -> tuple[str, bytes]:
    """A PDF's name and content; the reading is in the trail before it is sent."""
    from shared.crypto import Sealed

    row = await submissions_store.pdf(db, editor.viewer, form_id, submission_id, pdf_id)
    if row is None or row["file_id"] is None or row["sealed_data_key"] is None:
        raise NotFound("There is no such PDF any more. It can be made again.")
    key = ring.open(Sealed(row["encryption_key_id"], row["sealed_data_key"]), context=_key_context(pdf_id))
    data = await sealed_files.read(db, bucket, row["file_id"], key, folder=FOLDER)
    await audit.record(db, editor, "pdf.downloaded", "pdf", pdf_id, form_id=form_id, submission_id=str(submission_id))
    return row["file_name"], data


def _key_context(pdf_id: UUID) -> str:
    from shared.crypto import column_context

    return column_context("form_pdf_artifacts", "sealed_data_key", pdf_id)


# --- how long things are kept -----------------------------------------------------------------------------------------


async def purge_batch(tx: Transaction) -> tuple[int, int]:
    """Delete a batch of submissions past their form's retention, and of old PDFs; how many of each."""
    rows = await submissions_store.outlived(tx, limit=_BATCH)
    dropped = await submissions_store.remove(tx, [row["id"] for row in rows])
    by_form: dict[UUID, int] = {}
    for row in rows:
        by_form[row["form_id"]] = by_form.get(row["form_id"], 0) + 1
    for form_id, count in by_form.items():
        await audit.record(tx, None, "submissions.purged", "form", form_id, form_id=form_id, count=count)
    pdfs, old = await submissions_store.remove_old_pdfs(tx, days=PDF_DAYS, limit=_BATCH)
    await files.drop_ids(tx, [*dropped, *old])
    return len(rows), pdfs
