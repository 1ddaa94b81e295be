"""SQL over posts on their way to a WordPress site. ``wanted_rev`` counts what was asked, ``sent_rev`` what arrived."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol
from uuid import UUID, uuid4

from shared.db.database import Executor, Record


class Posted(Protocol):
    """A post as its site knows it."""

    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...


async def want(
    db: Executor, owner: UUID, connection_id: UUID, site: str, slug: str, *, source: str, title: str, content: str
) -> UUID:
    """The post shall be on the site from now on; its slug stays that of the first time."""
    post_id: UUID = await db.fetchval(
        """
        insert into wordpress_posts as p (client_id, oauth_connection_id, source, site, slug, title, content,
                                          post_status)
        values ($1, $2, $3, $4, $5, $6, $7, 'publish')
        on conflict (client_id, source, site) do update
        set oauth_connection_id = excluded.oauth_connection_id, title = excluded.title, content = excluded.content,
            post_status = excluded.post_status, wanted_rev = p.wanted_rev + 1, updated_at = now()
        returning id
        """,
        owner, connection_id, source, site, slug, title, content,
    )  # fmt: skip
    return post_id


async def revise(db: Executor, owner: UUID, source: str, *, title: str, content: str) -> list[UUID]:
    """Other words for a post on all sites that shall show it."""
    rows = await db.fetch(
        """
        update wordpress_posts set title = $3, content = $4, wanted_rev = wanted_rev + 1, updated_at = now()
        where client_id = $1 and source = $2 and post_status = 'publish' returning id
        """,
        owner, source, title, content,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def retract(db: Executor, owner: UUID, source: str) -> list[UUID]:
    """A post shall be a draft on all sites that show it."""
    rows = await db.fetch(
        """
        update wordpress_posts set post_status = 'draft', wanted_rev = wanted_rev + 1, updated_at = now()
        where client_id = $1 and source = $2 and post_status = 'publish' returning id
        """,
        owner, source,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def take(db: Executor, post_id: UUID, length: timedelta) -> Record | None:
    """The right to send the post as it is wanted now; None when it is sent, gone, or another run is at it."""
    return await db.fetchrow(
        """
        update wordpress_posts p set lease_id = $2, lease_until = now() + $3
        from oauth_connections c
        where p.id = $1 and c.id = p.oauth_connection_id and p.sent_rev < p.wanted_rev
          and (p.lease_until is null or p.lease_until < now())
        returning p.id, p.client_id, p.oauth_connection_id as connection_id, p.site, p.slug, p.title, p.content,
                  p.post_status, p.wanted_rev, p.remote_id, p.lease_id, c.token_type, c.external_metadata,
                  coalesce(c.provider_account_name, p.site) as site_name
        """,
        post_id, uuid4(), length,
    )  # fmt: skip


async def is_waiting(db: Executor, post_id: UUID) -> bool:
    found: bool = await db.fetchval(
        "select exists (select from wordpress_posts where id = $1 and sent_rev < wanted_rev)", post_id
    )
    return found


async def sent(db: Executor, row: Record, posted: Posted | None) -> bool:
    """The site has this revision, or None and no post at all; False when a newer one is wanted meanwhile."""
    latest: bool = await db.fetchval(
        """
        update wordpress_posts
        set remote_id = $3, remote_url = $4, sent_rev = greatest(sent_rev, $5), last_error = null, lease_id = null,
            lease_until = null, updated_at = now()
        where id = $1 and (lease_id = $2 or remote_id is null)
        returning sent_rev >= wanted_rev
        """,
        row["id"], row["lease_id"], posted and posted.id, posted and posted.url, row["wanted_rev"],
    )  # fmt: skip
    return latest


async def end_lease(db: Executor, row: Record) -> None:
    """Let others try."""
    await db.execute(
        "update wordpress_posts set lease_id = null, lease_until = null where id = $1 and lease_id = $2",
        row["id"], row["lease_id"],
    )  # fmt: skip


async def fail(db: Executor, row: Record, why: str) -> bool:
    """Let others try, and keep why this run could not; whether that is news."""
    return bool(
        await db.fetchval(
            """
            with before as (select id, last_error from wordpress_posts where id = $1 and lease_id = $2 for update)
            update wordpress_posts p set lease_id = null, lease_until = null, last_error = $3 from before
            where p.id = before.id returning before.last_error is distinct from $3
            """,
            row["id"], row["lease_id"], why,
        )
    )  # fmt: skip


async def pictures(db: Executor, post_id: UUID) -> dict[UUID, str]:
    """Which files of ours are pictures of the post's site, and their addresses there."""
    rows = await db.fetch("select file_id, remote_url from wordpress_pictures where post_id = $1", post_id)
    return {row["file_id"]: row["remote_url"] for row in rows}


async def keep_picture(db: Executor, post_id: UUID, file_id: UUID, address: str) -> None:
    await db.execute(
        "insert into wordpress_pictures (post_id, file_id, remote_url) values ($1, $2, $3) on conflict do nothing",
        post_id, file_id, address,
    )  # fmt: skip


async def waiting_for(db: Executor, connection_id: UUID) -> list[UUID]:
    """Posts that could not be sent while the connection was broken."""
    rows = await db.fetch(
        "select id from wordpress_posts where oauth_connection_id = $1 and sent_rev < wanted_rev", connection_id
    )
    return [row["id"] for row in rows]
