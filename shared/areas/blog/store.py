"""SQL over blog posts and their images. Every statement names whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.areas.blog.models import NewPost, PostChanges
from shared.db.database import Executor, Record

_POST = """
    json_build_object(
        'id', p.id, 'user_id', p.user_id, 'title', p.title, 'content', p.content, 'status', p.status,
        'created_at', iso(p.created_at), 'updated_at', iso(p.updated_at), 'published_at', iso(p.published_at))"""


async def page(db: Executor, owner: UUID) -> str:
    """``{"blog_posts": […]}`` as JSON text, newest change first."""
    text: str = await db.fetchval(
        f"""
        select json_build_object('blog_posts', coalesce(json_agg({_POST} order by p.updated_at desc, p.id), '[]'))::text
        from blog_posts p where p.user_id = $1
        """,  # noqa: S608
        owner,
    )
    return text


async def shown(db: Executor, owner: UUID, post_id: UUID) -> str | None:
    """``{"blog_post": …}`` as JSON text; None when the owner has no such post."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object('blog_post', {_POST})::text from blog_posts p where p.user_id = $1 and p.id = $2
        """,  # noqa: S608
        owner,
        post_id,
    )
    return text


async def insert(db: Executor, owner: UUID, post: NewPost) -> UUID:
    post_id: UUID = await db.fetchval(
        """
        insert into blog_posts (user_id, title, content, status, published_at)
        values ($1, $2, $3, $4, case when $4 = 'published' then now() end) returning id
        """,
        owner, post.title, post.content, post.status,
    )  # fmt: skip
    return post_id


async def lock(db: Executor, owner: UUID, post_id: UUID) -> Record | None:
    """The post, for one at a time: status, was_published."""
    return await db.fetchrow(
        """
        select status, published_at is not null as was_published from blog_posts
        where user_id = $1 and id = $2 for no key update
        """,
        owner, post_id,
    )  # fmt: skip


async def update(db: Executor, owner: UUID, post_id: UUID, changes: PostChanges) -> Record:
    """Change what is given; the time of the first publication stays. The post: title, content, status."""
    row = await db.fetchrow(
        """
        update blog_posts set title = coalesce($3, title), content = coalesce($4, content),
            status = coalesce($5, status), updated_at = now(),
            published_at = coalesce(published_at, case when $5 = 'published' then now() end)
        where user_id = $1 and id = $2 returning title, content, status
        """,
        owner, post_id, changes.title, changes.content, changes.status,
    )  # fmt: skip
    assert row is not None, "it is locked"
    return row


async def delete(db: Executor, owner: UUID, post_id: UUID) -> list[str] | None:
    """Delete a post: the addresses of its images; None when the owner has no such post."""
    return await db.fetchval(  # type: ignore[no-any-return]
        """
        with post as (delete from blog_posts where user_id = $1 and id = $2 returning id)
        select case when exists (select from post) then array(
            select i.url from blog_images i where i.post_id = $2
            and not exists (
                select from blog_posts o where o.user_id = $1 and o.id <> $2 and strpos(o.content, i.url) > 0)
        ) end
        """,
        owner, post_id,
    )  # fmt: skip


async def keep_images(db: Executor, post_id: UUID, images: Sequence[tuple[UUID, str]]) -> None:
    await db.execute(
        """
        insert into blog_images (post_id, file_id, url)
        select $1, file_id, url from unnest($2::uuid[], $3::text[]) as image (file_id, url)
        """,
        post_id, [one[0] for one in images], [one[1] for one in images],
    )  # fmt: skip


async def unused_images(db: Executor, owner: UUID, post_id: UUID) -> list[str]:
    """The addresses of a post's images that no post of its owner shows any more."""
    rows = await db.fetch(
        """
        select i.url from blog_images i where i.post_id = $2
        and not exists (select from blog_posts p where p.user_id = $1 and strpos(p.content, i.url) > 0)
        """,
        owner, post_id,
    )  # fmt: skip
    return [row["url"] for row in rows]


async def business(db: Executor, owner: UUID) -> Record:
    """What the client tells of the business: brand texts, and the names of its active services."""
    row = await db.fetchrow(
        """
        select b.business_name, b.business_description, b.website_url,
               array(
                   select s.name from services s where s.user_id = $1 and s.active order by s.name limit 30
               ) as services
        from (select) one left join brand_assets b on b.user_id = $1 and b.superseded_at is null limit 1
        """,
        owner,
    )
    assert row is not None, "one row, whether there is a brand or not"
    return row


async def client_name(db: Executor, owner: UUID) -> str:
    found: str | None = await db.fetchval(
        """
        select coalesce(nullif(b.business_name, ''), nullif(trim(u.first_name || ' ' || u.last_name), ''), u.email)
        from users u left join brand_assets b on b.user_id = u.id and b.superseded_at is null where u.id = $1 limit 1
        """,
        owner,
    )
    return found or "A client"
