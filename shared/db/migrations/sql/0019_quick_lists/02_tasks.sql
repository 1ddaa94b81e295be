-- A board shows how long each of its items took: read from the index alone.
drop index if exists idx_task_time_entries_item_created;
create index idx_task_time_entries_item_created on task_time_entries (item_id, created_at) include (time_spent_minutes);
