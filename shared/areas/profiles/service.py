"""Use cases of one's own profile. Source: spec api-accounts §5."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.areas.accounts import passwords
from shared.areas.clients import audit
from shared.areas.clients import store as accounts
from shared.areas.clients.audit import Actor
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, NewFile, Opened, Place, Upload
from shared.areas.files.rules import url as file_url
from shared.areas.profiles import rules, store
from shared.areas.profiles.models import UpdateProfile
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Problem


async def show(db: Executor, user_id: UUID) -> str:
    """§Profile as JSON text."""
    text = await store.profile(db, user_id)
    if text is None:
        raise NotFound("There is no such account.")
    return text


async def looker_url(db: Executor, user_id: UUID) -> str | None:
    """The address of a client's Looker dashboard."""
    return await store.looker_url(db, user_id)


async def new_hash(db: Executor, user_id: UUID, given: UpdateProfile, actor: Actor, *, shortest: int) -> str | None:
    """Check what only the account's owner may change; the hash of their new password, if they chose one.

    Hashing is slow, so this is no part of the transaction that saves. Raises Invalid, Forbidden or a Problem with the
    code WEAK_PASSWORD.
    """
    account = await accounts.account(db, user_id)
    if account is None:
        raise NotFound("There is no such account.")
    if not given.new_password and not _changes_email(given, account):
        return None
    if actor.id != user_id:
        raise Forbidden("Only the account's owner changes its password or e-mail address here.")
    if account["password_hash"] is not None:
        await require_current(given.password, account["password_hash"])
    if not given.new_password:
        return None
    return await strong_hash(given.new_password, account, shortest=shortest)


async def require_current(password: str, stored: str) -> None:
    """Invalid unless *password* is the current one."""
    if not password:
        raise Invalid.field("password", "your current password is needed for this")
    if not (await passwords.check(password, stored)).right:
        raise Invalid.field("password", "is not your current password")


async def strong_hash(password: str, account: Record, *, shortest: int, field: str = "new_password") -> str:
    """The hash of a new password; a Problem with the code WEAK_PASSWORD says what it lacks."""
    names = (account["first_name"], account["last_name"])
    weak = passwords.weaknesses(password, shortest=shortest, email=account["email"], names=names)
    if weak:
        raise Problem(f"{field}: {' '.join(weak)}", code="WEAK_PASSWORD", errors=weak)
    return await passwords.make_hash(password)


async def update(
    tx: Transaction, user_id: UUID, given: UpdateProfile, actor: Actor, *, password_hash: str | None
) -> str:
    """Save a profile, all or nothing; §Profile as JSON text. A new password ends the other sessions."""
    account = await accounts.account(tx, user_id, lock=True)
    if account is None:
        raise NotFound("There is no such account.")
    client_only = given.flag_columns()
    if given.monthly_revenue_goal is not None:
        client_only["monthly_revenue_goal"] = given.monthly_revenue_goal
    if client_only and account["role"] != "client":
        raise Forbidden("These fields belong to clients.")
    user = await _user_columns(tx, account, given, password_hash)
    if not user and not client_only and not _names_itself(given):
        raise Invalid("There is nothing to change.", code="NOTHING_TO_CHANGE")
    await accounts.set_columns(tx, "users", user_id, user)
    if client_only:
        await accounts.ensure_profile(tx, user_id)
        await accounts.set_columns(tx, "client_profiles", user_id, client_only)
    if password_hash is not None:
        await tx.execute("update users set password_changed_at = now() where id = $1", user_id)
        await accounts.end_sessions(tx, user_id, reason="password_change", keep=actor.session_id)
        await audit.record(tx, actor, "password_changed", user_id)
    if "email" in user:
        await audit.record(tx, actor, "email_changed", user_id)
    return await show(tx, user_id)


async def _user_columns(
    tx: Transaction, account: Record, given: UpdateProfile, password_hash: str | None
) -> dict[str, Any]:
    names = {"first_name": given.first_name.strip(), "last_name": given.last_name.strip()}
    columns: dict[str, Any] = {name: value for name, value in names.items() if value}
    if _changes_email(given, account):
        assert given.email is not None, "an address that differs is one"
        if await accounts.id_of_email(tx, given.email):
            raise Conflict("There is already an account with this e-mail address.", code="EMAIL_EXISTS")
        columns |= {"email": given.email, "email_verified_at": None}
    if password_hash is not None:
        columns["password_hash"] = password_hash
    return columns


def _changes_email(given: UpdateProfile, account: Record) -> bool:
    return given.email is not None and given.email != account["email"].lower()


def _names_itself(given: UpdateProfile) -> bool:
    """The dashboard's form sends everything it shows: sent again unchanged, that is no mistake."""
    return given.email is not None


# --- avatars ----------------------------------------------------------------------------------------------------------


async def keep_avatar(db: Database, bucket: Bucket, uploads: Sequence[Upload], user_id: UUID, *, by: UUID) -> Kept:
    """Make a small picture of an upload and put it into the bucket; no transaction may be open."""
    if not uploads:
        raise Invalid.field("avatar", "is required: choose a picture")
    picture: NewFile = await asyncio.to_thread(rules.avatar, uploads[0])
    place = Place(folder="avatars", audience="public", owner_id=user_id, created_by=by)
    [kept] = await files.keep(db, bucket, [picture], place)
    return kept


async def set_avatar(tx: Transaction, user_id: UUID, kept: Kept) -> str:
    """Make a kept picture the user's avatar; its address. The one before is deleted."""
    await files.attach(tx, [kept])
    url = f"/api/hub/users/{user_id}/avatar?v={int(time.time() * 1000)}"
    before = await store.set_avatar(tx, user_id, kept.id, content_type=kept.content_type, url=url)
    if before is not None:
        await files.drop(tx, [file_url(before, "avatar")])
    return url


async def open_avatar(db: Executor, bucket: Bucket, user_id: UUID, *, cache: str) -> Opened | tuple[bytes, str]:
    """A user's avatar: a file, or the old server's bytes and their true type. NotFound."""
    row = await store.avatar(db, user_id)
    if row is not None and row["file_id"] is not None:
        return await files.open_owned(db, bucket, row["file_id"], user_id, cache=cache)
    if row is not None and row["bytes"] is not None:
        kind = rules.true_type(row["bytes"])
        if kind is not None:
            return row["bytes"], kind
    raise NotFound("There is no such avatar.")
