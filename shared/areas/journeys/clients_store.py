"""SQL over active clients and what they agreed to. Every statement names the owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record

SAME_CLICK = timedelta(minutes=10)  # the same said again so soon, without a lead to know it by, is one agreement

# A redacted sale tells neither service nor price; "legacy_user_id" is what taking over an old database kept aside.
_CLIENT = """
    json_build_object(
        'id', a.id, 'owner_user_id', a.owner_user_id, 'client_name', a.client_name, 'client_phone', a.client_phone,
        'client_email', a.client_email, 'source', a.source, 'funnel_data', a.funnel_data - 'legacy_user_id',
        'status', a.status, 'created_at', iso(a.created_at), 'updated_at', iso(a.updated_at),
        'archived_at', iso(a.archived_at), 'journey_id', j.id, 'journey_status', j.status,
        'journey_paused', j.paused, 'journey_symptoms', j.symptoms, 'journey_next_action_at', iso(j.next_action_at),
        'agreed_date', iso(sold.first), 'services', coalesce(sold.services, '[]')
    )
"""
_FROM = """
    from active_clients a
    left join lateral (
        select id, status, paused, symptoms, next_action_at from client_journeys
        where active_client_id = a.id and owner_user_id = a.owner_user_id
        order by archived_at is not null, created_at desc, id limit 1
    ) j on true
    left join lateral (
        select min(cs.agreed_date) as first, json_agg(json_build_object(
            'id', cs.id, 'service_id', sv.id, 'service_name', sv.name,
            'agreed_price', case when cs.redacted_at is null then cs.agreed_price end,
            'agreed_date', iso(cs.agreed_date), 'redacted_at', iso(cs.redacted_at))
            order by cs.agreed_date, cs.created_at, cs.id) as services
        from client_services cs left join services sv on sv.id = cs.service_id and cs.redacted_at is null
        where cs.active_client_id = a.id
    ) sold on true
"""


async def clients(db: Executor, owner: UUID, *, archived: bool) -> str:
    """Active clients newest first, as a JSON list: those in the archive, or the others."""
    text: str = await db.fetchval(
        f"""
        select coalesce(json_agg({_CLIENT} order by a.created_at desc, a.id), '[]')::text {_FROM}
        where a.owner_user_id = $1 and (a.archived_at is not null) = $2
        """,
        owner,
        archived,
    )
    return text


async def client(db: Executor, owner: UUID, client_id: UUID) -> str | None:
    text: str | None = await db.fetchval(
        f"select {_CLIENT}::text {_FROM} where a.owner_user_id = $1 and a.id = $2",
        owner,
        client_id,
    )
    return text


async def find(db: Executor, owner: UUID, client_id: UUID) -> Record | None:
    return await db.fetchrow(
        """
        select id, client_name, client_phone, client_email, source, funnel_data, archived_at
        from active_clients where owner_user_id = $1 and id = $2
        """,
        owner, client_id,
    )  # fmt: skip


async def find_by_number(db: Executor, owner: UUID, number: str | None) -> Record | None:
    """The active client with a telephone number, however it is written; those in the archive come last."""
    return await db.fetchrow(
        """
        select id, client_name, client_phone, client_email, source, funnel_data, archived_at
        from active_clients where owner_user_id = $1 and phone_key(client_phone) = phone_key($2)
        order by archived_at is not null, created_at desc limit 1
        """,
        owner, number,
    )  # fmt: skip


async def find_recent(db: Executor, owner: UUID, who: Mapping[str, str | None]) -> Record | None:
    """The active client of the same name, number and address who was made by the same click a moment ago."""
    return await db.fetchrow(
        """
        select id, client_name, client_phone, client_email, source, funnel_data, archived_at
        from active_clients
        where owner_user_id = $1 and client_name is not distinct from $2 and client_phone is not distinct from $3
          and client_email is not distinct from $4 and archived_at is null and created_at > now() - $5::interval
        order by created_at desc limit 1
        """,
        owner, who["client_name"], who["client_phone"], who["client_email"], SAME_CLICK,
    )  # fmt: skip


async def insert(db: Executor, owner: UUID, columns: Mapping[str, Any]) -> UUID:
    """A new active client; the columns' names are ours, never a caller's."""
    values = ", ".join(f"${index}" for index in range(2, 2 + len(columns)))
    created: UUID = await db.fetchval(
        f"insert into active_clients (owner_user_id, {', '.join(columns)}) values ($1, {values}) returning id",  # noqa: S608
        owner,
        *columns.values(),
    )
    return created


async def set_columns(db: Executor, owner: UUID, client_id: UUID, columns: Mapping[str, Any]) -> None:
    """Write columns; their names are ours, never a caller's."""
    assignments = "".join(f"{name} = ${index}, " for index, name in enumerate(columns, start=3))
    await db.execute(
        f"update active_clients set {assignments}updated_at = now() where owner_user_id = $1 and id = $2",  # noqa: S608
        owner,
        client_id,
        *columns.values(),
    )


async def owned_services(db: Executor, owner: UUID, services: Sequence[UUID]) -> int:
    """How many of these services are the owner's."""
    found: int = await db.fetchval(
        "select count(*) from services where user_id = $1 and id = any($2)", owner, list(services)
    )
    return found


