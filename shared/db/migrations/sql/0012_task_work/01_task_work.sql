-- The day that time is billed for. Old entries keep the day by which the old server reported them.
alter table task_time_entries add column work_date date not null default current_date;
update task_time_entries set work_date = (created_at at time zone 'UTC')::date;
comment on column task_time_entries.work_date is 'day of the work in the agency''s time zone; reports count by it';

-- Which deleted item an entry was for, so that two items of one name stay two.
alter table task_time_entries add column former_item_id uuid;
comment on column task_time_entries.former_item_id is 'id of the purged item; null while item_id is set';
create index idx_task_time_entries_user_work on task_time_entries (user_id, work_date);
drop index if exists idx_task_time_entries_user;

create or replace function keep_time_of_deleted_item() returns trigger language plpgsql as $$
begin
    update task_time_entries
    set item_name = old.name, former_item_id = old.id,
        board_id = coalesce((select g.board_id from task_groups g where g.id = old.group_id), board_id)
    where item_id = old.id;
    return old;
end $$;

-- A deleted group's items go after it, and can no longer say which board they were on: their time notes it before.
create function note_board_of_deleted_group() returns trigger language plpgsql as $$
begin
    update task_time_entries e
    set board_id = b.id
    from task_items i, task_boards b
    where i.group_id = old.id and e.item_id = i.id and b.id = old.board_id;
    return old;
end $$;
create trigger task_groups_note_board before delete on task_groups
    for each row execute function note_board_of_deleted_group();

-- Updates that may mention somebody, newest first.
create index idx_task_updates_mentions on task_updates (created_at desc) where strpos(content, '@') > 0;

create index idx_task_automation_runs_newest on task_automation_runs (ran_at desc, id);
drop index if exists idx_task_automation_runs_ran_at;
