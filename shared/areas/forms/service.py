"""Use cases of forms on other people's pages: show one, take what a visitor sends, keep and resume a draft.

Taking a submission is one transaction: its row, the steps it needs, its audit line and the outbox row of
``forms_process``. What is sent to a vendor happens there (``shared.areas.forms.processing``). Spec api-forms §3.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from shared.areas.files.models import Bucket, Upload
from shared.areas.forms import attachments, pages, rules, store
from shared.areas.forms.models import (
    Attribution,
    DraftResumed,
    DraftSave,
    DraftSaved,
    FileSent,
    FileTaken,
    FormSchema,
    FormSettings,
    FormType,
    JsonObject,
    PublicForm,
    PublicSettings,
    Submission,
    SubmissionAccepted,
    Theme,
)
from shared.areas.ports import GetKeyRing
from shared.db.counters import Limit, spend
from shared.db.database import Database, Executor, OutboxRow, Record
from shared.errors import Forbidden, Invalid, NotFound

if TYPE_CHECKING:
    from shared.crypto import KeyRing

PER_IP = Limit("embed_ip", rules.SUBMITS_PER_IP_PER_MINUTE)
PER_FORM = Limit("embed_form", rules.SUBMITS_PER_FORM_PER_MINUTE)
FILES_PER_IP = Limit("embed_file_ip", rules.UPLOADS_PER_IP_PER_MINUTE)
FILES_PER_FORM = Limit("embed_file_form", rules.UPLOADS_PER_FORM_PER_MINUTE)
STARTS_PER_IP = Limit("embed_start", rules.SUBMITS_PER_IP_PER_MINUTE)  # counted apart: it must cost no one their submit


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who loads or sends a form, as the request tells."""

    ip: str
    user_agent: str
    origin: str | None  # the Origin header; "null" from our own page, which is sandboxed
    referer: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """A published form with one of its versions."""

    id: UUID
    name: str
    type: FormType
    settings: FormSettings
    version_id: UUID
    version_number: int
    schema: FormSchema
    stored_schema: JsonObject
    code: str
    css: str | None
    embed_token: str | None


async def load(db: Executor, form_id: UUID, *, version_id: UUID | None = None, with_code: bool = False) -> Form:
    """The published form; NotFound when there is none of this id (also when it is a draft or archived)."""
    row = await store.published(db, form_id, version_id, with_code=with_code)
    if row is None:
        raise NotFound("This form does not exist or is not published.")
    return Form(
        id=row["id"],
        name=row["name"],
        type=row["form_type"],
        settings=FormSettings.read(row["settings_json"]),
        version_id=row["version_id"],
        version_number=row["version_number"],
        schema=FormSchema.read(row["schema_json"]),
        stored_schema=row["schema_json"] if isinstance(row["schema_json"], dict) else {},
        code=row["react_code"] or "",
        css=row["css_code"],
        embed_token=row["embed_token"],
    )


# --- showing a form ---------------------------------------------------------------------------------------------------


async def show_page(
    db: Executor,
    form_id: UUID,
    visitor: Visitor,
    *,
    attribution: str,
    theme: str,
    app_base_url: str,
    image_sources: tuple[str, ...],
    key: bytes,
) -> tuple[str, dict[str, str]]:
    """The form's page for one visitor, with a token that lets just this page submit; its HTML and headers.

    Forbidden when the site that frames it is not on the form's list. A browser that hides the site is admitted: it
    itself holds off foreign frames, by the page's ``frame-ancestors``.
    """
    await spend(db, (PER_IP, visitor.ip))
    form = await load(db, form_id, with_code=True)
    told = Attribution.read(_json(attribution))
    origin = rules.parent_origin(visitor.referer, told)
    if origin is not None:
        _require_allowed(origin, form.settings)
    page = rules.Page(form.id, form.version_id, origin, datetime.now(UTC))
    nonce = secrets.token_urlsafe(16)
    view = pages.PageView(
        app_base_url=app_base_url,
        form_id=form.id,
        version_id=form.version_id,
        form_name=form.name,
        mode=form.schema.mode_for(form.code),
        code=form.code,
        css=form.css,
        schema=form.schema,
        attribution=told,
        page_token=rules.sign_page(page, key),
        parent_origin=origin,
        nonce=nonce,
        theme=Theme.read(_json(theme)),
    )
    await store.count_view(db, form.id)
    headers = pages.page_headers(form.settings, nonce=nonce, app_base_url=app_base_url, image_sources=image_sources)
    return pages.render_page(view), headers


def _json(text: str) -> object:
    try:
        return json.loads(text) if text else {}
    except ValueError:  # what the visitor's page told of itself is never a reason to refuse the form
        return {}


