-- Images that came inside of a post's HTML: kept as files, deleted with it.
create table blog_images (
    file_id  uuid  primary key references stored_files (id) on delete cascade,
    post_id  uuid  not null references blog_posts (id) on delete cascade,
    url      text  not null
);
create index idx_blog_images_post on blog_images (post_id);

update blog_posts set status = 'draft' where status not in ('draft', 'published');
alter table blog_posts add constraint blog_posts_status_check check (status in ('draft', 'published'));
update blog_posts set published_at = updated_at where status = 'published' and published_at is null;
