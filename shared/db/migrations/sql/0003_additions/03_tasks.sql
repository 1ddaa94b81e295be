alter table task_items
    add column monday_item_id text,
    add column monday_board_id text;
create unique index idx_task_items_monday on task_items (monday_item_id) where monday_item_id is not null;