def _require_allowed(origin: str | None, settings: FormSettings) -> None:
    if not rules.domain_allowed(origin, settings.domain_allowlist):
        raise Forbidden("This form may not be used on this site.", code="DOMAIN_NOT_ALLOWED")


async def count_start(db: Executor, form_id: UUID, page_token: str, visitor: Visitor, *, key: bytes) -> None:
    """Count that somebody began to answer on a page of this form; Forbidden or Invalid when there was no such page."""
    await spend(db, (STARTS_PER_IP, visitor.ip))
    page = rules.read_page(page_token, key, form_id=form_id, now=datetime.now(UTC))
    await store.count_start(db, page.form_id)


async def form_runtime(db: Executor, form_id: UUID, visitor: Visitor, *, version_id: UUID | None) -> str:
    """The script of a form's page in html mode, of the version that the page shows."""
    await spend(db, (PER_IP, visitor.ip))
    form = await load(db, form_id, version_id=version_id)
    return pages.form_runtime(form.schema.js_code)


async def describe(db: Executor, form_id: UUID, visitor: Visitor, *, token: str = "") -> PublicForm:
    """A published form as data. With an allow-list, only for a page of an allowed site, or for the embed token."""
    await spend(db, (PER_IP, visitor.ip))
    form = await load(db, form_id, with_code=True)
    knows_token = form.embed_token is not None and hmac.compare_digest(form.embed_token.encode(), token.encode())
    if form.settings.domain_allowlist and not knows_token:
        _require_allowed(rules.origin_of(visitor.origin) or rules.origin_of(visitor.referer), form.settings)
    mode = form.schema.mode_for(form.code)
    return PublicForm(
        id=form.id,
        name=form.name,
        form_type=form.type,
        react_code=form.code,
        html_code=form.code if mode == "html" else "",
        css_code=form.css,
        schema_=form.stored_schema,
        runtime_mode=mode,
        js_code=form.schema.js_code,
        version_number=form.version_number,
        settings=PublicSettings.of(form.settings),
    )


# --- taking a submission ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission that may be stored, and the form it is for."""

    form: Form
    payload: JsonObject
    page: rules.Page | None
    files: list[Record]  # that the answers name


async def check(db: Executor, form_id: UUID, sent: Submission, visitor: Visitor, *, key: bytes) -> Checked:
    """Everything that must hold before a submission is stored.

    Raises TooManyRequests, NotFound, Forbidden (page token, site) and Invalid, which names each wrong field.
    """
    await spend(db, (PER_IP, visitor.ip), (PER_FORM, str(form_id)))
    now = datetime.now(UTC)
    page = rules.read_page(sent.page_token, key, form_id=form_id, now=now) if sent.page_token else None
    form = await load(db, form_id, version_id=page.version_id if page else None)
    rules.check_sender(page, rules.origin_of(visitor.origin) or rules.origin_of(visitor.referer), form.settings)
    answers = rules.check_answers(form.schema, rules.check_human(sent.payload, page, now))
    if answers.errors:
        text = "; ".join(f"{error['field']}: {error['message']}" for error in answers.errors[:10])
        raise Invalid(text, errors=answers.errors)
    named = await attachments.named(db, form.id, form.schema, answers.payload)
    return Checked(form, answers.payload, page, named)


async def accept(
    db: Executor, checked: Checked, sent: Submission, visitor: Visitor, key_ring: GetKeyRing, *, app_base_url: str
) -> tuple[SubmissionAccepted, list[OutboxRow]]:
    """Store a checked submission and the work it needs; sent again with its idempotency key it is the same one.

    Answers of an intake (health data) are stored encrypted only. With files, *db* must be a transaction. The outbox
    rows are stored, and to be sent now.
    """
    form, payload = checked.form, checked.payload
    submission_id, work_id = uuid4(), uuid4()
    if checked.files:
        url = f"{app_base_url.rstrip('/')}/api/forms/{form.id}/submissions/{submission_id}/files"
        payload = attachments.told(payload, checked.files, await key_ring(), folder_url=url)
    sealed = None
    if form.type == "intake":
        content = json.dumps(payload).encode()
        box = (await key_ring()).seal(content, context=payload_context(submission_id))
        sealed = (box.data, box.key_id)
    origin = checked.page.origin if checked.page else None
    stored_as, is_new = await store.insert_submission(
        db,
        submission_id=submission_id,
        form_id=form.id,
        version_id=form.version_id,
        kind=form.type,
        payload=None if sealed else payload,
        sealed=sealed,
        attribution=sent.attribution.model_dump(),
        ip=visitor.ip,
        user_agent=visitor.user_agent,
        referrer=sent.attribution.referrer,
        embed_domain=rules.host_of(origin or rules.origin_of(sent.attribution.landing_page)),
        idempotency_key=sent.idempotency_key,
        steps=[_step(step) for step in rules.steps_for(submission_id, form.type, form.settings)],
        work_id=work_id,
    )
    if is_new and checked.files:
        await attachments.claim(db, submission_id, checked.files)
    accepted = SubmissionAccepted(submission_id=stored_as, message=form.settings.custom_thank_you_message)
    work = OutboxRow(work_id, "task", "forms_process", {"submission_id": str(stored_as)})
    return accepted, [work] if is_new else []


