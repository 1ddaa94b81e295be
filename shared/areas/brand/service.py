"""Use cases of a client's brand. Source: spec api-accounts §6, and §3 for its files in onboarding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from shared.areas.brand import rules, store
from shared.areas.brand.models import Asset, Brand, BrandTexts, Kind
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, Place, Upload
from shared.areas.files.rules import DOCUMENTS
from shared.db.database import Database, Executor, Transaction
from shared.errors import Invalid, NotFound

MAX_FILES: Final = 200  # of one brand

Additions = Sequence[tuple[Kept, Kind]]


async def show(db: Executor, user_id: UUID) -> Brand:
    """The brand as the hub shows it; an empty one where none was saved yet."""
    row = await store.find(db, user_id)
    if row is None:
        return Brand(user_id=user_id)
    found = rules.assets(row["logos"], row["style_guides"])
    texts = {name: row[name] for name in ("id", "updated_at", *BrandTexts.model_fields)}
    return Brand(
        user_id=user_id,
        logos=rules.of_kind(found, "logo"),
        style_guides=rules.of_kind(found, "style_guide"),
        **texts,
    )


async def show_clients(db: Executor, user_id: UUID) -> Brand:
    """The same for an admin; NotFound when there is no such account."""
    await _require_user(db, user_id)
    return await show(db, user_id)


async def all_files(db: Executor, user_id: UUID) -> list[Asset]:
    """Every file of a brand, logos first, as onboarding shows them."""
    row = await store.find(db, user_id)
    return rules.assets(row["logos"], row["style_guides"]) if row else []


async def keep(
    db: Database,
    bucket: Bucket,
    given: Sequence[tuple[str, Kind, Sequence[Upload]]],
    *,
    owner_id: UUID,
    by: UUID | None,
) -> list[tuple[Kept, Kind]]:
    """Put brand files, given by field and kind, into the bucket; Invalid names the field of the first bad one."""
    new = [(file, kind) for field, kind, uploads in given for file in files.checked(uploads, field, DOCUMENTS)]
    place = Place(folder="brand", audience="owner", owner_id=owner_id, created_by=by)
    kept = await files.keep(db, bucket, [file for file, _ in new], place)
    return [(file, kind) for file, (_, kind) in zip(kept, new, strict=True)]


async def save(
    tx: Transaction,
    user_id: UUID,
    texts: BrandTexts,
    *,
    added: Additions = (),
    deleted: Sequence[str] = (),
) -> Brand:
    """Change texts and files together. Deleting a file that is not there changes nothing."""
    await change_files(tx, user_id, added=added, deleted=deleted)
    await store.set_texts(tx, user_id, texts.columns())
    return await show(tx, user_id)


async def save_clients(tx: Transaction, user_id: UUID, texts: BrandTexts) -> Brand:
    """Change a client's brand texts as an admin; NotFound when there is no such account."""
    await _require_user(tx, user_id)
    return await save(tx, user_id, texts)


async def change_files(
    tx: Transaction, user_id: UUID, *, added: Additions = (), deleted: Sequence[str] = ()
) -> list[Asset]:
    """Add and delete files of a brand; all its files as they are then."""
    row = await store.lock(tx, user_id)
    before = rules.assets(row["logos"], row["style_guides"])
    after = [asset for asset in before if asset.id not in deleted]
    after += [rules.from_kept(file, kind) for file, kind in added]
    if len(after) > MAX_FILES:
        raise Invalid(f"A brand may have at most {MAX_FILES} files.", code="TOO_MANY_FILES")
    await files.attach(tx, [file for file, _ in added])
    await files.drop(tx, [asset.url for asset in before if asset.id in deleted])
    await store.set_files(tx, user_id, rules.of_kind(after, "logo"), rules.of_kind(after, "style_guide"))
    return rules.of_kind(after, "logo") + rules.of_kind(after, "style_guide")


async def _require_user(db: Executor, user_id: UUID) -> None:
    if not await store.user_exists(db, user_id):
        raise NotFound("There is no such account.")
