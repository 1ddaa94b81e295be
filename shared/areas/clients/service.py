"""Use cases of clients and staff accounts. Source: spec api-accounts §4."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.areas.accounts import service as accounts
from shared.areas.accounts.service import Means
from shared.areas.clients import audit, rules, store
from shared.areas.clients.audit import Actor
from shared.areas.clients.models import CreateClient, UpdateClient
from shared.areas.clients.rules import ServiceItem
from shared.areas.connections import service as connections
from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.files import service as files
from shared.areas.leads.classification import DEFAULT_CONTEXT
from shared.areas.onboarding import links
from shared.areas.onboarding.links import Mailing
from shared.areas.text import split_name
from shared.crypto import KeyRing, column_context
from shared.db.database import Executor, Record, Transaction
from shared.errors import Conflict, Forbidden, Invalid, NotFound

_SECRETS: Final = ("ctm_api_key", "ctm_api_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    role: str
    board_deleted: bool


# --- for other areas --------------------------------------------------------------------------------------------------


async def find(db: Executor, user_id: UUID, *, lock: bool = False) -> Record | None:
    """An account with the states of its onboarding; locked, nobody else changes it until the transaction ends."""
    return await store.account(db, user_id, lock=lock)


async def save_columns(
    tx: Transaction, user_id: UUID, *, user: Mapping[str, Any] | None = None, profile: Mapping[str, Any] | None = None
) -> None:
    """Write columns of the account and of its profile, which is made if it is missing."""
    await store.set_columns(tx, "users", user_id, user or {})
    if profile:
        await store.ensure_profile(tx, user_id)
        await store.set_columns(tx, "client_profiles", user_id, profile)


async def change_email(
    tx: Transaction, user_id: UUID, email: str, actor: Actor, outside: Means, *, keep: UUID | None = None
) -> None:
    """Give an account another address: unproven until its mailed link is followed; sessions but *keep* end.

    Links that were mailed to the address before stop working, for they would prove the new one and set its password.
    Conflict when the address is taken.
    """
    if not await store.set_email(tx, user_id, email):
        raise Conflict("There is already an account with this e-mail address.", code="EMAIL_EXISTS")
    await audit.record(tx, actor, "email_changed", user_id)
    await links.revoke_all(tx, user_id)
    await accounts.void_reset_links(tx, user_id)
    await accounts.revoke_all(tx, user_id, "email_change", outside, None, but=keep)
    changed = await accounts.account(tx, user_id)
    if changed is not None and changed.password_hash is not None:
        await accounts.mail_verification(tx, changed, outside)


# --- accounts as admins keep them -------------------------------------------------------------------------------------


async def list_clients(db: Executor) -> str:
    """Every client and member of staff below superadmin, as JSON text."""
    return await store.list_clients(db, default_prompt=DEFAULT_CONTEXT)


async def show(db: Executor, user_id: UUID) -> str:
    """One account as JSON text; NotFound."""
    text = await store.client(db, user_id, default_prompt=DEFAULT_CONTEXT)
    if text is None:
        raise _no_account()
    return text


async def create(tx: Transaction, given: CreateClient, actor: Actor, mailing: Mailing) -> dict[str, Any]:
    """A new account (§ClientBrief); a client is invited. Conflict when the address is taken, with its user's id."""
    role = given.role or "client"
    if not rules.may_manage(actor.role, role):
        raise Forbidden(f"You may not create an account with the role {role}.")
    first, last = split_name(given.display_name)
    user_id = await store.insert_user(tx, email=given.email, first_name=first, last_name=last, role=role)
    if user_id is None:
        existing = await store.id_of_email(tx, given.email)
        raise Conflict(
            "There is already an account with this e-mail address.",
            code="EMAIL_EXISTS",
            existing_user_id=str(existing),
        )
    await store.ensure_profile(tx, user_id)
    types = ("client_package", "client_type", "client_subtype")
    await store.set_columns(tx, "client_profiles", user_id, {name: getattr(given, name) for name in types})
    await audit.record(tx, actor, "client_created", user_id, role=role)
    if role == "client" and given.send_email:
        await links.invite(tx, user_id, actor, mailing)
    return {"id": str(user_id), "first_name": first, "last_name": last, "email": given.email, "role": role}