def _step(step: rules.Step) -> dict[str, Any]:
    return {"kind": step.kind, "key": step.key, "recipient": step.recipient, "skipped": step.skipped}


def payload_context(submission_id: UUID) -> str:
    """What an encrypted payload is bound to: it opens nowhere else."""
    from shared.crypto import column_context

    return column_context("form_submissions", "encrypted_payload", submission_id)


# --- taking a file ----------------------------------------------------------------------------------------------------


async def take_file(
    db: Database,
    bucket: Bucket,
    form_id: UUID,
    sent: FileSent,
    uploads: Sequence[Upload],
    visitor: Visitor,
    *,
    key: bytes,
    ring: KeyRing,
) -> FileTaken:
    """Keep a file for the submission that will name it. Only a page of ours may send one.

    Raises as ``check`` does, and TooLarge.
    """
    await spend(db, (FILES_PER_IP, visitor.ip), (FILES_PER_FORM, str(form_id)))
    page = rules.read_page(sent.page_token, key, form_id=form_id, now=datetime.now(UTC))
    form = await load(db, form_id, version_id=page.version_id)
    rules.check_sender(page, None, form.settings)
    asked = attachments.question(form.schema, sent.field)
    file_id, name, size = await attachments.take(db, bucket, form.id, asked, uploads, ring)
    return FileTaken(file_id=file_id, name=name, size=size)


# --- drafts -----------------------------------------------------------------------------------------------------------


async def save_draft(
    db: Executor, form_id: UUID, draft: DraftSave, visitor: Visitor, *, key: bytes, hash_key: bytes, key_ring: KeyRing
) -> DraftSaved:
    """Keep half-filled answers, encrypted, under a token that is told once and stored as a hash."""
    from shared.crypto import keyed_hash

    await spend(db, (PER_IP, visitor.ip), (PER_FORM, str(form_id)))
    now = datetime.now(UTC)
    page = rules.read_page(draft.page_token, key, form_id=form_id, now=now) if draft.page_token else None
    form = await load(db, form_id, version_id=page.version_id if page else None)
    rules.check_sender(page, rules.origin_of(visitor.origin) or rules.origin_of(visitor.referer), form.settings)
    _require_drafts(form)
    draft_id, token = uuid4(), secrets.token_hex(32)
    box = key_ring.seal(json.dumps(draft.partial_payload).encode(), context=_draft_context(draft_id))
    expires_at = rules.draft_expiry(form.settings, now)
    await store.insert_draft(
        db,
        draft_id=draft_id,
        form_id=form.id,
        version_id=form.version_id,
        token_hash=_token_hash(token),
        email_hash=keyed_hash(hash_key, draft.email.strip().lower()) if draft.email else None,
        sealed=(box.data, box.key_id),
        expires_at=expires_at,
        ip=visitor.ip,
        user_agent=visitor.user_agent,
    )
    return DraftSaved(resume_token=token, expires_at=expires_at)


async def resume_draft(db: Executor, form_id: UUID, token: str, visitor: Visitor, key_ring: KeyRing) -> DraftResumed:
    """The answers kept under *token*; NotFound when there are none of this form or they have expired."""
    from shared.crypto import Sealed

    await spend(db, (PER_IP, visitor.ip))
    _require_drafts(await load(db, form_id))
    row = await store.draft(db, form_id, _token_hash(token))
    if row is None:
        raise NotFound("There is no draft to resume, or it has expired.")
    box = Sealed(row["encryption_key_id"], row["encrypted_partial_payload"])
    answers = json.loads(key_ring.open(box, context=_draft_context(row["id"])))
    return DraftResumed(partial_payload=answers, last_saved_at=row["last_saved_at"])


def _require_drafts(form: Form) -> None:
    if not form.settings.save_and_resume_enabled:
        raise Invalid("This form does not keep drafts.", code="DRAFTS_DISABLED")


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _draft_context(draft_id: UUID) -> str:
    from shared.crypto import column_context

    return column_context("form_draft_sessions", "encrypted_partial_payload", draft_id)
