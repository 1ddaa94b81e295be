-- One row for each task item or request that is, or is becoming, an item at monday.com. One that lost its task stays:
-- its item must not come back as a new task.
create table monday_links (
    id              uuid         primary key default gen_random_uuid(),
    client_id       uuid         not null references users (id) on delete cascade,
    task_item_id    uuid         unique references task_items (id) on delete set null,
    request_id      uuid         unique references requests (id) on delete cascade,
    board_id        text         not null,
    group_id        text         not null,
    name            text         not null,  -- as it is created at monday.com
    monday_item_id  text,
    tries           integer      not null default 0,  -- of creating it; more than one looks for it first
    base            jsonb,       -- {name, status, due_date, archived}: what both sides were last known to have
    last_update_id  text,        -- the newest comment there that was looked at
    trouble         text,        -- why monday.com refused it last
    trouble_at      timestamptz,
    lease_until     timestamptz, -- somebody is at work on it
    queued_at       timestamptz, -- work on it is on its way
    created_at      timestamptz  not null default now(),
    check (task_item_id is null or request_id is null)
);
create unique index idx_monday_links_task_monday on monday_links (monday_item_id) where request_id is null;
create unique index idx_monday_links_request_monday on monday_links (monday_item_id) where request_id is not null;
create index idx_monday_links_client on monday_links (client_id);
create index idx_monday_links_new on monday_links (board_id, name) where monday_item_id is null;

-- Items that were linked before this table: the first look at both sides settles what they have.
insert into monday_links (client_id, request_id, board_id, group_id, name, monday_item_id)
select r.user_id, r.id, coalesce(r.monday_board_id, ''), '', left(coalesce(r.title, 'Request'), 255), r.monday_item_id
from (select distinct on (monday_item_id) * from requests where monday_item_id is not null
      order by monday_item_id, created_at) r;

-- Comments that are on both sides.
create table monday_updates (
    task_update_id    uuid         primary key references task_updates (id) on delete cascade,
    link_id           uuid         not null references monday_links (id) on delete cascade,
    monday_update_id  text         unique,
    tries             integer      not null default 0
);
create index idx_monday_updates_link on monday_updates (link_id);

-- Who is who at monday.com, so that an account manager is found without asking there.
create table monday_people (
    id       text         primary key,
    name     text         not null,
    email    text         not null,  -- lower case
    seen_at  timestamptz  not null default now()
);

alter table requests
    add column attachment_url text,
    add column rush_told_at timestamptz,
    add column monday_update_id text,
    add column monday_values_at timestamptz,
    add column monday_file_at timestamptz,
    add column monday_update_tries integer not null default 0,
    add column monday_file_tries integer not null default 0,
    add column trouble text;
comment on column requests.attachment_url is 'address of the kept file that came with the request';
comment on column requests.trouble is 'what monday.com refused of it';
