"""Use cases of the forms builder: forms, their versions, and what visitors see of them. Spec api-forms §2.

A version never changes once it is kept. Saving makes it the one that the editor goes on from; visitors see the one that
was published. Whoever changes a form holds its row locked, so that numbers, pointers and the trail agree.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, TypeVar
from uuid import UUID, uuid4

from shared.areas.files import service as files
from shared.areas.forms import audit, builder_store, definition, pages, printing
from shared.areas.forms.audit import Editor
from shared.areas.forms.builder_models import CreateForm, DuplicateForm, ListQuery, SaveVersion, UpdateForm
from shared.areas.forms.models import Attribution, FormSchema, FormSettings
from shared.db.database import Executor, Record, Transaction
from shared.errors import Conflict, Invalid, NotFound

T = TypeVar("T")


async def list_forms(db: Executor, editor: Editor, query: ListQuery) -> str:
    """``{"forms": [FormListItem]}`` of the forms within reach."""
    return await builder_store.list_forms(db, editor.viewer, client_id=query.client_id, status=query.status)


async def show_form(db: Executor, editor: Editor, form_id: UUID) -> str:
    return _found(await builder_store.show_form(db, editor.viewer, form_id))


async def create_form(tx: Transaction, editor: Editor, wanted: CreateForm) -> str:
    """A new form with a first version that works as it is; ``{"form": Form}``."""
    await _require_client(tx, editor, wanted.client_id)
    form_id = uuid4()
    await builder_store.insert_form(
        tx,
        form_id=form_id,
        name=wanted.name,
        description=wanted.description,
        form_type=wanted.form_type,
        settings=wanted.settings.model_dump(mode="json"),
        embed_token=secrets.token_hex(32),
        client_id=wanted.client_id,
    )
    code, css, schema = pages.new_form()
    if wanted.definition is not None:
        code, schema = "", {"runtime_mode": "react", **wanted.definition}
        definition.require(schema, code)
    await builder_store.insert_version(
        tx, version_id=uuid4(), form_id=form_id, code=code, css=css, schema=schema, created_by=editor.id
    )
    await audit.record(tx, editor, "form.created", "form", form_id, form_id=form_id)
    return await builder_store.form_as_json(tx, form_id)


async def update_form(tx: Transaction, editor: Editor, form_id: UUID, wanted: UpdateForm) -> str:
    """Change what was sent; ``{"form": Form}``. Conflict where submissions forbid it."""
    changes = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    if not changes:
        raise Invalid("Nothing to change was sent.")
    for name in ("name", "form_type", "status", "settings_json"):
        if name in changes and changes[name] is None:
            raise Invalid.field(name, "may not be null")
    form = await locked(tx, editor, form_id)
    await _require_movable(tx, editor, form, changes)
    if "settings_json" in changes:
        changes["settings_json"] = changes["settings_json"].model_dump(mode="json")
    if "client_id" in changes:
        changes["org_id"] = changes["client_id"]
    if changes.get("status") == "published" and form["published_version_id"] is None:
        await _publish(tx, form, form["active_version_id"])
    await builder_store.update_form(tx, form_id, changes)
    changed = sorted(name for name in changes if name != "org_id")
    told = {"status": changes["status"]} if "status" in changes else {}
    await audit.record(tx, editor, "form.updated", "form", form_id, form_id=form_id, changed=changed, **told)
    return await builder_store.form_as_json(tx, form_id)


async def _require_movable(tx: Transaction, editor: Editor, form: Record, changes: dict[str, Any]) -> None:
    """Submissions stay with the client they were sent to, and health data stays health data."""
    moves = "client_id" in changes and changes["client_id"] != form["client_id"]
    opens = form["form_type"] == "intake" and changes.get("form_type") == "conversion"
    if moves:
        await _require_client(tx, editor, changes["client_id"])
    leaves_client = moves and form["client_id"] is not None
    if (leaves_client or opens) and await builder_store.has_submissions(tx, form["id"]):
        what = "be given to another client" if leaves_client else "stop being an intake"
        raise Conflict(f"This form has submissions, so it cannot {what}. Duplicate it.", code="HAS_SUBMISSIONS")


async def delete_form(tx: Transaction, editor: Editor, form_id: UUID) -> None:
    """Delete a form with its versions, submissions, jobs and files. Only its trail stays."""
    form = await locked(tx, editor, form_id)
    await files.drop_ids(tx, await builder_store.files_of_form(tx, form_id))
    await builder_store.delete_form(tx, form_id)
    await audit.record(tx, editor, "form.deleted", "form", form_id, form_id=form_id, name=form["name"])


async def duplicate_form(tx: Transaction, editor: Editor, form_id: UUID, wanted: DuplicateForm) -> str:
    """A draft with the newest version's content and the settings; ``{"form": Form}``. No submission comes along."""
    form = await locked(tx, editor, form_id)
    client_id = wanted.client_id if "client_id" in wanted.model_fields_set else form["client_id"]
    await _require_client(tx, editor, client_id)
    copy_id = uuid4()
    settings = dict(form["settings_json"])
    if client_id != form["client_id"]:  # whom to notify, where to show it and what to record is the other client's
        settings |= FormSettings().model_dump(
            mode="json", include={"email_recipients", "domain_allowlist", "ctm_enabled", "ctm_conversion_action_id"}
        )
    await builder_store.insert_form(
        tx,
        form_id=copy_id,
        name=wanted.name or f"{form['name'][:190]} (copy)",
        description=form["description"],
        form_type=form["form_type"],
        settings=settings,
        embed_token=secrets.token_hex(32),
        client_id=client_id,
    )
    source = await builder_store.version(tx, editor.viewer, form_id, None)
    code, css, schema = pages.new_form() if source is None else _content(source)
    await builder_store.insert_version(
        tx, version_id=uuid4(), form_id=copy_id, code=code, css=css, schema=schema, created_by=editor.id
    )
    await audit.record(tx, editor, "form.duplicated", "form", copy_id, form_id=copy_id, source_form_id=str(form_id))
    return await builder_store.form_as_json(tx, copy_id)


