"""SQL over notices. Every statement names whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.areas.notifications.models import Notice
from shared.db.database import Executor, Record


async def insert(db: Executor, user_ids: Sequence[UUID], notice: Notice) -> list[Record]:
    """One notice for each user: id, user_id, email, name of those who exist."""
    return await db.fetch(
        """
        with given as (
            insert into notifications (user_id, title, body, link_url, meta)
            select u.id, $2, nullif($3, ''), nullif($4, ''), $5 from users u where u.id = any($1)
            returning id, user_id
        )
        select g.id, g.user_id, u.email, trim(u.first_name || ' ' || u.last_name) as name
        from given g join users u on u.id = g.user_id
        """,
        list(user_ids), notice.title, notice.body, notice.link, notice.meta,
    )  # fmt: skip


async def head_staff(db: Executor) -> list[UUID]:
    """Every superadmin; where there is none, every admin."""
    rows = await db.fetch(
        """
        select id from users where role = case
            when exists (select from users where role = 'superadmin') then 'superadmin' else 'admin' end
        """
    )
    return [row["id"] for row in rows]


async def page(db: Executor, user_id: UUID, *, limit: int) -> str:
    """``{"notifications": […], "unread": n}`` as JSON text, newest first; ``unread`` counts all."""
    text: str = await db.fetchval(
        """
        select json_build_object(
            'notifications', coalesce(json_agg(json_build_object(
                'id', id, 'title', title, 'body', body, 'link_url', link_url, 'status', status, 'meta', meta,
                'created_at', iso(created_at), 'read_at', iso(read_at)
            ) order by created_at desc, id), '[]'),
            'unread', (select count(*) from notifications where user_id = $1 and status = 'unread')
        )::text
        from (select * from notifications where user_id = $1 order by created_at desc, id limit $2) newest
        """,
        user_id,
        limit,
    )
    return text


async def mark_read(db: Executor, user_id: UUID, notice_id: UUID) -> bool:
    """Whether the user has this notice; it is read now, since the first time it was marked."""
    return bool(
        await db.execute(
            """
            update notifications set status = 'read', read_at = coalesce(read_at, now())
            where id = $2 and user_id = $1
            """,
            user_id,
            notice_id,
        )
    )


async def mark_all_read(db: Executor, user_id: UUID) -> int:
    return await db.execute(
        "update notifications set status = 'read', read_at = now() where user_id = $1 and status = 'unread'", user_id
    )