async def update(tx: Transaction, user_id: UUID, given: UpdateClient, actor: Actor, outside: Means) -> str:
    """Change what is given, all or nothing; §Client as JSON text.

    Raises Forbidden for somebody not below the actor and for roles beyond their reach, Conflict for a taken address,
    Invalid for an unknown workspace.
    """
    superadmins = await _superadmins(tx, actor)
    account = await _account(tx, user_id, lock=True)
    if not rules.may_manage(actor.role, account["role"]):
        raise Forbidden("You may only edit accounts below your own role.")
    await store.ensure_profile(tx, user_id)
    if given.role and given.role != account["role"]:
        _require_another(superadmins, account)
        await _change_role(tx, account, given.role, actor, outside)
    await _update_user(tx, account, given, actor, outside)
    ring = await outside.key_ring()
    await store.set_columns(tx, "client_profiles", user_id, await _profile_columns(tx, user_id, given, ring))
    await _keep_board(tx, user_id, actor)
    await audit.record(tx, actor, "client_updated", user_id, fields=sorted(given.model_fields_set))
    text = await store.client(tx, user_id, default_prompt=None)
    assert text is not None, "the account is locked"
    return text


async def _update_user(tx: Transaction, account: Record, given: UpdateClient, actor: Actor, outside: Means) -> None:
    user_id = account["id"]
    if given.display_name:
        first, last = split_name(given.display_name)
        await store.set_columns(tx, "users", user_id, {"first_name": first, "last_name": last})
    if given.user_email and given.user_email != account["email"].lower():
        was_invited = await links.is_open(tx, user_id)
        await change_email(tx, user_id, given.user_email, actor, outside)
        if was_invited:
            await links.invite(tx, user_id, actor, links.mailing_with(outside.settings, outside.key_ring))


async def _change_role(tx: Transaction, account: Record, role: str, actor: Actor, outside: Means) -> None:
    if not rules.may_manage(actor.role, role):
        raise Forbidden(f"You may not give the role {role}.")
    await store.set_columns(tx, "users", account["id"], {"role": role})
    await audit.record(tx, actor, "role_changed", account["id"], before=account["role"], after=role)
    await links.revoke_all(tx, account["id"])
    await accounts.revoke_all(tx, account["id"], "role_change", outside, None)


async def _profile_columns(tx: Transaction, user_id: UUID, given: UpdateClient, ring: KeyRing) -> dict[str, Any]:
    columns = given.columns()
    if columns.get("ai_prompt") == DEFAULT_CONTEXT:  # the list shows it where there is none, and it comes back
        columns["ai_prompt"] = None
    workspace = columns.get("task_workspace_id")
    if workspace and not await store.workspace_exists(tx, workspace):
        raise Invalid.field("task_workspace_id", "is not a workspace")
    if "ctm_account_number" in columns and columns["ctm_account_number"] is None:
        return {**columns, "ctm_api_key": None, "ctm_api_secret": None, "ctm_credentials_key_id": None}
    for name in _SECRETS:
        value = getattr(given, name)
        if value is not None:
            columns[name] = ring.seal_text(value, context=column_context("client_profiles", name, user_id))
            columns["ctm_credentials_key_id"] = ring.current
    return columns


async def _keep_board(tx: Transaction, user_id: UUID, actor: Actor) -> None:
    """A client with a workspace and an identifier has a task board of that name."""
    account = await _account(tx, user_id)
    name, workspace = account["client_identifier_value"], account["task_workspace_id"]
    if account["role"] != "client" or not name or workspace is None:
        return
    if account["task_board_id"] is not None:
        await store.rename_board(tx, account["task_board_id"], workspace, name=name, prefix=account["board_prefix"])
        return
    board_id = await store.create_board(tx, workspace, name=name, prefix=account["board_prefix"], by=actor.id)
    await store.set_columns(tx, "client_profiles", user_id, {"task_board_id": board_id})


async def delete(tx: Transaction, user_id: UUID, actor: Actor, *, with_board: bool, key_ring: KeyRing) -> Deleted:
    """Delete an account with everything that is its own; after the commit its files, and its consents at vendors.

    Raises Invalid for the actor's own account, Forbidden for one not below theirs, Conflict for the last superadmin.
    """
    if user_id == actor.id:
        raise Invalid("You cannot delete your own account.", code="OWN_ACCOUNT")
    superadmins = await _superadmins(tx, actor)
    account = await _account(tx, user_id, lock=True)
    if not rules.may_manage(actor.role, account["role"]):
        raise Forbidden("You may only delete accounts below your own role.")
    _require_another(superadmins, account)
    await files.drop(tx, await store.old_addresses(tx, user_id))
    await files.drop_all_of(tx, user_id)
    await connections.withdraw_all(tx, user_id, key_ring)
    board = account["task_board_id"] if with_board else None
    board_deleted = board is not None and await store.delete_board(tx, board)
    await audit.record(tx, actor, "client_deleted", user_id, role=account["role"], board_deleted=board_deleted)
    await store.delete_user(tx, user_id)
    return Deleted(role=account["role"], board_deleted=board_deleted)


