"""SQL over onboarding links."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from shared.crypto import Sealed
from shared.db.database import Executor, Record


async def client(db: Executor, client_id: UUID, *, lock: bool) -> Record | None:
    if lock:
        await db.execute("select from users where id = $1 for no key update", client_id)
    return await db.fetchrow(
        """
        select u.id, u.email, u.first_name, trim(u.first_name || ' ' || u.last_name) as name, u.role,
               p.onboarding_completed_at
        from users u left join client_profiles p on p.user_id = u.id where u.id = $1
        """,
        client_id,
    )


async def insert(
    db: Executor, link_id: UUID, client_id: UUID, *, token_hash: str, sealed: Sealed, expires_at: datetime, by: UUID
) -> None:
    await db.execute(
        """
        insert into client_onboarding_tokens (
            id, user_id, token_hash, token_sealed, token_key_id, expires_at, metadata)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        link_id, client_id, token_hash, sealed.data, sealed.key_id, expires_at, {"created_by": str(by)},
    )  # fmt: skip


async def revoke_open(db: Executor, client_id: UUID) -> int:
    """Revoke a client's open links; nobody need be reminded of them."""
    return await db.execute(
        """
        update client_onboarding_tokens
        set revoked_at = now(), reminder_sent_at = coalesce(reminder_sent_at, now())
        where user_id = $1 and consumed_at is null and revoked_at is null
        """,
        client_id,
    )


async def open_link(db: Executor, client_id: UUID) -> Record | None:
    return await db.fetchrow(
        """
        select id, token_sealed, token_key_id, expires_at from client_onboarding_tokens
        where user_id = $1 and consumed_at is null and revoked_at is null and expires_at > now()
        """,
        client_id,
    )


async def lock_owner(db: Executor, token_hash: str) -> None:
    """Let nobody else change the account of a link's client until the transaction ends.

    Whoever changes links holds their client's account first: two who took them in either order would wait for each
    other.
    """
    await db.execute(
        """
        select from client_onboarding_tokens t join users u on u.id = t.user_id
        where t.token_hash = $1 for no key update of u
        """,
        token_hash,
    )


async def validate(db: Executor, token_hash: str) -> Record | None:
    """Note that a valid link was used: id, user_id; None when it is not valid."""
    return await db.fetchrow(
        """
        update client_onboarding_tokens t set validated_at = now()
        from users u
        where t.token_hash = $1 and t.consumed_at is null and t.revoked_at is null and t.expires_at > now()
          and u.id = t.user_id and u.role = 'client'
        returning t.id, t.user_id
        """,
        token_hash,
    )


async def consume(db: Executor, token_hash: str) -> Record | None:
    """Use a valid link up: id, user_id; None when it is not valid."""
    return await db.fetchrow(
        """
        update client_onboarding_tokens t set consumed_at = now(), validated_at = now()
        from users u
        where t.token_hash = $1 and t.consumed_at is null and t.revoked_at is null and t.expires_at > now()
          and u.id = t.user_id and u.role = 'client'
        returning t.id, t.user_id
        """,
        token_hash,
    )


_PERSON = "u.id as user_id, u.email, u.first_name, trim(u.first_name || ' ' || u.last_name) as name"


async def next_ending(db: Executor, before: timedelta) -> Record | None:
    """An open link that ends within *before*, whose client was not reminded; the soonest first.

    Both are locked. Where somebody else holds the client's account, the next run looks at the link again.
    """
    return await db.fetchrow(
        f"""
        select t.id, t.token_sealed, t.token_key_id, t.expires_at, {_PERSON}
        from client_onboarding_tokens t join users u on u.id = t.user_id and u.role = 'client'
        left join client_profiles p on p.user_id = u.id
        where t.consumed_at is null and t.revoked_at is null and t.client_reminded_at is null
          and t.expires_at > now() and t.expires_at < now() + $1::interval and t.created_at < now() - $1::interval / 2
          and p.onboarding_completed_at is null
        order by t.expires_at limit 1 for no key update of t, u skip locked
        """,  # noqa: S608
        before,
    )


async def client_reminded(db: Executor, link_id: UUID) -> None:
    await db.execute("update client_onboarding_tokens set client_reminded_at = now() where id = $1", link_id)


async def next_ended(db: Executor) -> Record | None:
    """A link past its end that staff was not told of, whose client has not finished and has no newer one.

    Both are locked, as by ``next_ending``. ``consumed``: the client made an account with it and stopped later.
    """
    return await db.fetchrow(
        f"""
        select t.id, t.expires_at, t.consumed_at is not null as consumed, {_PERSON}
        from client_onboarding_tokens t join users u on u.id = t.user_id and u.role = 'client'
        left join client_profiles p on p.user_id = u.id
        where t.revoked_at is null and t.reminder_sent_at is null and t.expires_at < now()
          and p.onboarding_completed_at is null
          and not exists (
              select from client_onboarding_tokens n where n.user_id = t.user_id and n.created_at > t.created_at)
        order by t.expires_at limit 1 for no key update of t, u skip locked
        """  # noqa: S608
    )


async def staff_told(db: Executor, link_id: UUID) -> None:
    await db.execute("update client_onboarding_tokens set reminder_sent_at = now() where id = $1", link_id)