def _content(version: Record) -> tuple[str, str | None, dict[str, Any]]:
    return version["react_code"], version["css_code"], version["schema_json"]


async def renew_embed_token(tx: Transaction, editor: Editor, form_id: UUID) -> str:
    """A fresh embed token; the old one is worth nothing from now on. ``{"form": Form}``."""
    await locked(tx, editor, form_id)
    await builder_store.update_form(tx, form_id, {"embed_token": secrets.token_hex(32)})
    await audit.record(tx, editor, "form.embed_token_renewed", "form", form_id, form_id=form_id)
    return await builder_store.form_as_json(tx, form_id)


async def show_stats(db: Executor, editor: Editor, form_id: UUID, *, days: int) -> str:
    return _found(await builder_store.stats(db, editor.viewer, form_id, days=days))


async def list_audit(db: Executor, editor: Editor, form_id: UUID, *, limit: int, offset: int) -> str:
    await found(db, editor, form_id)
    return await audit.listed(db, form_id, limit=limit, offset=offset)


# --- versions ---------------------------------------------------------------------------------------------------------


async def list_versions(db: Executor, editor: Editor, form_id: UUID) -> str:
    return _found(await builder_store.list_versions(db, editor.viewer, form_id))


async def show_version(db: Executor, editor: Editor, form_id: UUID, version_id: UUID) -> str:
    """Version of spec §1 as JSON text."""
    return _found(await builder_store.version_as_json(db, editor.viewer, form_id, version_id))


async def save_version(
    tx: Transaction, editor: Editor, form_id: UUID, wanted: SaveVersion
) -> tuple[str, list[dict[str, str]]]:
    """Keep what the editor shows as the newest version: its JSON, and what its author may want to know.

    Visitors go on seeing the published one. Invalid (``DEFINITION_INVALID``) names what is wrong with the definition,
    unless the newest version, kept by the old server, has it too: then it is a warning, so that the form can be worked
    on. Conflict (``VERSION_CONFLICT``) says that somebody else saved since.
    """
    form = await locked(tx, editor, form_id)
    newest = await builder_store.version(tx, editor.viewer, form_id, None)
    known = definition.problems(newest["schema_json"], newest["react_code"]) if newest else []
    read = definition.require(wanted.definition, wanted.react_code, known=known)
    if not wanted.react_code.strip() and not read.fields:
        raise Invalid.field("react_code", "is empty, and there are no fields to draw the form from")
    if wanted.base_version_id not in (None, form["active_version_id"]):
        raise Conflict(
            "Somebody else saved a version since you began. Reload the form to see it.",
            code="VERSION_CONFLICT",
            active_version_id=str(form["active_version_id"]),
        )
    version_id = uuid4()
    number = await builder_store.insert_version(
        tx,
        version_id=version_id,
        form_id=form_id,
        code=wanted.react_code,
        css=wanted.css_code,
        schema=wanted.definition,
        created_by=editor.id,
        ai_run=await _ai_run(tx, form_id, wanted.definition),
    )
    await audit.record(tx, editor, "version.saved", "version", version_id, form_id=form_id, version_number=number)
    text = _found(await builder_store.version_as_json(tx, editor.viewer, form_id, version_id))
    return text, _warnings(wanted.definition, wanted.react_code, form["form_type"])


