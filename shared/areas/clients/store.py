"""SQL over accounts, their profiles and their services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.areas.clients.models import ACCESS_FLAGS, REQUIRES
from shared.areas.clients.rules import ServiceChanges, ServiceItem
from shared.db.database import Executor, Record

_TEXTS = (
    *("looker_url", "client_package", "call_tracking_main_number", "front_desk_emails", "office_admin_name"),
    *("office_admin_email", "office_admin_phone", "form_email_recipients", "website_access_status"),
    *("ga4_access_status", "google_ads_access_status", "meta_access_status", "website_forms_details_status"),
    *("google_ads_account_id", "website_forms_notes", "monday_board_id", "monday_group_id", "monday_active_group_id"),
    *("monday_completed_group_id", "client_identifier_value", "task_workspace_id", "task_board_id", "board_prefix"),
    *("account_manager_person_id", "ctm_account_number", "ctm_last_page_token", "ai_prompt", "client_type"),
    *("client_subtype", "onboarding_draft_json"),
)
_FLAGS = ", ".join(
    f"coalesce(p.{name}, false) as {name}" for name in (*ACCESS_FLAGS, "auto_star_enabled", "reviews_enabled")
)
_SWITCHES = ", ".join(f"coalesce(p.{name}, true) as {name}" for name in REQUIRES)
_TIMES = (
    *("ctm_sync_cursor", "onboarding_completed_at", "activated_at", "onboarding_draft_saved_at"),
    *("reviews_last_sync_at", "created_at", "updated_at"),
)
# §Client: CTM's key and secret are named but never sent; ctm_credentials_set says whether they are there.
CLIENT = f"""
    u.id, u.first_name, u.last_name, u.email, u.role, u.id as user_id,
    {", ".join(f"p.{name}" for name in _TEXTS)}, {_FLAGS}, {_SWITCHES},
    {", ".join(f"iso(p.{name}) as {name}" for name in _TIMES)},
    null as ctm_api_key, null as ctm_api_secret,
    coalesce(p.ctm_api_key <> '' and p.ctm_api_secret <> '', false) as ctm_credentials_set,
    p.monthly_revenue_goal::text as monthly_revenue_goal, p.reviews_average_rating::text as reviews_average_rating,
    coalesce(p.reviews_total_count, 0) as reviews_total_count,
    coalesce(p.reviews_pending_response_count, 0) as reviews_pending_response_count
"""
_SERVICE = """
    'id', s.id, 'user_id', s.user_id, 'name', s.name, 'description', s.description,
    'base_price', s.base_price::text, 'active', s.active, 'created_at', iso(s.created_at),
    'updated_at', iso(s.updated_at)
"""


async def list_clients(db: Executor, *, default_prompt: str) -> str:
    """``{"clients": […]}`` as JSON text, newest first; superadmins are not listed."""
    text: str = await db.fetchval(
        f"""
        select json_build_object('clients', coalesce(json_agg(row_to_json(c) order by c.position), '[]'))::text
        from (
            select row_number() over (order by u.created_at desc, u.id) as position, {CLIENT}, b.business_name
            from users u left join client_profiles p on p.user_id = u.id
            left join brand_assets b on b.user_id = u.id and b.superseded_at is null
            where u.role in ('client', 'editor', 'admin', 'team')
        ) c
        """.replace("p.ai_prompt,", "coalesce(nullif(p.ai_prompt, ''), $1) as ai_prompt,"),  # noqa: S608
        default_prompt,
    )
    return text


async def client(db: Executor, user_id: UUID, *, default_prompt: str | None) -> str | None:
    """§Client as JSON text; None when there is no such user."""
    text: str | None = await db.fetchval(
        f"""
        select row_to_json(c)::text from (
            select {CLIENT} from users u left join client_profiles p on p.user_id = u.id where u.id = $1
        ) c
        """.replace("p.ai_prompt,", "coalesce(nullif(p.ai_prompt, ''), $2::text) as ai_prompt,"),  # noqa: S608
        user_id,
        default_prompt,
    )
    return text


async def account(db: Executor, user_id: UUID, *, lock: bool = False) -> Record | None:
    """An account with the states of its onboarding; locked, nobody else changes it until the transaction ends."""
    if lock:
        await db.execute("select from users where id = $1 for no key update", user_id)
    return await db.fetchrow(
        """
        select u.id, u.email, u.first_name, u.last_name, trim(u.first_name || ' ' || u.last_name) as name,
               coalesce(nullif(case u.role when 'editor' then 'admin' else u.role end, ''), 'client') as role,
               u.password_hash, p.onboarding_completed_at, p.activated_at, p.task_board_id, p.client_identifier_value,
               p.task_workspace_id, p.board_prefix
        from users u left join client_profiles p on p.user_id = u.id where u.id = $1
        """,
        user_id,
    )


async def id_of_email(db: Executor, email: str) -> UUID | None:
    found: UUID | None = await db.fetchval("select id from users where lower(email) = $1", email)
    return found


async def set_email(db: Executor, user_id: UUID, email: str) -> bool:
    """Give a user another address, unproven; False, and a transaction that is lost, when it is somebody else's."""
    import asyncpg

    try:
        await db.execute(
            "update users set email = $2, email_verified_at = null, updated_at = now() where id = $1", user_id, email
        )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def insert_user(db: Executor, *, email: str, first_name: str, last_name: str, role: str) -> UUID | None:
    """A new account without a password; None when the address is taken."""
    created: UUID | None = await db.fetchval(
        """
        insert into users (email, first_name, last_name, role) values ($1, $2, $3, $4)
        on conflict (lower(email)) do nothing returning id
        """,
        email, first_name, last_name, role,
    )  # fmt: skip
    return created


