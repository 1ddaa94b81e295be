"""Use cases of onboarding: showing and saving the wizard, making the account, finishing. Source: seeds DATA_FLOWS §1.

A client is reached by a link (``links``) or by their own session; what is saved is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from shared.areas.accounts import limits, passwords
from shared.areas.accounts import service as accounts
from shared.areas.accounts.service import Browser, Means, SignedIn
from shared.areas.brand import service as brand
from shared.areas.brand.models import Asset, AssetKind, Kind
from shared.areas.clients import audit
from shared.areas.clients import service as clients
from shared.areas.clients.audit import Actor
from shared.areas.files.models import Bucket, Kept, Upload
from shared.areas.files.rules import read_url
from shared.areas.onboarding import links, rules, store
from shared.areas.onboarding.models import STEPS, Activate, Complete, Completed, Fields, Save
from shared.areas.text import split_name
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Conflict, Forbidden, Invalid, NotFound


async def load(db: Executor, user_id: UUID, *, token: str | None = None) -> dict[str, Any]:
    """§Onboarding of a client; with the link's *token*, files are shown to whoever holds it. NotFound for staff."""
    row = await store.state(db, user_id)
    if row is None or row["role"] != "client":
        raise NotFound("There is no onboarding for this account.")
    shown: dict[str, Any] = (await brand.show(db, user_id)).model_dump(mode="json")
    assets = [asset.model_dump() for asset in shown_files(await brand.all_files(db, user_id), token)]
    guides = [asset for asset in assets if asset["kind"] == "style_guide"]
    shown |= {"logos": assets, "style_guides": guides}
    return {
        "user": row["user"],
        "profile": row["profile"],
        "brand": shown if shown["id"] else None,
        "services": row["services"],
    }


def shown_files(assets: Sequence[Asset], token: str | None) -> list[Asset]:
    """Brand files with addresses that whoever sees them can open: a link's holder has no session."""
    if token is None:
        return list(assets)
    return [
        asset.model_copy(update={"url": f"/api/onboarding/{token}/files/{asset.id}/{asset.url.rpartition('/')[2]}"})
        if isinstance(read_url(asset.url), UUID)
        else asset
        for asset in assets
    ]


async def require_client(db: Executor, user_id: UUID) -> Record:
    """The account of a client; Forbidden for staff, who have nothing to onboard."""
    account = await clients.find(db, user_id)
    if account is None:
        raise NotFound("There is no such account.")
    if account["role"] != "client":
        raise Forbidden("Only a client has an onboarding.")
    return account


async def save(tx: Transaction, user_id: UUID, given: Save) -> None:
    """Keep a draft, or the fields of one step, or both. Conflict once onboarding is finished."""
    account = await _unfinished(tx, user_id)
    fields_set = given.model_fields_set
    if given.step is None and "draft" not in fields_set:
        raise Invalid.field("draft", "is required, or a step with its data")
    if given.step is not None:
        await _save_fields(tx, account, _of_step(given.step, given.data or Fields()))
    if "draft" in fields_set:
        await store.save_draft(tx, user_id, rules.draft(given.draft))


def _of_step(step: str, data: Fields) -> Fields:
    """The data, which may hold fields of its step only."""
    foreign = sorted(data.model_fields_set - set(STEPS[step]))
    if foreign:
        raise Invalid.field(f"data.{foreign[0]}", f"is no field of the step {step}")
    return data


async def _save_fields(tx: Transaction, account: Record, fields: Fields) -> None:
    user_id = account["id"]
    if fields.display_name:
        await _rename(tx, user_id, fields.display_name)
    await clients.save_columns(tx, user_id, profile=rules.columns(fields))
    if fields.brand is not None:
        said = {name: value for name, value in fields.brand.columns().items() if value}
        if said:  # an empty text keeps the old value
            await brand.save(tx, user_id, type(fields.brand).model_validate(said))
    if fields.services is not None:
        items = [service.item() for service in fields.services]
        await clients.save_services(tx, user_id, items, keep_details=True)


class Uploads(Protocol):
    """A multipart form (``runtime.multipart.Form``)."""

    def parsed(self, model: type[AssetKind]) -> AssetKind: ...
    def files(self, *names: str, at_most: int) -> Sequence[Upload]: ...


async def keep_brand(
    db: Database, bucket: Bucket, form: Uploads, user_id: UUID, *, by: UUID
) -> list[tuple[Kept, Kind]]:
    """Put the brand files of a form into the bucket; no transaction may be open. Invalid when there is none."""
    kind = form.parsed(AssetKind).asset_kind
    uploads = form.files("brand_assets", "brand_asset", at_most=15)
    if not uploads:
        raise Invalid.field("brand_assets", "is required: choose at least one file")
    return await brand.keep(db, bucket, [("brand_assets", kind, uploads)], owner_id=user_id, by=by)


async def add_brand(tx: Transaction, user_id: UUID, kept: Sequence[tuple[Kept, Kind]]) -> list[Asset]:
    """Add kept files to a brand; all its files."""
    return await brand.change_files(tx, user_id, added=kept)


def file_list(assets: Sequence[Asset], token: str | None) -> dict[str, list[Asset]]:
    """The answer of the wizard's file calls: all files, under both of the names that it reads."""
    shown = shown_files(assets, token)
    return {"logos": shown, "assets": shown}


