"""What people say on an item, whom they mention, and who has seen it. Source: spec api-tasks §6."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.areas.emails.telling import Telling
from shared.areas.tasks import access, rules, shapes
from shared.areas.tasks.models import PostUpdate
from shared.areas.tasks.telling import POSTS, tell
from shared.db import counters
from shared.db.database import Executor, Record, Transaction
from shared.errors import NotFound


async def list_of_item(db: Executor, user_id: UUID, item_id: UUID) -> str:
    """``{"updates": […]}``, newest first."""
    return await access.read(
        db, "item", user_id, item_id,
        """
        select json_build_object('updates', (
            select coalesce(json_agg(json_build_object({update}, 'author_name', {name})
                order by p.created_at desc, p.id), '[]')
            from task_updates p left join users u on u.id = p.user_id where p.item_id = seen.id))::text from seen
        """,
    )  # fmt: skip


async def post(tx: Transaction, user_id: UUID, item_id: UUID, wanted: PostUpdate, telling: Telling) -> str:
    """``{"update": …}``. Whoever it mentions by @ and their address hears of it: staff, and the workspace's members."""
    item = await access.item(tx, user_id, item_id, lock="keep")
    answer = await shapes.text(
        tx,
        """
        with p as (
            insert into task_updates (item_id, user_id, content) values ($1, $2, $3) returning *
        ) select json_build_object('update', json_build_object({update}))::text from p
        """,
        item_id, user_id, wanted.content,
    )  # fmt: skip
    await _tell_mentioned(tx, user_id, item, wanted.content, telling)
    return answer


async def _tell_mentioned(tx: Transaction, user_id: UUID, item: Record, content: str, telling: Telling) -> None:
    addresses = rules.mentions(content)
    if not addresses:
        return
    mentioned = await tx.fetch(
        shapes.sql("""
        select u.id from users u where lower(u.email) = any($1) and u.id <> $2 and (u.role in {staff} or exists (
            select from task_workspace_memberships m where m.workspace_id = $3 and m.user_id = u.id))
        """),
        addresses, user_id, item["workspace_id"],
    )  # fmt: skip
    meta = {"source": "task_mention", "actor_user_id": str(user_id)}
    await tell(tx, [row["id"] for row in mentioned], "You were mentioned in an update", item, meta, telling)


async def may_post(db: Executor, user_id: UUID) -> None:
    """TooManyRequests for one who posts faster than a person does."""
    await counters.spend(db, (POSTS, str(user_id)))


async def mark_viewed(tx: Transaction, user_id: UUID, update_ids: Sequence[UUID]) -> None:
    """Remember that the person has seen these updates, since the first time; NotFound, and nothing kept, if one is
    not there."""
    ids = sorted(set(update_ids))
    found = await tx.fetchval(
        """
        with known as (
            select id from task_updates where id = any($1) order by id for key share
        ), seen as (
            insert into task_update_views (update_id, user_id) select id, $2 from known
            on conflict (update_id, user_id) do nothing
        ) select count(*) from known
        """,
        ids,
        user_id,
    )
    if found != len(ids):
        raise NotFound("At least one of these updates is not there.")


async def views(db: Executor, update_ids: Sequence[UUID]) -> str:
    """``{"views": {update id: [who saw it, and when]}}``, the first first; an update that nobody saw is left out."""
    return await shapes.text(
        db,
        """
        select json_build_object('views', coalesce(json_object_agg(update_id, people), '{}'))::text from (
            select v.update_id, json_agg(json_build_object('user_id', u.id, 'user_name', {name},
                'avatar_url', u.avatar_url, 'viewed_at', iso(v.viewed_at)) order by v.viewed_at, u.id) as people
            from task_update_views v join users u on u.id = v.user_id where v.update_id = any($1) group by v.update_id
        ) viewed
        """,
        list(set(update_ids)),
    )