async def ensure_profile(db: Executor, user_id: UUID) -> None:
    await db.execute("insert into client_profiles (user_id) values ($1) on conflict do nothing", user_id)


async def set_columns(db: Executor, table: str, user_id: UUID, columns: Mapping[str, Any]) -> None:
    """Write columns of ``users`` or ``client_profiles``; their names are ours, never a caller's."""
    if not columns:
        return
    key = {"users": "id", "client_profiles": "user_id"}[table]
    assignments = ", ".join(f"{name} = ${index}" for index, name in enumerate(columns, start=2))
    await db.execute(
        f"update {table} set {assignments}, updated_at = now() where {key} = $1",  # noqa: S608
        user_id,
        *columns.values(),
    )


async def superadmins(db: Executor) -> list[UUID]:
    """All superadmins, locked: two transactions cannot each remove the last but one."""
    rows = await db.fetch("select id from users where role = 'superadmin' order by id for no key update")
    return [row["id"] for row in rows]


async def old_addresses(db: Executor, user_id: UUID) -> list[str]:
    """The file addresses that a user's documents and brand hold."""
    rows = await db.fetch(
        """
        select url from documents where user_id = $1 and url is not null
        union select file ->> 'url' from brand_assets b, jsonb_array_elements(
            case jsonb_typeof(b.logos) when 'array' then b.logos else '[]' end
            || case jsonb_typeof(b.style_guides) when 'array' then b.style_guides else '[]' end) file
        where b.user_id = $1
        """,
        user_id,
    )
    return [row["url"] for row in rows if row["url"]]


async def delete_user(db: Executor, user_id: UUID) -> None:
    await db.execute("delete from users where id = $1", user_id)


async def delete_board(db: Executor, board_id: UUID) -> bool:
    return bool(await db.execute("delete from task_boards where id = $1", board_id))


async def activate(db: Executor, user_id: UUID) -> bool:
    """Whether the client became active now; False when they were."""
    return bool(
        await db.execute(
            """
            update client_profiles set activated_at = now(), updated_at = now()
            where user_id = $1 and activated_at is null
            """,
            user_id,
        )
    )


# --- the client's task board ------------------------------------------------------------------------------------------


async def workspace_exists(db: Executor, workspace_id: UUID) -> bool:
    return bool(await db.fetchval("select true from task_workspaces where id = $1", workspace_id))


async def create_board(db: Executor, workspace_id: UUID, *, name: str, prefix: str | None, by: UUID) -> UUID:
    """A board with the one group ``Main``."""
    board_id: UUID = await db.fetchval(
        """
        with board as (
            insert into task_boards (workspace_id, name, board_prefix, created_by) values ($1, $2, $3, $4) returning id
        ), main as (
            insert into task_groups (board_id, name) select id, 'Main' from board
        )
        select id from board
        """,
        workspace_id, name, prefix, by,
    )  # fmt: skip
    return board_id


