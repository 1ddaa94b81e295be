-- Items written before labels had texts. Sub-items keep their codes: the dashboard still writes and compares todo and done.
update task_items set status = label
from (values ('todo', 'To Do'), ('working', 'Working on it'), ('blocked', 'Stuck'), ('done', 'Done'),
             ('needs_attention', 'Needs Attention')) as legacy (code, label)
where status = code;

-- Every group had order 0, so boards showed them by name: make that order real where nobody chose another.
update task_groups g set order_index = n.position
from (
    select id,
           row_number() over (partition by board_id order by name, id) - 1 as position,
           max(order_index) over (partition by board_id) as highest
    from task_groups
) n
where n.id = g.id and n.highest = 0;

-- Time is billed after its item is purged: the entry stays and remembers what it was spent on.
alter table task_time_entries
    alter column item_id drop not null,
    drop constraint task_time_entries_item_id_fkey,
    add constraint task_time_entries_item_id_fkey foreign key (item_id) references task_items (id) on delete set null,
    add column item_name text,
    add column board_id uuid references task_boards (id) on delete set null;
comment on column task_time_entries.item_name is 'name of the purged item; null while item_id is set';
comment on column task_time_entries.board_id is 'board of the purged item; null while item_id is set';

create function keep_time_of_deleted_item() returns trigger language plpgsql as $$
begin
    update task_time_entries
    set item_name = old.name, board_id = (select g.board_id from task_groups g where g.id = old.group_id)
    where item_id = old.id;
    return old;
end $$;
create trigger task_items_keep_time before delete on task_items
    for each row execute function keep_time_of_deleted_item();

-- Indexes behind foreign keys.
create index idx_task_workspaces_created_by on task_workspaces (created_by);
create index idx_task_workspace_memberships_user on task_workspace_memberships (user_id);
create index idx_task_boards_created_by on task_boards (created_by);
create index idx_task_items_created_by on task_items (created_by);
create index idx_task_items_archived_by on task_items (archived_by);
create index idx_task_subitems_archived_by on task_subitems (archived_by);
create index idx_task_item_assignees_user on task_item_assignees (user_id);
create index idx_task_updates_user on task_updates (user_id);
create index idx_task_files_uploaded_by on task_files (uploaded_by);
create index idx_task_time_entries_board on task_time_entries (board_id);
create index idx_task_board_automations_created_by on task_board_automations (created_by);
create index idx_task_global_automations_created_by on task_global_automations (created_by);
create index idx_task_global_status_labels_created_by on task_global_status_labels (created_by);
create index idx_task_item_ai_summaries_generated_by on task_item_ai_summaries (generated_by);

-- Indexes behind the lists; each replaces the one on its first column alone.
create index idx_task_boards_workspace_created on task_boards (workspace_id, created_at desc);
create index idx_task_groups_board_order on task_groups (board_id, order_index);
create index idx_task_items_due on task_items (due_date) where archived_at is null;
create index idx_task_items_live on task_items (group_id, updated_at desc) where archived_at is null;
create index idx_task_updates_item_created on task_updates (item_id, created_at desc);
create index idx_task_files_item_created on task_files (item_id, created_at desc);
create index idx_task_time_entries_item_created on task_time_entries (item_id, created_at);
create index idx_task_automation_runs_board on task_automation_runs (board_id, ran_at desc);
drop index if exists idx_task_boards_workspace, idx_task_groups_board, idx_task_updates_item, idx_task_files_item,
    idx_task_time_entries_item;

-- Covered by a unique constraint, or too few values to be of use.
drop index if exists idx_task_ai_daily_overviews_user_date, idx_task_update_views_update, idx_task_items_status,
    idx_task_board_automations_active, idx_task_global_automations_active;
