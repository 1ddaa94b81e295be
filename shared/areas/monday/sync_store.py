"""SQL over task items and their links to monday.com."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.monday.rules import DEFAULT_STATUS
from shared.areas.monday.store import CLIENT, PLACE, SYNCED
from shared.db.database import Executor, Record

AGAIN = timedelta(minutes=10)  # after which work that was queued is queued again
LATELY = timedelta(hours=3)


async def clients_to_ask_for(db: Executor, every: timedelta) -> list[Record]:
    """Synced clients: user_id, board_id, looked_at, and whether a whole look is ``due``.

    Those whose look monday.com refused are left alone for as long as *every*.
    """
    return await db.fetch(
        f"""
        select p.user_id, p.monday_board_id as board_id, l.looked_at,
               (l.looked_at > now() - $1::interval) is not true as due
        from client_profiles p left join monday_looks l on l.client_id = p.user_id and l.place = {PLACE}
        where {SYNCED} and (l.refused_at > now() - $1::interval) is not true order by p.user_id
        """,  # noqa: S608
        every,
    )


async def looked(db: Executor, client: Record, began: datetime) -> None:
    """All of a client's items were read as they were at *began*, or later."""
    await _keep_look(db, client, looked_at=began, refused_at=None)


async def look_refused(db: Executor, client: Record) -> None:
    """monday.com will not let us: no use in asking again soon."""
    await _keep_look(db, client, looked_at=None, refused_at=datetime.now(UTC))


async def _keep_look(db: Executor, client: Record, *, looked_at: datetime | None, refused_at: datetime | None) -> None:
    await db.execute(
        """
        insert into monday_looks as l (client_id, place, looked_at, refused_at)
        select user_id, $2, $3, $4 from client_profiles where user_id = $1
        on conflict (client_id) do update set place = excluded.place, refused_at = excluded.refused_at,
            looked_at = coalesce(excluded.looked_at, case when l.place = excluded.place then l.looked_at end)
        """,
        client["user_id"], client["place"], looked_at, refused_at,
    )  # fmt: skip


async def take_waiting_requests(db: Executor) -> list[UUID]:
    """Requests of the last week that are no items yet although an hour has passed; their work is on its way now.

    What monday.com refused is tried once a day.
    """
    rows = await db.fetch(
        """
        update monday_links l set queued_at = now() from requests r
        where r.id = l.request_id and l.monday_item_id is null
          and l.created_at between now() - interval '7 days' and now() - interval '1 hour'
          and coalesce(l.queued_at, l.created_at)
              < now() - case when r.trouble is null then interval '1 hour' else interval '1 day' end
        returning l.request_id
        """
    )
    return [row["request_id"] for row in rows]


async def client_of_board(db: Executor, board_id: UUID) -> Record | None:
    """The client whose task board this is, if it is synced."""
    return await db.fetchrow(
        f"{CLIENT} where p.task_board_id = $1 and {SYNCED} order by p.user_id limit 1",
        board_id,
    )


async def ensure_link(db: Executor, client: Record, item_id: UUID) -> UUID | None:
    """The link of a task item, made now where it has none; None when the item is gone, or archived and unlinked."""
    await db.execute(
        """
        insert into monday_links (client_id, task_item_id, board_id, group_id, name)
        select $2, id, $3, $4, btrim(left(name, 255)) from task_items where id = $1 and archived_at is null
        on conflict (task_item_id) do nothing
        """,
        item_id, client["user_id"], client["monday_board_id"], client["monday_group_id"],
    )  # fmt: skip
    return await link_of(db, item_id)


async def link_of(db: Executor, item_id: UUID) -> UUID | None:
    found: UUID | None = await db.fetchval("select id from monday_links where task_item_id = $1", item_id)
    return found


# The link, what its task has now, whether monday.com refused just that, and whether comments wait to be sent
_LINKS = """
    select l.*, i.name as item_name, i.status, i.due_date, i.archived_at is not null as archived,
           l.trouble_at > greatest(now() - interval '1 day', i.updated_at) is true as refused,
           exists (select from task_updates u where u.item_id = i.id and u.created_at >= l.created_at
                   and not exists (select from monday_updates m where m.task_update_id = u.id
                                   and m.monday_update_id is not null)) as comments_wait
    from monday_links l join task_items i on i.id = l.task_item_id"""