# --- finishing --------------------------------------------------------------------------------------------------------


async def password_for_completion(
    db: Database, user_id: UUID, given: Complete, outside: Means, *, by: Actor | None
) -> str | None:
    """The hash of a new password, or None to keep the current one. Slow, so no part of the transaction.

    *by*: the signed-in person; None: whoever holds a fresh link, which is proof enough, and who needs a password if
    they have none. Signed in, another password than the current one needs ``current_password`` too, and nobody sets it
    for somebody else. TooManyRequests after five wrong ones.
    """
    account = await require_client(db, user_id)
    if account["onboarding_completed_at"] is not None:
        return None
    stored = account["password_hash"]
    if given.password is None:
        if by is None and stored is None:
            raise Invalid.field("password", "is required")
        return None
    if by is not None and (by.id != user_id or by.impersonator_id is not None):
        raise Forbidden("Only the client sets their own password.")
    if by is not None and stored is not None and await _is_current(db, user_id, given, stored, outside):
        return None
    return await accounts.hash_password(db, user_id, given.password, outside)


async def _is_current(db: Database, user_id: UUID, given: Complete, stored: str, outside: Means) -> bool:
    """Whether the password is the current one already; if not, ``current_password`` must be, or Invalid says so."""
    attempt = outside.count.of(limits.PROOF_USER, user_id)
    await limits.admit(db, outside.now, attempt)
    same = (await passwords.check(given.password or "", stored)).right
    if not same and not given.current_password:
        raise Invalid.field("current_password", "your current password is needed for this")
    if not same and not (await passwords.check(given.current_password or "", stored)).right:
        raise Invalid.field("current_password", "is not your current password")
    await limits.forget(db, attempt)
    return same


async def complete(
    tx: Transaction,
    user_id: UUID,
    given: Complete,
    *,
    password_hash: str | None,
    actor: Actor | None,
    outside: Means,
) -> Completed:
    """Save everything and finish, once: a repeat changes nothing and mails nobody.

    Invalid names a step that this client is asked for and nobody answered. What follows (summary, mails, notices) is
    the work of ``onboarding_finish``.
    """
    account = await clients.find(tx, user_id, lock=True)
    if account is None or account["role"] != "client":
        raise Forbidden("Only a client has an onboarding.")
    if account["onboarding_completed_at"] is not None:
        return Completed(user_id=user_id)
    await _save_fields(tx, account, given)
    state = await store.state(tx, user_id)
    assert state is not None, "the account is locked"
    unanswered = rules.missing(state["profile"])
    if unanswered:
        raise Invalid(
            "; ".join(f"{name}: is required" for name in unanswered),
            errors=[{"field": name, "message": "is required"} for name in unanswered],
        )
    if password_hash is not None:
        keep = actor.session_id if actor else None
        await accounts.change_password(tx, user_id, password_hash, None, outside, keep=keep)
    if actor is None:
        await store.set_verified(tx, user_id)
    await store.complete(tx, user_id)
    await links.revoke_all(tx, user_id)
    await audit.record(tx, actor, "onboarding_completed", user_id)
    await tx.enqueue("onboarding_finish", {"user_id": str(user_id)})
    return Completed(user_id=user_id)


async def complete_by_link(
    tx: Transaction, token: str, given: Complete, *, password_hash: str | None, outside: Means
) -> Completed:
    """The same by link, which is used up; it was mailed, so the address is proven."""
    row = await links.consume(tx, token)
    return await complete(tx, row["user_id"], given, password_hash=password_hash, actor=None, outside=outside)


# --- the account ------------------------------------------------------------------------------------------------------


async def password_for_activation(db: Database, token: str, given: Activate, outside: Means) -> str:
    """The hash of the password that a link's holder chose. Slow, so no part of the transaction."""
    row = await links.find(db, token)
    return await accounts.hash_password(db, row["user_id"], given.password, outside)


async def activate(
    tx: Transaction, token: str, given: Activate, browser: Browser, outside: Means, *, password_hash: str
) -> SignedIn:
    """Use the link up and give its client a name and a password, once; they are signed in, on a trusted device."""
    row = await links.consume(tx, token)
    user_id: UUID = row["user_id"]
    await _rename(tx, user_id, given.display_name)
    await accounts.change_password(tx, user_id, password_hash, browser, outside)
    await store.set_verified(tx, user_id)
    await audit.record(tx, None, "onboarding_activated", user_id)
    account = await accounts.account(tx, user_id)
    assert account is not None, "the link's owner is locked"
    return await accounts.open_session(tx, account, browser, outside, how="onboarding", trusted=True)


async def _rename(tx: Transaction, user_id: UUID, display_name: str) -> None:
    first, last = split_name(display_name)
    await clients.save_columns(tx, user_id, user={"first_name": first, "last_name": last})


async def _unfinished(tx: Transaction, user_id: UUID) -> Record:
    account = await clients.find(tx, user_id, lock=True)
    if account is None or account["role"] != "client":
        raise Forbidden("Only a client has an onboarding.")
    if account["onboarding_completed_at"] is not None:
        raise Conflict("Onboarding is already finished.", code="ONBOARDING_DONE")
    return account
