"""Use cases of clients' blog posts.

Generated images come inside of the HTML as data: they are kept as files before the post is, so that no row holds
megabytes. They are public like the page they are for, under addresses that cannot be guessed: a blog shows them to
anybody. The first publication tells the account manager, and ``blog-published`` whoever publishes elsewhere.
Source: spec api-leads §4, seeds DATA_FLOWS §8.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.areas.blog import rules, store
from shared.areas.blog.models import NewPost, PostChanges
from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.emails.templates import Site
from shared.areas.files import service as files
from shared.areas.files.models import Bucket, Kept, NewFile, Place
from shared.areas.files.rules import RASTER_IMAGES
from shared.areas.monday import service as monday
from shared.areas.monday import store as people
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.ports import GetKeyRing
from shared.db.database import Database, Executor, Transaction
from shared.errors import Invalid, NotFound

PUBLISHED: Final = "blog-published"
_MISSING: Final = "There is no such post."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """``transaction`` is the caller's own: what it publishes or enqueues leaves after its commit."""

    db: Database
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    bucket: Bucket
    site: Site
    key_ring: GetKeyRing


async def list_own(db: Executor, owner: UUID) -> str:
    return await store.page(db, owner)


async def show(db: Executor, owner: UUID, post_id: UUID) -> str:
    """A post as JSON text; NotFound when the owner has no such post."""
    text = await store.shown(db, owner, post_id)
    if text is None:
        raise NotFound(_MISSING)
    return text


async def create(outside: Outside, owner: UUID, given: NewPost, *, by: UUID) -> str:
    """Keep a new post, cleaned, its images as files; the post as JSON text."""
    content, kept = await _keep_images(outside, owner, given.title, given.content, by=by)
    async with outside.transaction() as tx:
        post_id = await store.insert(tx, owner, given.model_copy(update={"content": content}))
        await _attach(tx, post_id, kept)
        if given.status == "published":
            await _published(tx, outside, owner, post_id, given.title)
        return await show(tx, owner, post_id)


async def update(outside: Outside, owner: UUID, post_id: UUID, given: PostChanges, *, by: UUID) -> str:
    """Change a post; NotFound when the owner has no such post. Images that it shows no more are deleted."""
    await show(outside.db, owner, post_id)
    kept: list[Kept] = []
    if given.content is not None:
        content, kept = await _keep_images(outside, owner, given.title or "", given.content, by=by)
        given = given.model_copy(update={"content": content})
    async with outside.transaction() as tx:
        before = await store.lock(tx, owner, post_id)
        if before is None:
            raise NotFound(_MISSING)
        await store.update(tx, owner, post_id, given)
        await _attach(tx, post_id, kept)
        await files.drop(tx, await store.unused_images(tx, owner, post_id))
        if given.status == "published" and not before["published"]:
            await _published(tx, outside, owner, post_id, given.title or before["title"])
        return await show(tx, owner, post_id)


async def delete(tx: Transaction, owner: UUID, post_id: UUID) -> None:
    """Delete a post with its images; NotFound when the owner has no such post."""
    images = await store.delete(tx, owner, post_id)
    if images is None:
        raise NotFound(_MISSING)
    await files.drop(tx, images)


async def _keep_images(outside: Outside, owner: UUID, title: str, content: str, *, by: UUID) -> tuple[str, list[Kept]]:
    """The content, cleaned, with its images' addresses in the place of their data; Invalid when it may not be kept."""
    try:
        images = rules.images_in(content)
    except rules.BadImage as error:
        raise Invalid.field("content", str(error)) from None
    if any(not RASTER_IMAGES[image.extension].fits(image.data) for image in images):
        raise Invalid.field("content", "has an image with other content than it says")
    # before anything is kept: what is left must be a post
    room = len(content) - sum(len(image.source) * content.count(image.source) for image in images)
    if room > rules.MAX_CONTENT:
        raise Invalid.field("content", f"may have at most {rules.MAX_CONTENT} characters beside its images")
    if not images:
        return _require_some(rules.clean(content)), []
    new = [
        NewFile(rules.file_name(title, image.extension), RASTER_IMAGES[image.extension].content_type, image.data)
        for image in images
    ]
    place = Place(folder="blog", audience="public", owner_id=owner, created_by=by)
    kept = await files.keep(outside.db, outside.bucket, new, place)
    addresses = {image.source: file.url for image, file in zip(images, kept, strict=True)}
    return _require_some(rules.clean(rules.with_addresses(content, addresses))), kept


def _require_some(content: str) -> str:
    if not content:
        raise Invalid.field("content", "has nothing left once it is cleaned")
    return content


async def _attach(tx: Transaction, post_id: UUID, kept: list[Kept]) -> None:
    await files.attach(tx, kept)
    if kept:
        await store.keep_images(tx, post_id, [(file.id, file.url) for file in kept])


async def _published(tx: Transaction, outside: Outside, owner: UUID, post_id: UUID, title: str) -> None:
    """Tell the account manager, in the dashboard and by its own mail, and whoever publishes posts elsewhere."""
    await tx.publish(PUBLISHED, {"user_id": str(owner), "post_id": str(post_id)})
    manager = await monday.whom_to_tell(tx, owner)
    person = await people.person(tx, manager) if manager else None
    if manager is None or person is None:
        return
    client = await store.client_name(tx, owner)
    notice = Notice(
        title="Blog post published",
        body=f"{client} published “{title}”.",
        link="/client-hub",
        meta={"post_id": str(post_id), "client_id": str(owner)},
    )
    await notifications.notify_silently(tx, [manager], notice)
    content = templates.blog_notification(client=client, title=title, site=outside.site)
    mail = Mail(
        type="blog_notification",
        to=person["email"],
        to_name=person["name"],
        subject=content.subject,
        text=content.text,
        html=content.html,
        client_id=owner,
        triggered_by_id=owner,
        message_key=f"blog_published_{post_id}",
    )
    await emails.queue(tx, mail, outside.key_ring)