async def activate(tx: Transaction, user_id: UUID, actor: Actor, mailing: Mailing) -> str:
    """Open the portal to a client who has finished onboarding, and tell them once; §Client as JSON text."""
    account = await _account(tx, user_id, lock=True)
    if account["role"] != "client":
        raise Invalid("Only a client can be activated.", code="NOT_A_CLIENT")
    if account["onboarding_completed_at"] is None:
        raise Invalid("This client has not finished onboarding yet.", code="ONBOARDING_OPEN")
    if await store.activate(tx, user_id):
        await audit.record(tx, actor, "client_activated", user_id)
        await emails.queue(tx, _activation_mail(account, actor, mailing), mailing.key_ring)
    text = await store.client(tx, user_id, default_prompt=None)
    assert text is not None, "the account is locked"
    return text


def _activation_mail(account: Record, actor: Actor, mailing: Mailing) -> Mail:
    content = templates.account_activated(name=account["first_name"], site=mailing.site)
    return Mail(
        type="account_activated",
        to=account["email"],
        to_name=account["name"],
        subject=content.subject,
        text=content.text,
        html=content.html,
        client_id=account["id"],
        triggered_by_id=actor.id,
    )


async def list_services(db: Executor, client_id: UUID) -> str:
    """A client's services as a JSON list; NotFound when there is no such account."""
    await _account(db, client_id)
    return await store.services(db, client_id)


async def save_services(
    tx: Transaction, client_id: UUID, items: Sequence[ServiceItem], *, keep_details: bool = False
) -> str:
    """Make the list a client's services; all of them as JSON text. What is left out becomes inactive, not deleted."""
    await _account(tx, client_id, lock=True)
    changes = rules.merged(await store.service_rows(tx, client_id), items)
    await store.save_services(tx, client_id, changes, keep_details=keep_details)
    return await store.services(tx, client_id)


async def add_presets(tx: Transaction, client_id: UUID, names: Sequence[str]) -> tuple[list[Any], int]:
    """Add services that the client does not have by name; the new ones, and how many were there."""
    await _account(tx, client_id, lock=True)
    known = {name.lower() for _, name, _ in await store.service_rows(tx, client_id)}
    wanted = {name.lower(): name for name in reversed([rules.title(name) for name in names])}
    price = rules.price(0)
    new = [ServiceItem(id=None, name=name, base_price=price) for key, name in wanted.items() if key not in known]
    return await store.insert_services(tx, client_id, new), len(names) - len(new)


async def own_services(db: Executor, owner: UUID) -> str:
    """The caller's own services by name, inactive ones too, as a JSON list."""
    return await store.services(db, owner)


async def add_service(tx: Transaction, owner: UUID, item: ServiceItem) -> str:
    """Add a service to the owner's list; §Service as JSON. One that was retired by this name is taken up again, and
    the same one sent twice is one."""
    await _account(tx, owner, lock=True)
    known = await store.take_up_service(tx, owner, item)
    if known is not None:
        return known
    (made,) = await store.insert_services(tx, owner, [item])
    return json.dumps(made)


async def update_service(tx: Transaction, owner: UUID, service_id: UUID, columns: Mapping[str, Any]) -> str:
    if not columns:
        raise Invalid("There is nothing to change.", code="NOTHING_TO_CHANGE")
    return _service(await store.update_service(tx, owner, service_id, columns))


async def retire_service(tx: Transaction, owner: UUID, service_id: UUID) -> None:
    """Take a service out of use. It is not deleted: what was sold of it stays sold."""
    _service(await store.update_service(tx, owner, service_id, {"active": False}))


def _service(found: str | None) -> str:
    if found is None:
        raise NotFound("There is no such service.")
    return found


async def _superadmins(tx: Transaction, actor: Actor) -> list[UUID]:
    """All superadmins, locked, where one of them acts. Taken before any other lock, so that no two callers cross."""
    return await store.superadmins(tx) if actor.role == "superadmin" else []


def _require_another(superadmins: Sequence[UUID], account: Record) -> None:
    if account["role"] == "superadmin" and not set(superadmins) - {account["id"]}:
        raise Conflict("The last superadmin must stay one.", code="LAST_SUPERADMIN")


async def _account(db: Executor, user_id: UUID, *, lock: bool = False) -> Record:
    account = await store.account(db, user_id, lock=lock)
    if account is None:
        raise _no_account()
    return account


def _no_account() -> NotFound:
    return NotFound("There is no such account.")
