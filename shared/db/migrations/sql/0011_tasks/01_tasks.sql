-- Labels: one of each text, whatever its case, on a board and among the global ones; the oldest stays.
delete from task_board_status_labels l using task_board_status_labels older
where older.board_id = l.board_id and lower(btrim(older.label)) = lower(btrim(l.label))
  and (older.created_at, older.id) < (l.created_at, l.id);
delete from task_global_status_labels l using task_global_status_labels older
where lower(btrim(older.label)) = lower(btrim(l.label)) and (older.created_at, older.id) < (l.created_at, l.id);
create unique index idx_task_board_status_labels_text on task_board_status_labels (board_id, lower(btrim(label)));
create unique index idx_task_global_status_labels_text on task_global_status_labels (lower(btrim(label)));
drop index if exists idx_task_board_status_labels_board;

-- The five labels of every board that has none of its own.
create view task_default_labels as
select * from (values
    ('default-todo', 'To Do', '#808080', 0, false),
    ('default-working', 'Working on it', '#fdab3d', 1, false),
    ('default-stuck', 'Stuck', '#e2445c', 2, false),
    ('default-done', 'Done', '#00c875', 3, true),
    ('default-needs-attention', 'Needs Attention', '#ff642e', 4, false)
) as label (id, label, color, order_index, is_done_state);

-- The labels of each board: the global ones, a board's own of the same text in their place, then the board's others,
-- or the default ones where it has none. ``text_key`` is what an item's status is compared with: lower(btrim(status)).
create view task_labels as
select b.id as board_id, coalesce(own.id, g.id)::text as id, coalesce(own.label, g.label) as label,
       coalesce(own.color, g.color) as color, coalesce(own.order_index, g.order_index) as order_index,
       coalesce(own.is_done_state, g.is_done_state) as is_done_state, coalesce(own.created_at, g.created_at) as created_at,
       case when own.id is null then 'global' else 'board' end as origin, g.created_by,
       lower(btrim(g.label)) as text_key, 0 as part, g.order_index as place
from task_boards b
cross join task_global_status_labels g
left join task_board_status_labels own on own.board_id = b.id and lower(btrim(own.label)) = lower(btrim(g.label))
union all
select own.board_id, own.id::text, own.label, own.color, own.order_index, own.is_done_state, own.created_at,
       'board', null, lower(btrim(own.label)), 1, own.order_index
from task_board_status_labels own
where not exists (select from task_global_status_labels g where lower(btrim(g.label)) = lower(btrim(own.label)))
union all
select b.id, d.id, d.label, d.color, d.order_index, d.is_done_state, null,
       'default', null, lower(d.label), 2, d.order_index
from task_boards b
cross join task_default_labels d
where not exists (select from task_board_status_labels own where own.board_id = b.id)
  and not exists (select from task_global_status_labels g where lower(btrim(g.label)) = lower(d.label));

-- What happened to an item, who did it, and by which hand.
create table task_item_changes (
    id       bigint       primary key generated always as identity,
    item_id  uuid         not null references task_items (id) on delete cascade,
    user_id  uuid         references users (id) on delete set null,
    origin   text         not null check (origin in ('person', 'automation', 'schedule', 'monday')),
    changes  jsonb        not null,  -- [{what, old, new}]
    at       timestamptz  not null default now()
);
create index idx_task_item_changes_item on task_item_changes (item_id, at desc);
create index idx_task_item_changes_user on task_item_changes (user_id);

-- A file's bytes go with its row, also when that goes with its item, group, board or workspace.
create function order_deletion_of_task_files() returns trigger language plpgsql as $$
begin
    with kept as (
        delete from stored_files where id in (
            select split_part(file_url, '/', 3)::uuid from gone
            where file_url ~ '^/uploads/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/')
        returning folder || '/' || id as object
    ), object as (
        select object from kept
        union all
        select substr(file_url, 10) from gone where file_url ~ '^/uploads/tasks/[^/?#%]+$'  -- the old server's
    ), numbered as (
        select object, (row_number() over () - 1) / 100 as bundle from object
    )
    insert into outbox (kind, target, payload)
    select 'task', 'files_delete', jsonb_build_object('objects', jsonb_agg(object)) from numbered group by bundle;
    return null;
end $$;
create trigger task_files_delete_bytes after delete on task_files
    referencing old table as gone for each statement execute function order_deletion_of_task_files();

-- Purging and archiving by schedule.
create index idx_task_items_archived on task_items (archived_at) where archived_at is not null;
drop index if exists idx_task_items_archived_at;
create index idx_task_subitems_archived on task_subitems (archived_at) where archived_at is not null;
drop index if exists idx_task_subitems_archived_at;
