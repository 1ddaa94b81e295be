"""SQL over the settings of monday.com, who is who there, and a client's boards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.areas.monday.models import Person
from shared.db.database import Executor, Record


async def settings(db: Executor) -> dict[str, Any]:
    """What superadmins set; empty when nobody did."""
    found: dict[str, Any] | None = await db.fetchval("select value from app_settings where key = 'monday'")
    return found or {}


async def save_settings(db: Executor, changes: dict[str, Any]) -> dict[str, Any]:
    """Merge *changes* into the settings; the whole of them."""
    merged: dict[str, Any] = await db.fetchval(
        """
        insert into app_settings as s (key, value) values ('monday', $1)
        on conflict (key) do update set value = s.value || excluded.value, updated_at = now()
        returning value
        """,
        changes,
    )
    return merged


def _groups(profile: str) -> str:
    """A client's groups at monday.com, as an array."""
    columns = ("monday_group_id", "monday_active_group_id", "monday_completed_group_id")
    known = ", ".join(f"nullif({profile}.{column}, '')" for column in columns)
    return f"array_remove(array[{known}], null)"


# Profiles of clients whose board here and whose board and group at monday.com are all known
SYNCED = "p.task_board_id is not null and p.monday_board_id <> '' and p.monday_group_id <> ''"

# board, board here, groups
PLACE = f"array[p.monday_board_id, p.task_board_id::text] || {_groups('p')}"

# groups: those of a client at monday.com; shared: another client uses one of them
CLIENT = f"""
    select p.user_id, p.monday_board_id, p.monday_group_id, p.monday_active_group_id, p.monday_completed_group_id,
           p.client_identifier_value, p.account_manager_person_id, p.task_board_id,
           {_groups("p")} as groups, {PLACE} as place,
           exists (select from client_profiles o where o.monday_board_id = p.monday_board_id and o.user_id <> p.user_id
                   and {_groups("o")} && {_groups("p")}) as shared
    from client_profiles p"""  # noqa: S608


async def client(db: Executor, client_id: UUID) -> Record | None:
    """A client's board, groups and identifier there; ``shared``: another client uses one of the same groups."""
    return await db.fetchrow(f"{CLIENT} where p.user_id = $1", client_id)


async def save_people(db: Executor, people: Sequence[Person]) -> None:
    """Keep who is who, in place of what was known; an account without anybody is not believed."""
    if not people:
        return
    await db.execute(
        """
        with told as (
            insert into monday_people (id, name, email)
            select distinct on (id) id, name, lower(btrim(email))
            from unnest($1::text[], $2::text[], $3::text[]) as person (id, name, email)
            on conflict (id) do update set name = excluded.name, email = excluded.email, seen_at = now()
        )
        delete from monday_people where id <> all($1)
        """,
        [one.id for one in people], [one.name for one in people], [one.email for one in people],
    )  # fmt: skip


async def people_are_due(db: Executor) -> bool:
    """Whether somebody has an account manager, and who is who was not asked since yesterday."""
    return bool(
        await db.fetchval(
            """
            select exists (select from client_profiles where account_manager_person_id <> '')
               and not exists (select from monday_people where seen_at > now() - interval '20 hours')
            """
        )
    )


async def account_manager(db: Executor, client_id: UUID) -> UUID | None:
    """Our user with the address that the client's account manager has at monday.com; staff only."""
    found: UUID | None = await db.fetchval(
        """
        select u.id from client_profiles p
        join monday_people m on m.id = p.account_manager_person_id and m.email <> ''
        join users u on u.email = m.email and u.role in ('superadmin', 'admin', 'editor', 'team')
        where p.user_id = $1
        """,
        client_id,
    )
    return found


async def oldest_admin(db: Executor) -> UUID | None:
    found: UUID | None = await db.fetchval(
        """
        select id from users where role in ('admin', 'editor', 'superadmin')
        order by role = 'superadmin', created_at, id limit 1
        """
    )
    return found


async def person(db: Executor, user_id: UUID) -> Record | None:
    """email, name"""
    return await db.fetchrow(
        "select email, trim(first_name || ' ' || last_name) as name from users where id = $1", user_id
    )
