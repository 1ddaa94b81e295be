"""SQL over the brand. A client has one current row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.areas.brand.models import Asset
from shared.db.database import Executor, Record


async def find(db: Executor, user_id: UUID) -> Record | None:
    return await db.fetchrow(
        """
        select id, user_id, business_name, business_description, primary_brand_colors, logos, style_guides,
               brand_notes, website_url, iso(updated_at) as updated_at
        from brand_assets where user_id = $1 and superseded_at is null
        """,
        user_id,
    )


async def lock(db: Executor, user_id: UUID) -> Record:
    """The client's row, made if there is none, and nobody else's until the transaction ends."""
    await db.execute(
        "insert into brand_assets (user_id) values ($1) on conflict (user_id) where superseded_at is null do nothing",
        user_id,
    )
    row = await db.fetchrow(
        "select logos, style_guides from brand_assets where user_id = $1 and superseded_at is null for update", user_id
    )
    assert row is not None, "it was made if it was missing"
    return row


async def set_texts(db: Executor, user_id: UUID, columns: Mapping[str, Any]) -> None:
    """Write text columns; their names are the fields of BrandTexts."""
    if not columns:
        return
    assignments = ", ".join(f"{name} = ${index}" for index, name in enumerate(columns, start=2))
    await db.execute(
        f"update brand_assets set {assignments}, updated_at = now() where user_id = $1 and superseded_at is null",  # noqa: S608
        user_id,
        *columns.values(),
    )


async def set_files(db: Executor, user_id: UUID, logos: list[Asset], style_guides: list[Asset]) -> None:
    await db.execute(
        """
        update brand_assets set logos = $2, style_guides = $3, updated_at = now()
        where user_id = $1 and superseded_at is null
        """,
        user_id,
        [asset.model_dump() for asset in logos],
        [asset.model_dump() for asset in style_guides],
    )


async def user_exists(db: Executor, user_id: UUID) -> bool:
    return bool(await db.fetchval("select true from users where id = $1", user_id))
