-- Workspaces, boards, groups, items and everything that hangs on an item. Before the clients: their profiles refer to it.

create table task_workspaces (
    id          uuid         primary key default gen_random_uuid(),
    name        text         not null,
    created_by  uuid         references users (id) on delete set null,
    created_at  timestamptz  not null default now()
);

create table task_workspace_memberships (
    workspace_id  uuid         not null references task_workspaces (id) on delete cascade,
    user_id       uuid         not null references users (id) on delete cascade,
    role          text         not null default 'member',
    created_at    timestamptz  not null default now(),
    primary key (workspace_id, user_id)
);

create table task_boards (
    id            uuid         primary key default gen_random_uuid(),
    workspace_id  uuid         not null references task_workspaces (id) on delete cascade,
    name          text         not null,
    description   text,
    board_prefix  text,
    created_by    uuid         references users (id) on delete set null,
    created_at    timestamptz  not null default now()
);
create index idx_task_boards_workspace on task_boards (workspace_id);

create table task_groups (
    id           uuid     primary key default gen_random_uuid(),
    board_id     uuid     not null references task_boards (id) on delete cascade,
    name         text     not null,
    order_index  integer  not null default 0
);
create index idx_task_groups_board on task_groups (board_id);

create table task_items (
    id               uuid         primary key default gen_random_uuid(),
    group_id         uuid         not null references task_groups (id) on delete cascade,
    name             text         not null,
    status           text         not null default 'To Do',
    due_date         date,
    is_voicemail     boolean      not null default false,
    needs_attention  boolean      not null default false,
    created_by       uuid         references users (id) on delete set null,
    created_at       timestamptz  not null default now(),
    updated_at       timestamptz  not null default now(),
    archived_at      timestamptz,
    archived_by      uuid         references users (id) on delete set null
);
create index idx_task_items_archived_at on task_items (archived_at);
create index idx_task_items_group on task_items (group_id);
create index idx_task_items_status on task_items (status);

create table task_subitems (
    id              uuid         primary key default gen_random_uuid(),
    parent_item_id  uuid         not null references task_items (id) on delete cascade,
    name            text         not null,
    status          text         not null default 'To Do',
    due_date        date,
    created_at      timestamptz  not null default now(),
    archived_at     timestamptz,
    archived_by     uuid         references users (id) on delete set null
);
create index idx_task_subitems_archived_at on task_subitems (archived_at);
create index idx_task_subitems_parent on task_subitems (parent_item_id);

create table task_item_assignees (
    item_id     uuid         not null references task_items (id) on delete cascade,
    user_id     uuid         not null references users (id) on delete cascade,
    created_at  timestamptz  not null default now(),
    primary key (item_id, user_id)
);

create table task_updates (
    id          uuid         primary key default gen_random_uuid(),
    item_id     uuid         not null references task_items (id) on delete cascade,
    user_id     uuid         references users (id) on delete set null,
    content     text         not null,
    created_at  timestamptz  not null default now()
);
create index idx_task_updates_item on task_updates (item_id);

create table task_update_views (
    id         uuid         primary key default gen_random_uuid(),
    update_id  uuid         not null references task_updates (id) on delete cascade,
    user_id    uuid         not null references users (id) on delete cascade,
    viewed_at  timestamptz  not null default now(),
    unique (update_id, user_id)
);
create index idx_task_update_views_update on task_update_views (update_id);
create index idx_task_update_views_user on task_update_views (user_id);

create table task_files (
    id           uuid         primary key default gen_random_uuid(),
    item_id      uuid         references task_items (id) on delete cascade,
    update_id    uuid         references task_updates (id) on delete cascade,
    uploaded_by  uuid         references users (id) on delete set null,
    file_url     text         not null,
    file_name    text,
    created_at   timestamptz  not null default now()
);
create index idx_task_files_item on task_files (item_id);
create index idx_task_files_update on task_files (update_id);

create table task_time_entries (
    id                  uuid         primary key default gen_random_uuid(),
    item_id             uuid         not null references task_items (id) on delete cascade,
    user_id             uuid         references users (id) on delete set null,
    time_spent_minutes  integer      not null default 0 check (time_spent_minutes >= 0),
    billable_minutes    integer      not null default 0 check (billable_minutes >= 0),
    description         text,
    work_category       text,
    is_billable         boolean      not null default true,
    created_at          timestamptz  not null default now()
);
create index idx_task_time_entries_item on task_time_entries (item_id);
create index idx_task_time_entries_user on task_time_entries (user_id);