async def links(db: Executor, client_id: UUID) -> list[Record]:
    """A client's linked tasks."""
    return await db.fetch(f"{_LINKS} where l.client_id = $1", client_id)


async def links_that_may_wait(db: Executor) -> list[Record]:
    """Links of synced clients whose task may have what its item has not, for which no work is on its way.

    Of those that were touched lately; a look, which comes more often, finds older ones. ``rules`` decides in the end: a
    name with odd white space, say, is the same there.
    """
    return await db.fetch(
        f"""
        with touched as (
            select id from task_items where updated_at > now() - $3::interval
            union select item_id from task_updates where created_at > now() - $3::interval
            union select task_item_id from monday_links where monday_item_id is null and task_item_id is not null
        )
        select * from ({_LINKS} join touched t on t.id = i.id
                       join client_profiles p on p.user_id = l.client_id and {SYNCED}
                       where (l.queued_at > now() - $1::interval) is not true) link
        where not refused and not (archived and monday_item_id is null) and (
            comments_wait or base is distinct from jsonb_build_object(
                'name', btrim(left(item_name, 255)), 'status', coalesce(nullif(btrim(status), ''), $2),
                'due_date', coalesce(due_date::text, ''), 'archived', archived))
        """,  # noqa: S608
        AGAIN, DEFAULT_STATUS, LATELY,
    )  # fmt: skip


