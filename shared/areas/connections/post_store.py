"""SQL over posts on their way to a WordPress site. ``wanted_rev`` counts what was asked, ``sent_rev`` what arrived."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.db.database import Executor, Record


async def want(db: Executor, values: dict[str, Any]) -> UUID:
    """What the post shall be from now on; its slug stays that of the first time."""
    post_id: UUID = await db.fetchval(
        """
        insert into wordpress_posts as p (client_id, oauth_connection_id, source, site, slug, title, content,
                                          post_status)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (client_id, source, site) do update
        set oauth_connection_id = excluded.oauth_connection_id, title = excluded.title, content = excluded.content,
            post_status = excluded.post_status, wanted_rev = p.wanted_rev + 1, updated_at = now()
        returning id
        """,
        values["client_id"], values["connection_id"], values["source"], values["site"], values["slug"],
        values["title"], values["content"], values["status"],
    )  # fmt: skip
    return post_id


async def take(db: Executor, post_id: UUID, length: timedelta) -> Record | None:
    """The right to send the post as it is wanted now; None when it is sent, gone, or another run is at it."""
    return await db.fetchrow(
        """
        update wordpress_posts p set lease_id = $2, lease_until = now() + $3
        from oauth_connections c
        where p.id = $1 and c.id = p.oauth_connection_id and p.sent_rev < p.wanted_rev
          and (p.lease_until is null or p.lease_until < now())
        returning p.id, p.client_id, p.oauth_connection_id as connection_id, p.site, p.slug, p.title, p.content,
                  p.post_status, p.wanted_rev, p.remote_id, p.lease_id, c.token_type, c.external_metadata
        """,
        post_id, uuid4(), length,
    )  # fmt: skip


async def is_waiting(db: Executor, post_id: UUID) -> bool:
    found: bool = await db.fetchval(
        "select exists (select from wordpress_posts where id = $1 and sent_rev < wanted_rev)", post_id
    )
    return found


async def sent(db: Executor, row: Record, remote_id: str, remote_url: str) -> bool:
    """The site has this revision; False when a newer one is wanted meanwhile."""
    latest: bool = await db.fetchval(
        """
        update wordpress_posts
        set remote_id = $3, remote_url = $4, sent_rev = greatest(sent_rev, $5), last_error = null, lease_id = null,
            lease_until = null, updated_at = now()
        where id = $1 and (lease_id = $2 or remote_id is null)
        returning sent_rev >= wanted_rev
        """,
        row["id"], row["lease_id"], remote_id, remote_url, row["wanted_rev"],
    )  # fmt: skip
    return latest


async def end_lease(db: Executor, row: Record, error: str | None) -> None:
    """Let others try; *error* says why this run ended without success."""
    await db.execute(
        """
        update wordpress_posts set lease_id = null, lease_until = null, last_error = coalesce($3, last_error)
        where id = $1 and lease_id = $2
        """,
        row["id"], row["lease_id"], error,
    )  # fmt: skip


async def waiting_for(db: Executor, connection_id: UUID) -> list[UUID]:
    """Posts that could not be sent while the connection was broken."""
    rows = await db.fetch(
        "select id from wordpress_posts where oauth_connection_id = $1 and sent_rev < wanted_rev", connection_id
    )
    return [row["id"] for row in rows]


async def state(db: Executor, owner: UUID, source: str) -> list[Record]:
    """Where a post of ours stands, by site: site, remote_url, is_sent, last_error."""
    return await db.fetch(
        """
        select site, remote_url, sent_rev >= wanted_rev as is_sent, last_error
        from wordpress_posts where client_id = $1 and source = $2 order by created_at
        """,
        owner,
        source,
    )