create table task_board_automations (
    id              uuid         primary key default gen_random_uuid(),
    board_id        uuid         not null references task_boards (id) on delete cascade,
    name            text         not null,
    trigger_type    text         not null,  -- status_change, assignee_added, due_date_relative
    trigger_config  jsonb        not null default '{}',
    action_type     text         not null,  -- notify_admins, notify_assignees, set_status, set_needs_attention, add_update
    action_config   jsonb        not null default '{}',
    is_active       boolean      not null default true,
    created_by      uuid         references users (id) on delete set null,
    created_at      timestamptz  not null default now()
);
create index idx_task_board_automations_active on task_board_automations (is_active);
create index idx_task_board_automations_board on task_board_automations (board_id);

create table task_global_automations (
    id              uuid         primary key default gen_random_uuid(),
    name            text         not null,
    trigger_type    text         not null,
    trigger_config  jsonb        not null default '{}',
    action_type     text         not null,
    action_config   jsonb        not null default '{}',
    is_active       boolean      not null default true,
    created_by      uuid         references users (id) on delete set null,
    created_at      timestamptz  not null default now()
);
create index idx_task_global_automations_active on task_global_automations (is_active);

create table task_automation_runs (
    id                   uuid         primary key default gen_random_uuid(),
    scope                text         not null,  -- board, global
    automation_id        uuid         not null,
    board_id             uuid         references task_boards (id) on delete cascade,
    item_id              uuid         references task_items (id) on delete cascade,
    trigger_type         text         not null,
    trigger_fingerprint  text,
    status               text         not null default 'success',
    error                text,
    meta                 jsonb        not null default '{}',
    ran_at               timestamptz  not null default now()
);
create index idx_task_automation_runs_automation on task_automation_runs (scope, automation_id);
create unique index idx_task_automation_runs_dedupe on task_automation_runs (scope, automation_id, item_id, trigger_fingerprint) where trigger_fingerprint is not null;
create index idx_task_automation_runs_item on task_automation_runs (item_id);
create index idx_task_automation_runs_ran_at on task_automation_runs (ran_at);

create table task_item_ai_summaries (
    item_id       uuid         primary key references task_items (id) on delete cascade,
    summary       text         not null,
    provider      text         not null default 'vertex',  -- vertex, fallback
    model         text,
    generated_by  uuid         references users (id) on delete set null,
    generated_at  timestamptz  not null default now(),
    source_meta   jsonb        not null default '{}'  -- latest_update_at, update_count, item_updated_at
);
create index idx_task_item_ai_summaries_generated_at on task_item_ai_summaries (generated_at);

create table task_ai_daily_overviews (
    id                   uuid         primary key default gen_random_uuid(),
    user_id              uuid         not null references users (id) on delete cascade,
    overview_date        date         not null,
    summary              text         not null,
    todo_items           jsonb        not null default '[]',
    pending_mentions     jsonb        not null default '[]',
    unanswered_mentions  jsonb        not null default '[]',
    provider             text         not null default 'vertex',
    model                text,
    generated_at         timestamptz  not null default now(),
    unique (user_id, overview_date)
);
create index idx_task_ai_daily_overviews_user_date on task_ai_daily_overviews (user_id, overview_date);

create table task_board_status_labels (
    id             uuid         primary key default gen_random_uuid(),
    board_id       uuid         not null references task_boards (id) on delete cascade,
    label          text         not null,
    color          text         not null default '#808080',
    order_index    integer      not null default 0,
    is_done_state  boolean      not null default false,
    created_at     timestamptz  not null default now()
);
create index idx_task_board_status_labels_board on task_board_status_labels (board_id);

create table task_global_status_labels (
    id             uuid         primary key default gen_random_uuid(),
    label          text         not null,
    color          text         not null default '#808080',
    order_index    integer      not null default 0,
    is_done_state  boolean      not null default false,
    created_by     uuid         references users (id) on delete set null,
    created_at     timestamptz  not null default now()
);
create index idx_task_global_status_labels_order on task_global_status_labels (order_index);
