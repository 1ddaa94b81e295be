"""A board whole and somebody's work, against the framework and the bare items of the same answer.

A floor is the framework, asked at the same address, with one statement that has PostgreSQL make the board's (or the
person's) items JSON as they lie in their table: no session, no groups and labels, nobody assigned, nothing counted. The
database holds about 50,000 items with 150,000 updates; the boards that are asked for have 200, 1,000 and 5,000 of them,
the people 60 and 1,000. A function and its floor are measured in turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from tests.bench import load
from tests.bench.floor import pool

BOARDS = {200: UUID(int=200), 1_000: UUID(int=1_000), 5_000: UUID(int=5_000)}
OTHER_BOARDS, ITEMS_OF_OTHERS = 44, 1_000
ASSIGNED = {60: UUID(int=60), 1_000: UUID(int=1_001)}
AT_ONCE = 4  # more only wait for the processor


async def bare_board(request: Request) -> Response:
    """The live items of a board, as PostgreSQL makes them JSON."""
    return await _bare(
        """
        select json_agg(i)::text from task_items i
        where i.group_id = any(array(select id from task_groups where board_id = $1)) and i.archived_at is null
        """,
        request,
    )


async def bare_work(request: Request) -> Response:
    """The live items that somebody is assigned to, as PostgreSQL makes them JSON."""
    return await _bare(
        """
        select json_agg(i)::text from task_items i join task_item_assignees a on a.item_id = i.id
        where a.user_id = $1 and i.archived_at is null
        """,
        request,
    )


async def _bare(statement: str, request: Request) -> Response:
    found = await (await pool()).fetchval(statement, UUID(request.headers["x-id"]))
    return Response(found, media_type="application/json")


async def main() -> None:
    from tests.bench.framework import function_env

    with function_env() as env:
        await _fill(env["DATABASE_URL"])
        print(f"A board whole, and somebody's work, {AT_ONCE} at once")
        for size, board in BOARDS.items():
            asked = _get(env, f"/api/tasks/boards/{board}/view", ASSIGNED[60])
            await _measure(env, f"{size:,} items", "bare_board", board, "tasks_view_board", asked)
            await _compress(env, f"{size:,} items", board)
        for size, person in ASSIGNED.items():
            asked = _get(env, "/api/tasks/my-work", person)
            await _measure(env, f"{size:,} items", "bare_work", person, "tasks_show_my_work", asked)


async def _measure(env: dict[str, str], what: str, floor_name: str, floor_id: UUID, target: str, asked: bytes) -> None:
    from tests.bench.framework import serving

    bare = load.request("GET", "/", headers={"X-Id": str(floor_id)})
    with (
        serving(floor_name, env, source="tests/bench/bench_tasks.py") as (floor_port, _),
        serving(target, env) as (port, _),
    ):
        await load.compare(
            f"the framework and {floor_name}, {what}",
            lambda: _rate(floor_port, lambda _: bare),
            f"{target}, {what}",
            lambda: _rate(port, lambda _: asked),
        )


async def _compress(env: dict[str, str], what: str, board: UUID) -> None:
    """What a board costs and weighs as a browser gets it, against the same without compression."""
    from tests.bench.framework import serving

    path = f"/api/tasks/boards/{board}/view"
    plain, small = (_get(env, path, ASSIGNED[60], **{"Accept-Encoding": coding}) for coding in ("identity", "gzip"))
    with serving("tasks_view_board", env) as (port, _):
        await load.compare(
            f"{await load.weight(port, plain):,} bytes, {what}",
            lambda: _rate(port, lambda _: plain),
            f"{await load.weight(port, small):,} bytes, compressed",
            lambda: _rate(port, lambda _: small),
        )


async def _rate(port: int, make: Callable[[int], bytes]) -> float:
    rate = await load.run(port, make, seconds=1.5, connections=AT_ONCE)
    assert set(rate.statuses) == {200}, rate.statuses
    return rate.per_second


def _get(env: dict[str, str], path: str, person: UUID, **headers: str) -> bytes:
    from shared import tokens

    bearer = tokens.sign(
        env["JWT_SECRET"],
        user_id=person,
        session_id=person,
        role="team",
        effective_role="team",
        lifetime=timedelta(hours=1),
        now=datetime.now(UTC),
    )
    return load.request("GET", path, headers={"Authorization": f"Bearer {bearer}", **headers})


async def _fill(url: str) -> None:
    """Boards of six groups, with three updates, two entries of time and one or two people for each item."""
    import asyncpg

    database = await asyncpg.connect(url)
    await database.execute(
        """
        insert into users (id, first_name, last_name, email, role, avatar_url)
        select id, 'Bench', 'Person', id || '@bench.test', 'team', '/uploads/' || id || '/me.png'
        from (select unnest($1::uuid[]) union all select gen_random_uuid() from generate_series(1, 28)) person (id)
        """,
        list(ASSIGNED.values()),
    )
    await database.execute(
        """
        insert into user_sessions (id, user_id, refresh_token_hash, refresh_token_family, device_id,
                                   absolute_expiry_at, refresh_expiry_at)
        select id, id, id::text, id, id, now() + interval '9 days', now() + interval '9 days' from unnest($1::uuid[]) id
        """,
        list(ASSIGNED.values()),
    )
    await database.execute("insert into task_workspaces (id, name) values ($1, 'Agency')", UUID(int=1))
    await database.execute(
        """
        with size as (
            select * from unnest($2::uuid[], $3::int[]) as size (id, items)
            union all select gen_random_uuid(), $5 from generate_series(1, $4)
        ), board as (
            insert into task_boards (id, workspace_id, name) select id, $1, 'Board of ' || items from size returning id
        ), placed as (
            insert into task_groups (board_id, name, order_index)
            select id, 'Group ' || place, place from board, generate_series(0, 5) place
            returning id, board_id, order_index
        )
        insert into task_items (group_id, name, status, due_date, needs_attention, created_at, updated_at)
        select g.id, 'Something to do, number ' || n, (array['To Do', 'Working on it', 'Stuck', 'Done'])[n % 4 + 1],
               current_date + n % 60 - 30, n % 17 = 0, now() - n * interval '13 min', now() - n * interval '7 min'
        from size cross join lateral generate_series(1, items) n
        join placed g on g.board_id = size.id and g.order_index = n % 6
        """,
        UUID(int=1), list(BOARDS.values()), list(BOARDS), OTHER_BOARDS, ITEMS_OF_OTHERS,
    )  # fmt: skip
    await database.execute(
        """
        with person as (
            select array_agg(id) as ids from users where id <> all($1)
        )
        insert into task_item_assignees (item_id, user_id)
        select i.id, ids[1 + (abs(hashtext(i.id::text)) + place * 7) % 28]
        from task_items i, person, generate_series(0, 1) place where abs(hashtext(i.id::text)) % 3 >= place
        """,
        list(ASSIGNED.values()),
    )
    for size, person in ASSIGNED.items():
        await database.execute(
            "insert into task_item_assignees select id, $1 from (select id from task_items order by id limit $2) i",
            person,
            size,
        )
    await database.execute(
        """
        insert into task_updates (item_id, user_id, content, created_at)
        select id, $1, 'Something was said ' || repeat('about this ', 20), created_at + n * interval '1 hour'
        from task_items, generate_series(1, 3) n
        """,
        ASSIGNED[60],
    )
    await database.execute(
        """
        insert into task_time_entries (item_id, user_id, time_spent_minutes, billable_minutes, work_date, created_at)
        select id, $1, 15 * n, 15 * n, created_at::date, created_at from task_items, generate_series(1, 2) n
        """,
        ASSIGNED[60],
    )
    await database.execute("vacuum analyze", timeout=300)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
