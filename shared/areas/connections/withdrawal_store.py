"""SQL over consents that wait to be withdrawn at their vendor."""

from __future__ import annotations

from uuid import UUID

from shared.db.database import Executor, Record


async def insert(db: Executor, withdrawal_id: UUID, connection: Record, sealed_token: str, key_id: str) -> None:
    await db.execute(
        """
        insert into oauth_withdrawals (id, oauth_connection_id, provider, provider_account_id, external_metadata,
                                       sealed_token, sealed_key_id)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        withdrawal_id, connection["id"], connection["provider"], connection["provider_account_id"],
        {**connection["external_metadata"], "token_type": connection["token_type"]}, sealed_token, key_id,
    )  # fmt: skip


async def call_off(db: Executor, provider: str, account_id: str) -> None:
    """The account is connected again before its consent was withdrawn."""
    await db.execute(
        """
        update oauth_withdrawals set done_at = now(), outcome = 'connected again', sealed_token = null,
            sealed_key_id = null
        where provider = $1 and provider_account_id = $2 and done_at is null
        """,
        provider,
        account_id,
    )


async def waiting(db: Executor, withdrawal_id: UUID) -> Record | None:
    """A withdrawal that is not done, and whether another client's live connection stands on the same consent."""
    return await db.fetchrow(
        """
        select w.id, w.provider, w.external_metadata, w.sealed_token, exists (
            select from oauth_connections c
            where c.provider = w.provider and c.provider_account_id = w.provider_account_id
              and c.is_connected and c.revoked_at is null and c.removed_at is null
              and c.external_metadata ->> 'username' is not distinct from w.external_metadata ->> 'username'
        ) as still_used
        from oauth_withdrawals w where w.id = $1 and w.done_at is null and w.sealed_token is not null
        """,
        withdrawal_id,
    )


async def finish(db: Executor, withdrawal_id: UUID, outcome: str) -> None:
    """The token is of no more use: forget it."""
    await db.execute(
        """
        update oauth_withdrawals set done_at = now(), outcome = $2, sealed_token = null, sealed_key_id = null
        where id = $1 and done_at is null
        """,
        withdrawal_id,
        outcome,
    )
