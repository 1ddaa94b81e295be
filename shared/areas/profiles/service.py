"""Use cases of one's own profile. Source: spec api-accounts §5."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

from shared.areas.accounts import service as accounts
from shared.areas.accounts.mfa import require_owner
from shared.areas.accounts.service import Means
from shared.areas.clients import service as clients
from shared.areas.clients.audit import Actor
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, NewFile, Opened, Place, Upload
from shared.areas.files.rules import url as file_url
from shared.areas.profiles import rules, store
from shared.areas.profiles.models import UpdateProfile
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Forbidden, Invalid, NotFound


async def show(db: Executor, user_id: UUID) -> str:
    """§Profile as JSON text."""
    text = await store.profile(db, user_id)
    if text is None:
        raise _no_account()
    return text


async def looker_url(db: Executor, user_id: UUID) -> str | None:
    """The address of a client's Looker dashboard."""
    return await store.looker_url(db, user_id)


async def new_hash(db: Database, user_id: UUID, given: UpdateProfile, actor: Actor, outside: Means) -> str | None:
    """Check what only the account's owner may change; the hash of their new password, if they chose one.

    Hashing is slow, so this is no part of the transaction that saves. Raises Invalid (WEAK_PASSWORD for a new password
    that the policy refuses), Forbidden, or TooManyRequests after five wrong current passwords.
    """
    account = await clients.find(db, user_id)
    if account is None:
        raise _no_account()
    if not given.new_password and not _changes_email(given, account):
        return None
    if actor.id != user_id:
        raise Forbidden("Only the account's owner changes its password or e-mail address here.")
    if account["password_hash"] is not None and not given.password:
        raise Invalid.field("password", "your current password is needed for this")
    await require_owner(db, actor, given.password, outside)
    return await accounts.hash_password(db, user_id, given.new_password, outside) if given.new_password else None


async def update(
    tx: Transaction, user_id: UUID, given: UpdateProfile, actor: Actor, outside: Means, *, password_hash: str | None
) -> str:
    """Save a profile, all or nothing; §Profile as JSON text. A new password or address ends the other sessions."""
    account = await clients.find(tx, user_id, lock=True)
    if account is None:
        raise _no_account()
    client_only = given.flag_columns()
    if given.monthly_revenue_goal is not None:
        client_only["monthly_revenue_goal"] = given.monthly_revenue_goal
    if client_only and account["role"] != "client":
        raise Forbidden("These fields belong to clients.")
    names = {"first_name": given.first_name.strip(), "last_name": given.last_name.strip()}
    user = {name: value for name, value in names.items() if value}
    if not user and not client_only and given.email is None and password_hash is None:
        raise Invalid("There is nothing to change.", code="NOTHING_TO_CHANGE")
    await clients.save_columns(tx, user_id, user=user, profile=client_only)
    if given.email is not None and _changes_email(given, account):
        await clients.change_email(tx, user_id, given.email, actor, outside, keep=actor.session_id)
    if password_hash is not None:
        await accounts.change_password(tx, user_id, password_hash, None, outside, keep=actor.session_id)
    return await show(tx, user_id)


def _changes_email(given: UpdateProfile, account: Record) -> bool:
    return given.email is not None and given.email != account["email"].lower()


def _no_account() -> NotFound:
    return NotFound("There is no such account.")


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
