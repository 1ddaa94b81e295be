"""SQL over profiles and avatars."""

from __future__ import annotations

from uuid import UUID

from shared.areas.clients.models import ACCESS_FLAGS
from shared.db.database import Executor, Record

_FLAGS = ", ".join(f"'{name}', coalesce(p.{name}, false)" for name in ACCESS_FLAGS)


async def profile(db: Executor, user_id: UUID) -> str | None:
    """§Profile as JSON text; None when there is no such user."""
    text: str | None = await db.fetchval(
        f"""
        select (jsonb_build_object(
            'id', u.id, 'first_name', u.first_name, 'last_name', u.last_name, 'email', u.email, 'role', u.role,
            'avatar_url', u.avatar_url, 'created_at', iso(u.created_at), 'updated_at', iso(u.updated_at)
        ) || case when u.role = 'client' then jsonb_build_object(
            'monthly_revenue_goal', p.monthly_revenue_goal::text, 'client_type', p.client_type,
            'client_subtype', p.client_subtype, 'client_package', p.client_package,
            'website_forms_notes', p.website_forms_notes, {_FLAGS}
        ) else '{{}}' end)::text
        from users u left join client_profiles p on p.user_id = u.id where u.id = $1
        """,  # noqa: S608  the columns are ours
        user_id,
    )
    return text


async def looker_url(db: Executor, user_id: UUID) -> str | None:
    url: str | None = await db.fetchval(
        "select nullif(looker_url, '') from client_profiles where user_id = $1", user_id
    )
    return url


async def avatar(db: Executor, user_id: UUID) -> Record | None:
    """Where a user's avatar is (file_id), or the old server's bytes."""
    return await db.fetchrow("select file_id, bytes from user_avatars where user_id = $1", user_id)


async def set_avatar(db: Executor, user_id: UUID, file_id: UUID, *, content_type: str, url: str) -> UUID | None:
    """Make a file the user's avatar; the id of the file before. The user is locked, so that two see each other."""
    await db.execute("select from users where id = $1 for no key update", user_id)
    before: UUID | None = await db.fetchval("select file_id from user_avatars where user_id = $1", user_id)
    await db.execute(
        """
        insert into user_avatars (user_id, content_type, bytes, file_id) values ($1, $2, null, $3)
        on conflict (user_id) do update
            set content_type = excluded.content_type, bytes = null, file_id = excluded.file_id, updated_at = now()
        """,
        user_id,
        content_type,
        file_id,
    )
    await db.execute("update users set avatar_url = $2, updated_at = now() where id = $1", user_id, url)
    return before
