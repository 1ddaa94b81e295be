"""Posts for a client's WordPress site, each there exactly once.

    request     what a post shall be, in the caller's transaction; it is sent after the commit, however long that takes
    carry_out   the task: sends the latest of it

A post is told from all others by its slug, which is ours and never changes: before one is made, the site is asked
whether an earlier try made it. A later request for the same source changes that post. One run at a time holds a post.
Source: seeds INTEGRATIONS §7 (WordPress: blog publishing); spec api-leads §4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Literal, Protocol, cast
from uuid import UUID

from shared.areas.connections import apps, post_store, rules, store, tokens
from shared.areas.connections.models import PublishPost
from shared.areas.connections.outside import Outside
from shared.db.database import Executor, Record, Transaction
from shared.errors import NotFound, Park, Reconnect, Rejected, TryLater

LEASE = timedelta(seconds=90)  # longer than a site may take for three answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A post of ours. ``source``: what it is here (``blog_post:<id>``), one post of a site; ``content``: HTML."""

    source: str
    title: str
    content: str
    status: Literal["publish", "draft"] = "publish"


class Posted(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...


class Blog(Protocol):
    """A site's posts (``integrations.wordpress``)."""

    async def find(self, slug: str) -> Posted | None: ...
    async def create(self, draft: Any) -> Posted: ...
    async def update(self, post_id: str, draft: Any) -> Posted | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Blogs:
    """*site*: a site's posts by its REST root and credentials; *draft* makes what a blog takes."""

    site: Callable[[str, str], Blog]
    draft: Callable[..., Any]


class WordPressCom(Protocol):
    def blog(self, site: str, token: str) -> Blog: ...


async def request(tx: Transaction, owner: UUID, article: Article) -> UUID | None:
    """Have the article published on the client's site; None when the client has none.

    The site is the primary WordPress resource, else the first one; a client that chose none but has connected one site
    with an application password means that one.
    """
    target = await _target(tx, owner)
    if target is None:
        return None
    connection_id, site = target
    post_id = await post_store.want(
        tx,
        {
            "client_id": owner,
            "connection_id": connection_id,
            "source": article.source,
            "site": site,
            "slug": rules.slug_of(article.title, article.source),
            "title": article.title,
            "content": article.content,
            "status": article.status,
        },
    )
    await enqueue(tx, post_id)
    return post_id


async def enqueue(tx: Transaction, post_id: UUID) -> None:
    await tx.enqueue("connections_publish_post", PublishPost(post_id=post_id).model_dump(mode="json"))


async def state(db: Executor, owner: UUID, source: str) -> list[Record]:
    """Where an article stands on each site: site, remote_url, is_sent, last_error."""
    return await post_store.state(db, owner, source)


async def _target(db: Executor, owner: UUID) -> tuple[UUID, str] | None:
    chosen = await store.active_resources(db, owner, "wordpress_site")
    if chosen:
        return chosen[0]["connection_id"], chosen[0]["resource_id"]
    basic = [one for one in await store.active_connections(db, owner, "wordpress") if one["token_type"] == rules.BASIC]
    return (basic[0]["id"], basic[0]["provider_account_id"]) if len(basic) == 1 else None


async def carry_out(outside: Outside, blogs: Blogs, work: PublishPost) -> None:
    """Send the post until the site has the latest of it. Raises TryLater; Park when a person must act first."""
    while True:
        row = await post_store.take(outside.db, work.post_id, LEASE)
        if row is None:
            if await post_store.is_waiting(outside.db, work.post_id):
                raise TryLater("wordpress", reason="another run is publishing")
            return
        try:
            send = partial(_send, outside, blogs, row)
            posted = await tokens.using(outside, row["client_id"], row["connection_id"], send)
        except (Reconnect, Rejected) as error:
            why = error.reason or f"WordPress refuses the post ({error.status})."
            await post_store.end_lease(outside.db, row, why)
            raise Park(why) from error
        except NotFound as error:
            await post_store.end_lease(outside.db, row, error.message)
            raise Park(error.message) from error
        except BaseException:
            await post_store.end_lease(outside.db, row, None)
            raise
        if await post_store.sent(outside.db, row, posted.id, posted.url):
            return


async def _send(outside: Outside, blogs: Blogs, row: Record, token: str) -> Posted:
    """Change the post that is there, else make it."""
    if row["token_type"] == rules.BASIC:
        blog = blogs.site(rules.rest_root(row["external_metadata"]), token)
    else:
        blog = cast(WordPressCom, await apps.vendor(outside, "wordpress")).blog(row["site"], token)
    draft = blogs.draft(slug=row["slug"], title=row["title"], content=row["content"], status=row["post_status"])
    known = row["remote_id"]
    if known is None:
        found = await blog.find(row["slug"])
        known = found.id if found else None
    changed = await blog.update(known, draft) if known is not None else None
    return changed or await blog.create(draft)