async def add_sales(
    db: Executor,
    client_id: UUID,
    lead_key: str | None,
    prices: Mapping[UUID, tuple[Decimal | None, datetime | None]],
) -> None:
    """Record what was agreed to: a lead agrees to a service once, and saying it again only corrects the price."""
    await db.execute(
        """
        insert into client_services as s (active_client_id, service_id, agreed_price, agreed_date, lead_call_key)
        select $1, g.service_id, g.price, coalesce(g.agreed_at, now()), $2::text
        from unnest($3::uuid[], $4::numeric[], $5::timestamptz[]) as g (service_id, price, agreed_at)
        where $2::text is not null or not exists (
            select from client_services c
            where c.active_client_id = $1 and c.service_id = g.service_id and c.lead_call_key is null
              and c.agreed_price is not distinct from g.price and c.created_at > now() - $6::interval
              and (g.agreed_at is null or c.agreed_date = g.agreed_at))
        on conflict (active_client_id, service_id, lead_call_key) where lead_call_key is not null
            do update set agreed_price = coalesce(excluded.agreed_price, s.agreed_price)
        """,
        client_id,
        lead_key,
        list(prices),
        [price for price, _ in prices.values()],
        [date for _, date in prices.values()],
        SAME_CLICK,
    )


async def convert_journeys(
    db: Executor, owner: UUID, client_id: UUID, *, lead_key: str | None, number: str | None, services: Sequence[UUID]
) -> None:
    """Give the client the live journeys of the lead, and those of their number that are nobody's yet.

    Of these, and of the client's own, those for a service agreed to, or for none in particular, have reached their end;
    one for another service goes on.
    """
    await db.execute(
        """
        update client_journeys set active_client_id = $2, updated_at = now(),
            status = case when status <> 'won' and (service_id is null or service_id = any($5))
                          then 'active_client' else status end
        where owner_user_id = $1 and archived_at is null and status <> 'archived' and (
            lead_call_key = $3 or active_client_id = $2 and service_id = any($5)
            or active_client_id is null and (lead_call_key is null or $3::text is null)
               and phone_key(client_phone) = phone_key($4))
        """,
        owner, client_id, lead_key, number, list(services),
    )  # fmt: skip


async def archive(db: Executor, owner: UUID, client_id: UUID) -> Record | None:
    """Put a client into the archive, once, with their journeys; ``client_phone``, None when there is no such client.

    A journey that goes with its client has the client's time of archiving, by which it is found again.
    """
    return await db.fetchrow(
        """
        with client as (
            update active_clients set archived_at = coalesce(archived_at, now()), updated_at = now()
            where owner_user_id = $1 and id = $2 returning id, client_phone, archived_at
        ), journeys as (
            update client_journeys j set archived_at = client.archived_at, updated_at = now(),
                status = case when j.status in ('pending', 'in_progress') then 'archived' else j.status end
            from client
            where j.owner_user_id = $1 and j.active_client_id = client.id and j.archived_at is null
            returning j.client_phone
        )
        select client_phone, array(select client_phone from journeys) as others from client
        """,
        owner, client_id,
    )  # fmt: skip


async def restore(db: Executor, owner: UUID, client_id: UUID) -> Record | None:
    """Take a client out of the archive, with the journeys that went there with them; as ``archive``."""
    return await db.fetchrow(
        """
        with client as (
            select id, client_phone, archived_at from active_clients where owner_user_id = $1 and id = $2 for update
        ), back as (
            update active_clients a set archived_at = null, updated_at = now()
            from client where a.id = client.id and client.archived_at is not null
        ), journeys as (
            update client_journeys j set archived_at = null, updated_at = now(),
                status = case when j.status = 'archived' then 'in_progress' else j.status end
            from client
            where j.owner_user_id = $1 and j.active_client_id = client.id and j.archived_at = client.archived_at
            returning j.client_phone
        )
        select client_phone, array(select client_phone from journeys) as others from client
        """,
        owner, client_id,
    )  # fmt: skip


# Redaction, for one owner or (None) for all; so many rows at a time, so that a first run over years keeps its limit.


async def redact_services(db: Executor, owner: UUID | None, *, kept_for: timedelta, at_most: int) -> int:
    """Empty old sales of service and price, and what the funnel told of clients who have no other; how many sales.

    A client who is being changed is passed over until the next time: nobody waits for anybody here.
    """
    redacted: int = await db.fetchval(
        """
        with old as (
            select cs.id from client_services cs join active_clients a on a.id = cs.active_client_id
            where (cs.redacted_at is null or cs.service_id is not null) and cs.agreed_date < now() - $2::interval
              and ($1::uuid is null or a.owner_user_id = $1)
            order by cs.id limit $3 for update of cs, a skip locked
        ), redacted as (
            update client_services cs
            set redacted_at = coalesce(cs.redacted_at, now()), service_id = null, agreed_price = null
            from old where cs.id = old.id returning cs.id, cs.active_client_id
        ), emptied as (
            update active_clients a set updated_at = now(), funnel_data =
                coalesce((select jsonb_object_agg(key, value) from jsonb_each(a.funnel_data)
                          where key = 'legacy_user_id'), '{}')
            where a.id in (select active_client_id from redacted) and not exists (
                select from client_services cs where cs.active_client_id = a.id and cs.redacted_at is null
                    and cs.id not in (select id from redacted))
        )
        select count(*)::int from redacted
        """,
        owner, kept_for, at_most,
    )  # fmt: skip
    return redacted


async def redact_journeys(db: Executor, owner: UUID | None, *, kept_for: timedelta, at_most: int) -> int:
    """Empty the concerns of old journeys, in the archive too; how many journeys."""
    return await db.execute(
        """
        update client_journeys j set symptoms = '[]', symptoms_redacted = true
        from (
            select id from client_journeys
            where (not symptoms_redacted or symptoms <> '[]') and created_at < now() - $2::interval
              and ($1::uuid is null or owner_user_id = $1)
            order by id limit $3 for update skip locked
        ) old
        where j.id = old.id
        """,
        owner, kept_for, at_most,
    )  # fmt: skip