async def take_unqueued(db: Executor, link_ids: Sequence[UUID]) -> list[UUID]:
    """Of these, the links for which no work is on its way; now it is."""
    rows = await db.fetch(
        """
        update monday_links set queued_at = now()
        where id = any($1) and (queued_at is null or queued_at < now() - $2::interval) returning id
        """,
        list(link_ids), AGAIN,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def queued(db: Executor, link_ids: Sequence[UUID]) -> None:
    """Work on these links is on its way."""
    await db.execute("update monday_links set queued_at = now() where id = any($1)", list(link_ids))


async def known(db: Executor, monday_ids: Sequence[str]) -> set[str]:
    """Which of these items are tasks here, or were."""
    rows = await db.fetch(
        "select monday_item_id from monday_links where request_id is null and monday_item_id = any($1)",
        list(monday_ids),
    )
    return {row["monday_item_id"] for row in rows}


async def is_being_created(db: Executor, board_id: str, name: str) -> bool:
    """Whether something of ours of that name is on its way to that board: the item may be it."""
    return bool(
        await db.fetchval(
            """
            select exists (select from monday_links
                           where monday_item_id is null and tries > 0 and board_id = $1 and name = $2)
            """,
            board_id,
            name,
        )
    )


async def first_group(db: Executor, board_id: UUID) -> UUID | None:
    """A board's first group, kept until the transaction ends."""
    found: UUID | None = await db.fetchval(
        "select id from task_groups where board_id = $1 order by order_index, name, id limit 1 for key share", board_id
    )
    return found


async def adopt(
    db: Executor,
    client: Record,
    group_id: UUID,
    monday_item_id: str,
    monday_group_id: str,
    *,
    state: Mapping[str, Any],
    due: date | None,
) -> UUID | None:
    """Make an item of monday.com's a task of ours: its id; None when it is one already."""
    found: UUID | None = await db.fetchval(
        """
        with item as (
            insert into task_items (group_id, name, status, due_date, monday_item_id, monday_board_id)
            values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning id
        )
        insert into monday_links (client_id, task_item_id, board_id, group_id, name, monday_item_id, base)
        select $7, item.id, $6, $8, $2, $5, $9 from item returning task_item_id
        """,
        group_id, state["name"], state["status"], due, monday_item_id, client["monday_board_id"],
        client["user_id"], monday_group_id, dict(state),
    )  # fmt: skip
    return found


async def task(db: Executor, item_id: UUID) -> Record | None:
    return await db.fetchrow(
        """
        select id, name, status, due_date, archived_at is not null as archived from task_items where id = $1
        """,
        item_id,
    )


async def lock(db: Executor, item_id: UUID) -> Record | None:
    """An item, archived ones too, that nobody else may change until the transaction ends."""
    return await db.fetchrow(
        """
        select i.id, i.name, i.status, i.due_date, i.archived_at is not null as archived, i.is_voicemail,
               i.needs_attention, i.group_id, g.board_id
        from task_items i join task_groups g on g.id = i.group_id where i.id = $1 for no key update of i
        """,
        item_id,
    )


async def set_archived(db: Executor, item_id: UUID, archived: bool) -> None:
    await db.execute(
        "update task_items set archived_at = case when $2 then now() end, archived_by = null, updated_at = now() "
        "where id = $1",
        item_id, archived,
    )  # fmt: skip


async def settle(db: Executor, link_id: UUID, base: Mapping[str, Any]) -> None:
    """Both sides have *base* now."""
    await db.execute(
        "update monday_links set base = $2, trouble = null, trouble_at = null, queued_at = null where id = $1",
        link_id, dict(base),
    )  # fmt: skip


async def name_item(db: Executor, item_id: UUID, board_id: str, monday_item_id: str) -> None:
    """Keep on the task which item at monday.com it is."""
    await db.execute(
        "update task_items set monday_board_id = $2, monday_item_id = $3 where id = $1",
        item_id, board_id, monday_item_id,
    )  # fmt: skip


async def forget_item(db: Executor, link: Record, name: str) -> None:
    """The item is no longer to be had: another is to be created."""
    await db.execute(
        """
        update monday_links set monday_item_id = null, base = null, tries = 0, name = $2, created_at = now()
        where id = $1
        """,
        link["id"], name,
    )  # fmt: skip
    await db.execute(
        "update task_items set monday_item_id = null, monday_board_id = null where id = $1", link["task_item_id"]
    )


async def refused(db: Executor, link_id: UUID, reason: str) -> None:
    await db.execute(
        "update monday_links set trouble = $2, trouble_at = now(), queued_at = null where id = $1",
        link_id, reason[:500],
    )  # fmt: skip


async def comments_to_send(db: Executor, link: Record) -> list[Record]:
    """Comments on a task since it is linked that monday.com has not got, oldest first: id, content, author."""
    return await db.fetch(
        """
        select t.id, t.content, coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), 'Anchor') as author
        from task_updates t left join users u on u.id = t.user_id
        where t.item_id = $1 and t.created_at >= $2
          and not exists (select from monday_updates m where m.task_update_id = t.id and m.monday_update_id is not null)
        order by t.created_at, t.id limit 50
        """,
        link["task_item_id"], link["created_at"],
    )  # fmt: skip


async def count_comment_try(db: Executor, link_id: UUID, update_id: UUID) -> int:
    tries: int = await db.fetchval(
        """
        insert into monday_updates as m (task_update_id, link_id, tries) values ($1, $2, 1)
        on conflict (task_update_id) do update set tries = m.tries + 1 returning tries
        """,
        update_id, link_id,
    )  # fmt: skip
    return tries


async def commented(db: Executor, update_id: UUID, monday_update_id: str) -> None:
    await db.execute(
        "update monday_updates set monday_update_id = $2 where task_update_id = $1", update_id, monday_update_id
    )


async def looked_at_comments(db: Executor, link_id: UUID, newest: str) -> None:
    await db.execute("update monday_links set last_update_id = $2 where id = $1", link_id, newest)


async def known_updates(db: Executor, link_id: UUID) -> set[str]:
    rows = await db.fetch(
        "select monday_update_id from monday_updates where link_id = $1 and monday_update_id is not null", link_id
    )
    return {row["monday_update_id"] for row in rows}


async def add_comment(db: Executor, link: Record, monday_update_id: str, creator_id: str, text: str) -> None:
    """Keep a comment made at monday.com, by our user of the same address or under its author's name; once."""
    await db.execute(
        """
        with author as (
            select m.name, (select u.id from users u where u.email = m.email and m.email <> ''
                            and u.role in ('superadmin', 'admin', 'editor', 'team')) as user_id
            from monday_people m where m.id = $3
        ), made as (
            insert into task_updates (item_id, user_id, content)
            select $1, (select user_id from author),
                   case when (select user_id from author) is null
                        then coalesce((select name from author), 'Monday') || ': ' || $4 else $4 end
            where not exists (select from monday_updates where monday_update_id = $5)
            returning id
        )
        insert into monday_updates (task_update_id, link_id, monday_update_id) select id, $2, $5 from made
        """,
        link["task_item_id"], link["id"], creator_id, text, monday_update_id,
    )  # fmt: skip