async def rename_board(db: Executor, board_id: UUID, workspace_id: UUID, *, name: str, prefix: str | None) -> None:
    await db.execute(
        "update task_boards set name = $3, board_prefix = $4, workspace_id = $2 where id = $1",
        board_id, workspace_id, name, prefix,
    )  # fmt: skip


# --- services ---------------------------------------------------------------------------------------------------------


async def services(db: Executor, owner_id: UUID) -> str:
    """A JSON list of §Service by name."""
    text: str = await db.fetchval(
        f"""
        select coalesce(json_agg(json_build_object({_SERVICE}) order by lower(s.name), s.id), '[]')::text
        from services s where s.user_id = $1
        """,  # noqa: S608  the columns are ours
        owner_id,
    )
    return text


async def service_rows(db: Executor, owner_id: UUID) -> list[tuple[UUID, str, bool]]:
    rows = await db.fetch("select id, name, active from services where user_id = $1 order by created_at, id", owner_id)
    return [(row["id"], row["name"], row["active"]) for row in rows]


async def save_services(db: Executor, owner_id: UUID, changes: ServiceChanges, *, keep_details: bool) -> None:
    """Write what ``rules.merged`` decided; with *keep_details* rows keep a description or price not given."""
    keep = "coalesce({new}, s.{old})" if keep_details else "{new}"
    await db.execute(
        f"""
        update services s set name = c.name, description = {keep.format(new="c.description", old="description")},
            base_price = {keep.format(new="c.base_price", old="base_price")}, active = c.active, updated_at = now()
        from unnest($2::uuid[], $3::text[], $4::text[], $5::numeric[], $6::bool[])
            as c (id, name, description, base_price, active)
        where s.id = c.id and s.user_id = $1
        """,  # noqa: S608
        owner_id,
        [row_id for row_id, _ in changes.updates],
        *_columns([item for _, item in changes.updates]),
    )
    await insert_services(db, owner_id, changes.inserts)
    await db.execute(
        "update services set active = false, updated_at = now() where user_id = $1 and id = any($2)",
        owner_id,
        changes.deactivations,
    )


async def insert_services(db: Executor, owner_id: UUID, items: Sequence[ServiceItem]) -> list[Any]:
    """New services; §Service of each."""
    rows = await db.fetch(
        f"""
        with s as (
            insert into services (user_id, name, description, base_price, active)
            select $1, c.name, c.description, c.base_price, c.active
            from unnest($2::text[], $3::text[], $4::numeric[], $5::bool[]) as c (name, description, base_price, active)
            returning *
        )
        select json_build_object({_SERVICE}) as row from s
        """,  # noqa: S608  the columns are ours
        owner_id,
        *_columns(items),
    )
    return [row["row"] for row in rows]


async def take_up_service(db: Executor, owner_id: UUID, item: ServiceItem) -> str | None:
    """The inactive service of this name, active again with these details, or the very same one; None when new."""
    text: str | None = await db.fetchval(
        f"""
        with s as (
            update services set name = $2, description = $3, base_price = $4, active = $5, updated_at = now()
            where id = (
                select id from services
                where user_id = $1 and lower(name) = lower($2) and (not active or active = $5
                    and (description, base_price) is not distinct from ($3::text, $4::numeric(10, 2)))
                order by active desc, created_at limit 1)
            returning *
        )
        select json_build_object({_SERVICE})::text from s
        """,  # noqa: S608  the columns are ours
        owner_id, item.name, item.description, item.base_price, item.active,
    )  # fmt: skip
    return text


async def update_service(db: Executor, owner_id: UUID, service_id: UUID, columns: Mapping[str, Any]) -> str | None:
    """Write columns, whose names are ours; §Service as JSON, None when it is not the owner's."""
    assignments = "".join(f"{name} = ${index}, " for index, name in enumerate(columns, start=3))
    text: str | None = await db.fetchval(
        f"""
        with s as (
            update services set {assignments}updated_at = now() where user_id = $1 and id = $2 returning *
        )
        select json_build_object({_SERVICE})::text from s
        """,  # noqa: S608  the columns are ours
        owner_id, service_id, *columns.values(),
    )  # fmt: skip
    return text


def _columns(items: Sequence[ServiceItem]) -> tuple[list[Any], ...]:
    return (
        [item.name for item in items],
        [item.description for item in items],
        [item.base_price for item in items],
        [item.active for item in items],
    )
