-- Work that must not be lost: what is to be sent, what has been handled, what ran, and who calls too often.

create table outbox (
    id             uuid         primary key default gen_random_uuid(),
    kind           text         not null check (kind in ('task', 'event')),
    target         text         not null,  -- the function of a task, the topic of an event
    payload        jsonb        not null,
    attributes     jsonb        not null default '{}',
    not_before     timestamptz,
    created_at     timestamptz  not null default now(),
    sends          int          not null default 0,
    dispatched_at  timestamptz,
    last_error     text,
    done_at        timestamptz,
    dead_at        timestamptz,
    dead_handler   text,
    dead_reason    text
);
create index idx_outbox_waiting on outbox (created_at)
    where dispatched_at is null and done_at is null and dead_at is null;
create index idx_outbox_sent on outbox (dispatched_at)
    where kind = 'task' and dispatched_at is not null and done_at is null and dead_at is null;
create index idx_outbox_dead on outbox (dead_at desc) where dead_at is not null;
create index idx_outbox_done on outbox (done_at) where done_at is not null;

create table inbox (
    handler      text         not null,
    message_key  text         not null,
    lease_until  timestamptz  not null,
    lease_token  uuid         not null,
    done_at      timestamptz,
    attempts     int          not null default 1,
    created_at   timestamptz  not null default now(),
    primary key (handler, message_key)
);
create index idx_inbox_done on inbox (done_at) where done_at is not null;

-- Unlogged: after a crash the counters start again, which costs less than a log record for every request.
create unlogged table request_counters (
    subject       text         not null,
    kind          text         not null,
    window_start  timestamptz  not null,
    hits          int          not null,
    primary key (kind, subject)
);
create index idx_request_counters_window on request_counters (window_start);

-- Tokens of signed webhooks already used.
create table webhook_tokens (
    vendor   text         not null,
    token    text         not null,
    seen_at  timestamptz  not null default now(),
    primary key (vendor, token)
);
create index idx_webhook_tokens_seen on webhook_tokens (seen_at);

create table job_runs (
    id           uuid         primary key default gen_random_uuid(),
    name         text         not null,
    started_at   timestamptz  not null default now(),
    finished_at  timestamptz,
    ok           boolean,
    note         text
);
create index idx_job_runs_name on job_runs (name, started_at desc);

-- An instant as the dashboard reads it: 2026-01-31T10:00:00.123Z. Immutable in truth, since it fixes zone and format.
create function iso(moment timestamptz) returns text language sql immutable parallel safe
    return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
