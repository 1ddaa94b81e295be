"""Dead work for the console: reads it from the database and sends it again, without a signed-in superadmin."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

LIST = """
select id, kind, target, dead_handler as handler, dead_reason as reason, created_at, dead_at
from outbox where dead_at is not null order by dead_at desc, id limit $1
"""
# One statement: the row is alive again exactly when its handler has forgotten it.
REVIVE = """
with row as (
    select id, dead_handler from outbox where id = $1 and dead_at is not null for update
), forgotten as (
    delete from inbox using row where inbox.handler = row.dead_handler and inbox.message_key = row.id::text
)
update outbox set dead_at = null, dead_reason = null, dead_handler = null, dispatched_at = null, done_at = null,
                  created_at = least(outbox.created_at, now() - interval '1 minute')  -- old enough for the sweep
from row where outbox.id = row.id
returning outbox.id
"""


async def list_dead(database_url: str, limit: int = 200) -> list[dict[str, Any]]:
    """The newest dead work: id, kind, target, handler, reason and times; never the payload, which may be personal."""
    connection = await asyncpg.connect(database_url, timeout=5)
    try:
        rows = await connection.fetch(LIST, limit)
    finally:
        await connection.close()
    return [
        {
            **row,
            "id": str(row["id"]),
            "created_at": row["created_at"].isoformat(),
            "dead_at": row["dead_at"].isoformat(),
        }
        for row in map(dict, rows)
    ]


async def revive(database_url: str, work_id: UUID) -> bool:
    """Make one row sendable again; False when no such work is dead."""
    connection = await asyncpg.connect(database_url, timeout=5)
    try:
        return await connection.fetchval(REVIVE, work_id) is not None
    finally:
        await connection.close()
