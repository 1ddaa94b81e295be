"""Key rotation, the slow half: what an older key has sealed is sealed again with the current one, batch by batch.

A new key in the ring is used for new values at once; this job brings the old ones along, so that the old key can be
taken out of the ring when nothing counts on it any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.crypto import TEXT_PREFIX, CannotOpen, Sealed, column_context
from shared.db.database import Database, Record, Transaction
from shared.db.migrations.encryption import SECRETS, Column, Secrets
from shared.errors import KeyUnknown

if TYPE_CHECKING:
    from shared.crypto import KeyRing

BATCH = 200
# The columns that adoption seals are the sealed columns, and these, which did not exist before.
SEALED = (
    *SECRETS,
    Secrets("email_logs", "id", "sealed_key_id", (Column("", "sealed_content", text=False),)),
    Secrets("form_pdf_artifacts", "id", "encryption_key_id", (Column("", "sealed_data_key", text=False),)),
    Secrets("form_submission_files", "id", "encryption_key_id", (Column("", "sealed_key", text=False),)),
    Secrets("oauth_withdrawals", "id", "sealed_key_id", (Column("", "sealed_token"),)),
)


@dataclass(slots=True)
class Resealed:
    """What a run did: table → rows changed, and the rows (table, key) that no key of the ring opens. They stay."""

    changed: dict[str, int] = field(default_factory=dict)
    unreadable: list[tuple[str, object]] = field(default_factory=list)


async def reseal(db: Database, ring: KeyRing) -> Resealed:
    """Seal with the current key what an older one has sealed. Each batch is a commit; a damaged row stops no other."""
    done = Resealed()
    for table in SEALED:
        done.changed.setdefault(table.table, 0)
        rows: list[Record] | None = None
        while rows is None or len(rows) == BATCH:
            async with db.transaction() as tx:
                rows = await _batch(tx, table, ring.current, after=rows[-1]["row_key"] if rows else None)
                for row in rows:
                    if await _reseal_row(tx, table, row, ring):
                        done.changed[table.table] += 1
                    else:
                        done.unreadable.append((table.table, row["row_key"]))
    await _reseal_authenticators(db, ring, done)
    return done


async def _reseal_authenticators(db: Database, ring: KeyRing, done: Resealed) -> None:
    """Authenticator apps' secrets say in their own text (``enc:1:<key id>:…``) which key sealed them."""
    name = "user_mfa_settings"
    done.changed[name] = 0
    rows = await db.fetch(
        """
        select user_id, totp_secret_encrypted as sealed from user_mfa_settings
        where starts_with(totp_secret_encrypted, $2) and split_part(totp_secret_encrypted, ':', 3) <> $1
        """,
        ring.current,
        TEXT_PREFIX,
    )
    for row in rows:
        context = column_context(name, "totp_secret_encrypted", row["user_id"])
        try:
            sealed = ring.seal_text(ring.open_text(row["sealed"], context=context), context=context)
        except (CannotOpen, KeyUnknown):
            done.unreadable.append((name, row["user_id"]))
            continue
        await db.execute(
            "update user_mfa_settings set totp_secret_encrypted = $3 where user_id = $1 and totp_secret_encrypted = $2",
            row["user_id"],
            row["sealed"],
            sealed,
        )
        done.changed[name] += 1


async def _batch(tx: Transaction, table: Secrets, current: str, *, after: object) -> list[Record]:
    columns = ", ".join(column.sealed for column in table.columns)
    return await tx.fetch(
        f"""
        select {table.row_key} as row_key, {table.key_id} as key_id, {columns} from {table.table}
        where {table.key_id} <> $1 and ($3::uuid is null or {table.row_key} > $3)
        order by {table.row_key} limit $2 for update skip locked
        """,  # noqa: S608  names are ours
        current,
        BATCH,
        after,
    )


async def _reseal_row(tx: Transaction, table: Secrets, row: Record, ring: KeyRing) -> bool:
    """Whether the row could be opened, and is sealed anew."""
    values: list[object] = []
    for column in table.columns:
        context = column_context(table.table, column.sealed, row["row_key"])
        try:
            values.append(_resealed(row[column.sealed], row["key_id"], column, ring, context))
        except (CannotOpen, KeyUnknown):
            return False
    assignments = ", ".join(f"{column.sealed} = ${index}" for index, column in enumerate(table.columns, start=3))
    await tx.execute(
        f"update {table.table} set {table.key_id} = $2, {assignments} where {table.row_key} = $1",  # noqa: S608
        row["row_key"],
        ring.current,
        *values,
    )
    return True


def _resealed(
    value: str | bytes | None, key_id: str, column: Column, ring: KeyRing, context: str
) -> str | bytes | None:
    if value is None or value == "":
        return value
    if isinstance(value, str):
        return ring.seal_text(ring.open_text(value, context=context), context=context)
    return ring.seal(ring.open(Sealed(key_id, value), context=context), context=context).data