async def _ai_run(tx: Transaction, form_id: UUID, schema: dict[str, Any]) -> Record | None:
    """The run that a definition says it came from."""
    try:
        return await builder_store.ai_run(tx, form_id, UUID(str(schema.get("ai_run_id"))))
    except ValueError:
        return None


async def publish(tx: Transaction, editor: Editor, form_id: UUID, version_id: UUID) -> tuple[str, list[dict[str, str]]]:
    """Show a version to visitors from this commit on; also an older one, again. Its JSON, and warnings.

    What was kept may go live: its definition was checked then, and what the old server kept is read tolerantly.
    """
    form = await locked(tx, editor, form_id)
    version = await _publish(tx, form, version_id)
    await audit.record(
        tx, editor, "form.published", "version", version_id, form_id=form_id,
        version_number=version["version_number"], replaces=_text(form["published_version_id"]),
    )  # fmt: skip
    text = _found(await builder_store.version_as_json(tx, editor.viewer, form_id, version_id))
    return text, _warnings(version["schema_json"], version["react_code"], form["form_type"])


def _warnings(schema: dict[str, Any], code: str, form_type: str) -> list[dict[str, str]]:
    found = definition.problems(schema, code)
    return found + definition.warnings(FormSchema.read(schema), code, form_type=form_type)


async def _publish(tx: Transaction, form: Record, version_id: UUID | None) -> Record:
    version = await builder_store.version(tx, None, form["id"], version_id)
    if version is None:
        raise NotFound("This form has no such version.")
    await builder_store.publish(tx, form["id"], version["id"])
    return version


async def preview(
    db: Executor, editor: Editor, form_id: UUID, version_id: UUID | None, *, app_base_url: str, images: tuple[str, ...]
) -> tuple[str, dict[str, str]]:
    """The page of any version as visitors would see it, sending nothing; its HTML and headers."""
    version = _found(await builder_store.version(db, editor.viewer, form_id, version_id))
    schema = FormSchema.read(version["schema_json"])
    nonce = secrets.token_urlsafe(16)
    view = pages.PageView(
        app_base_url=app_base_url,
        form_id=form_id,
        version_id=version["id"],
        form_name=version["name"],
        mode=schema.mode_for(version["react_code"]),
        code=version["react_code"],
        css=version["css_code"],
        schema=schema,
        attribution=Attribution(),
        page_token="",
        parent_origin=None,
        nonce=nonce,
        preview=True,
    )
    headers = pages.page_headers(FormSettings(), nonce=nonce, app_base_url=app_base_url, image_sources=images)
    return pages.render_page(view), headers


async def draw_blank(db: Executor, editor: Editor, form_id: UUID, version_id: UUID | None) -> printing.Drawn:
    """A version's questions as a PDF; Invalid when it has none that are known here."""
    version = _found(await builder_store.version(db, editor.viewer, form_id, version_id))
    schema = FormSchema.read(version["schema_json"])
    if not schema.fields:
        raise Invalid("This version lists no fields to be printed. Derive them from its code first.", code="NO_FIELDS")
    return await asyncio.to_thread(printing.draw_blank, version["name"], schema)


# --- what they share --------------------------------------------------------------------------------------------------


async def found(db: Executor, editor: Editor, form_id: UUID) -> Record:
    """The form; NotFound when it is not within reach."""
    return _found(await builder_store.find(db, editor.viewer, form_id))


async def locked(tx: Transaction, editor: Editor, form_id: UUID) -> Record:
    """The form, locked; NotFound when it is not within reach."""
    return _found(await builder_store.find(tx, editor.viewer, form_id, lock=True))


async def _require_client(tx: Transaction, editor: Editor, client_id: UUID | None) -> None:
    if client_id is not None and not await builder_store.may_own(tx, editor.viewer, client_id):
        raise Invalid.field("client_id", "is no client of yours")


def _found(value: T | None) -> T:
    if value is None:
        raise NotFound("There is no such form or version.")
    return value


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
