-- One current brand row per client. Where there were several, the one last changed stays current and takes over the
-- others' files; the others stay, marked.
alter table brand_assets add column superseded_at timestamptz;
comment on column brand_assets.superseded_at is 'a duplicate of the client''s current row, found when the old database was adopted';

create temporary table current_brand on commit drop as
select distinct on (user_id) id, user_id from brand_assets
where user_id in (select user_id from brand_assets group by user_id having count(*) > 1)
order by user_id, updated_at desc, id;

update brand_assets b
set logos = files.logos, style_guides = files.style_guides
from (
    select c.id,
           (select coalesce(jsonb_agg(file), '[]') from (
                select distinct file from brand_assets o,
                    jsonb_array_elements(case jsonb_typeof(o.logos) when 'array' then o.logos else '[]' end) file
                where o.user_id = c.user_id) all_logos) as logos,
           (select coalesce(jsonb_agg(file), '[]') from (
                select distinct file from brand_assets o,
                    jsonb_array_elements(case jsonb_typeof(o.style_guides) when 'array' then o.style_guides else '[]' end) file
                where o.user_id = c.user_id) all_guides) as style_guides
    from current_brand c
) files
where files.id = b.id;

update brand_assets b set superseded_at = now()
from current_brand c where c.user_id = b.user_id and c.id <> b.id;
drop table current_brand;

drop index if exists idx_brand_assets_user_unique;  -- an old database has it only if it had no duplicates
create unique index idx_brand_assets_user_unique on brand_assets (user_id) where superseded_at is null;

-- A document whose author is gone says so.
update documents set created_by = null
where created_by is not null and not exists (select from users where users.id = documents.created_by);
alter table documents add foreign key (created_by) references users (id) on delete set null;

create index idx_documents_created_by on documents (created_by);
create index idx_shared_documents_created_by on shared_documents (created_by);
create index idx_client_profiles_task_workspace on client_profiles (task_workspace_id);
create index idx_client_profiles_task_board on client_profiles (task_board_id);

create index idx_documents_user_created on documents (user_id, created_at desc);
create index idx_blog_posts_user_updated on blog_posts (user_id, updated_at desc);
create index idx_requests_user_created on requests (user_id, created_at desc);
create index idx_notifications_user_created on notifications (user_id, created_at desc);
create index idx_notifications_unread on notifications (user_id) where status = 'unread';
drop index if exists idx_documents_user, idx_blog_posts_user, idx_requests_user, idx_notifications_user;
drop index if exists idx_blog_posts_status, idx_notifications_status;
