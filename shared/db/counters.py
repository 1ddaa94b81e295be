"""Counts requests per subject in shared storage, so that a limit holds over all instances.

Fixed windows in an unlogged table: a crash forgets a minute's counts, a fair price for not waiting for the disk.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.db.database import Executor
from shared.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``hits`` requests of one subject in ``window_s`` seconds. ``kind`` names the limit in the table."""

    kind: str
    hits: int
    window_s: int = 60


async def spend(db: Executor, *subjects: tuple[Limit, str]) -> None:
    """Count one request against each (limit, subject); raise TooManyRequests for the first limit passed.

    All counters move in one statement. The error says how many seconds are left of the window.
    """
    rows = await db.fetch(
        """
        insert into request_counters as c (kind, subject, window_start, hits)
        select g.kind, g.subject, now(), 1
        from unnest($1::text[], $2::text[]) as g (kind, subject) order by g.kind, g.subject
        on conflict (kind, subject) do update set
            hits = case when c.window_start > now() - ($3::jsonb ->> c.kind)::int * interval '1 s'
                        then c.hits + 1 else 1 end,
            window_start = case when c.window_start > now() - ($3::jsonb ->> c.kind)::int * interval '1 s'
                                then c.window_start else now() end
        returning kind, hits, extract(epoch from now() - window_start)::float8 as age_s
        """,
        [limit.kind for limit, _ in subjects],
        [subject for _, subject in subjects],
        {limit.kind: limit.window_s for limit, _ in subjects},
    )
    spent = {row["kind"]: row for row in rows}
    for limit, _ in subjects:
        row = spent[limit.kind]
        if row["hits"] > limit.hits:
            wait_s = max(1, round(limit.window_s - row["age_s"]))
            raise TooManyRequests("Too many requests; please wait a moment and try again.", retry_after_s=wait_s)
