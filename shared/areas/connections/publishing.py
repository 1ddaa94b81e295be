"""Posts for a client's WordPress site, each there exactly once.

    publish     the client's site shall show a post, in the caller's transaction; it is sent after the commit
    revise      wherever the post is shown, it shall say this from now on
    retract     wherever the post is shown, it shall be a draft
    carry_out   the task: sends the latest of all this, however long the site is out

A post is told from all others by its slug, which is ours and never changes: before one is made, the site is asked
whether an earlier try made it. Its images become the site's own, told apart in the same way, because visitors of the
site may not see ours. One run at a time holds a post.
Source: seeds INTEGRATIONS §7 (WordPress: blog publishing); spec api-leads §4.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, cast
from uuid import UUID

from shared.areas.connections import apps, post_store, rules, store, tokens
from shared.areas.connections.models import PublishPost
from shared.areas.connections.outside import Outside
from shared.areas.connections.post_store import Posted
from shared.areas.files.models import NewFile
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.db.database import Executor, Record, Transaction
from shared.errors import NotFound, Park, Reconnect, Rejected, TryLater

LEASE = timedelta(seconds=330)  # longer than a run may last (manifest)
OUT_TOO_LONG = "The site could not be reached for hours. Save the post again when it can."


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A post of ours. ``source``: what it is here (``blog_post:<id>``), one post of a site; ``title``: plain text;
    ``content``: clean HTML, whose images may have addresses of ours."""

    source: str
    title: str
    content: str


class Blog(Protocol):
    """A site's posts and pictures (``integrations.wordpress``)."""

    async def find(self, slug: str) -> Posted | None: ...
    async def create(self, draft: Any) -> Posted: ...
    async def update(self, post_id: str, draft: Any) -> Posted | None: ...
    async def find_picture(self, slug: str) -> str | None: ...
    async def add_picture(self, picture: Any) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Blogs:
    """*site*: a site's posts by its REST root and credentials; *draft* and *picture* make what a blog takes; *image*: a
    picture of a client's posts by client and file id, None when there is no such one."""

    site: Callable[[str, str], Blog]
    draft: Callable[..., Any]
    picture: Callable[..., Any]
    image: Callable[[UUID, UUID], Awaitable[NewFile | None]]


class WordPressCom(Protocol):
    def blog(self, site: str, token: str) -> Blog: ...


async def publish(tx: Transaction, owner: UUID, article: Article) -> UUID | None:
    """Have the article published on the client's site; None when the client has none.

    The site is the primary WordPress resource, else the first one; a client that chose none but has connected one site
    with an application password means that one.
    """
    target = await _target(tx, owner)
    if target is None:
        return None
    connection_id, site = target
    slug = rules.slug_of(article.title, article.source)
    post_id = await post_store.want(
        tx, owner, connection_id, site, slug,
        source=article.source, title=article.title, content=article.content,
    )  # fmt: skip
    await enqueue(tx, post_id)
    return post_id


async def revise(tx: Transaction, owner: UUID, article: Article) -> None:
    """Give the article these words on the sites that show it."""
    for post_id in await post_store.revise(tx, owner, article.source, title=article.title, content=article.content):
        await enqueue(tx, post_id)


async def retract(tx: Transaction, owner: UUID, source: str) -> None:
    """Take the article off the sites that show it: there it becomes a draft, which its people may keep or delete."""
    for post_id in await post_store.retract(tx, owner, source):
        await enqueue(tx, post_id)


async def enqueue(tx: Transaction, post_id: UUID) -> None:
    await tx.enqueue("connections_publish_post", PublishPost(post_id=post_id).model_dump(mode="json"))


async def _target(db: Executor, owner: UUID) -> tuple[UUID, str] | None:
    chosen = await store.active_resources(db, owner, "wordpress_site")
    if chosen:
        return chosen[0]["connection_id"], chosen[0]["resource_id"]
    basic = [one for one in await store.active_connections(db, owner, "wordpress") if one["token_type"] == rules.BASIC]
    return (basic[0]["id"], basic[0]["provider_account_id"]) if len(basic) == 1 else None


async def carry_out(outside: Outside, blogs: Blogs, work: PublishPost, *, last_attempt: bool) -> None:
    """Send the post until the site has the latest of it.

    Raises TryLater; Park when a person must act first, also where a site was out until the *last_attempt*.
    """
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
            raise await _given_up(outside, row, error.reason or f"WordPress refuses it ({error.status}).") from error
        except NotFound as error:
            raise await _given_up(outside, row, error.message) from error
        except TryLater as error:
            if last_attempt:
                raise await _given_up(outside, row, OUT_TOO_LONG) from error
            await post_store.end_lease(outside.db, row)
            raise
        except BaseException:
            await post_store.end_lease(outside.db, row)
            raise
        if await post_store.sent(outside.db, row, posted):
            return


async def _given_up(outside: Outside, row: Record, why: str) -> Park:
    """The post waits with its reason until somebody acts, and the head staff is told of each new reason."""
    async with outside.transaction() as tx:
        if await post_store.fail(tx, row, why):
            notice = Notice(
                title="A blog post could not be brought to its site",
                body=f"“{row['title']}” for {row['site_name']}: {why}",
                link="/client-hub",
                meta={"client_id": str(row["client_id"]), "connection_id": str(row["connection_id"])},
            )
            await notifications.notify_silently(tx, await notifications.head_staff(tx), notice)
    return Park(why)


async def _send(outside: Outside, blogs: Blogs, row: Record, token: str) -> Posted | None:
    """Change the post that is there, else make it; None when it shall be a draft and is not there."""
    if row["token_type"] == rules.BASIC:
        blog = blogs.site(rules.rest_root(row["external_metadata"]), token)
    else:
        blog = cast(WordPressCom, await apps.vendor(outside, "wordpress")).blog(row["site"], token)
    known = row["remote_id"]
    if known is None:
        found = await blog.find(row["slug"])
        known = found.id if found else None
    is_draft = row["post_status"] == "draft"
    if is_draft and known is None:
        return None
    draft = blogs.draft(
        slug=row["slug"],
        title=html.escape(row["title"], quote=False),  # WordPress takes titles as HTML
        content=await _with_pictures(outside, blogs, blog, row),
        status=row["post_status"],
    )
    changed = await blog.update(known, draft) if known is not None else None
    return changed if changed is not None or is_draft else await blog.create(draft)


async def _with_pictures(outside: Outside, blogs: Blogs, blog: Blog, row: Record) -> str:
    """The content with the addresses that its images have at the site; an image that is gone is left out."""
    images = rules.own_images(row["content"])
    addresses = await post_store.pictures(outside.db, row["id"])
    for file_id in images.values():
        if file_id not in addresses:
            image = await blogs.image(row["client_id"], file_id)
            if image is not None:
                addresses[file_id] = await _add(blogs, blog, file_id, image)
                await post_store.keep_picture(outside.db, row["id"], file_id, addresses[file_id])
    return rules.with_images(row["content"], {ours: addresses.get(file_id) for ours, file_id in images.items()})


async def _add(blogs: Blogs, blog: Blog, file_id: UUID, image: NewFile) -> str:
    stem, _, extension = image.name.rpartition(".")
    slug = rules.slug_of(stem, str(file_id))
    picture = blogs.picture(slug=slug, extension=extension, content_type=image.content_type, data=image.data)
    return await blog.find_picture(slug) or await blog.add_picture(picture)
