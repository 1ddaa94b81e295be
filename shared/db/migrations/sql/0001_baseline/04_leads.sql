-- A client's calls and what is kept about them: stages, notes, tags, views, services, converted customers.

create table lead_pipeline_stages (
    id             uuid         primary key default gen_random_uuid(),
    owner_user_id  uuid         not null references users (id) on delete cascade,
    name           text         not null,
    color          text         not null default '#6366f1',
    "position"     integer      not null default 0,
    is_won_stage   boolean      not null default false,
    is_lost_stage  boolean      not null default false,
    created_at     timestamptz  not null default now(),
    updated_at     timestamptz  not null default now()
);
create index idx_lead_pipeline_stages_owner on lead_pipeline_stages (owner_user_id);
create index idx_lead_pipeline_stages_position on lead_pipeline_stages (owner_user_id, "position");

create table services (
    id           uuid           primary key default gen_random_uuid(),
    name         text           not null,
    description  text,
    base_price   numeric(10,2),
    active       boolean        not null default true,
    created_at   timestamptz    not null default now(),
    updated_at   timestamptz    not null default now(),
    user_id      uuid           references users (id) on delete cascade
);
create index idx_services_user on services (user_id);

create table active_clients (
    id             uuid         primary key default gen_random_uuid(),
    owner_user_id  uuid         references users (id) on delete cascade,
    client_name    text,
    client_phone   text,
    client_email   text,
    source         text,
    funnel_data    jsonb        not null default '{}',
    status         text         not null default 'active',
    created_at     timestamptz  not null default now(),
    updated_at     timestamptz  not null default now(),
    archived_at    timestamptz
);
create index idx_active_clients_owner on active_clients (owner_user_id);

create table client_services (
    id                uuid           primary key default gen_random_uuid(),
    active_client_id  uuid           not null references active_clients (id) on delete cascade,
    service_id        uuid           not null references services (id) on delete cascade,
    agreed_price      numeric(10,2),
    agreed_date       timestamptz    not null default now(),
    redacted_at       timestamptz,
    created_at        timestamptz    not null default now()
);
create index idx_client_services_active_client on client_services (active_client_id);
create index idx_client_services_agreed_date on client_services (agreed_date);
create index idx_client_services_redacted on client_services (redacted_at);
create index idx_client_services_service on client_services (service_id);

create table call_logs (
    id                 uuid         primary key default gen_random_uuid(),
    user_id            uuid         not null references users (id) on delete cascade,
    call_id            text         unique,
    direction          text,
    from_number        text,
    to_number          text,
    started_at         timestamptz,
    duration_sec       integer,
    score              integer,
    meta               jsonb        not null default '{}',
    created_at         timestamptz  not null default now(),
    owner_user_id      uuid         references users (id) on delete cascade,
    caller_type        text         default 'new',  -- new, repeat, returning_customer, active_client
    active_client_id   uuid         references active_clients (id) on delete set null,
    call_sequence      integer      default 1,
    pipeline_stage_id  uuid         references lead_pipeline_stages (id) on delete set null
);
create index idx_call_logs_active_client on call_logs (active_client_id);
create index idx_call_logs_caller_type on call_logs (caller_type);
create index idx_call_logs_from_number on call_logs (from_number);
create index idx_call_logs_owner_user on call_logs (owner_user_id);
create index idx_call_logs_pipeline_stage on call_logs (pipeline_stage_id);
create index idx_call_logs_user on call_logs (user_id);

create table lead_notes (
    id             uuid         primary key default gen_random_uuid(),
    owner_user_id  uuid         not null references users (id) on delete cascade,
    call_id        text         not null,
    author_id      uuid         references users (id) on delete set null,
    note_type      text         not null default 'note',  -- note, call, email, sms, meeting
    body           text         not null,
    metadata       jsonb        not null default '{}',
    created_at     timestamptz  not null default now()
);
create index idx_lead_notes_call on lead_notes (call_id);
create index idx_lead_notes_created on lead_notes (created_at desc);
create index idx_lead_notes_owner on lead_notes (owner_user_id);

create table lead_saved_views (
    id             uuid         primary key default gen_random_uuid(),
    owner_user_id  uuid         not null references users (id) on delete cascade,
    name           text         not null,
    filters        jsonb        not null default '{}',
    is_default     boolean      not null default false,
    created_at     timestamptz  not null default now(),
    updated_at     timestamptz  not null default now()
);
create index idx_lead_saved_views_owner on lead_saved_views (owner_user_id);

create table lead_tags (
    id             uuid         primary key default gen_random_uuid(),
    owner_user_id  uuid         not null references users (id) on delete cascade,
    name           text         not null,
    color          text         not null default '#6366f1',
    created_at     timestamptz  not null default now(),
    unique (owner_user_id, name)
);
create index idx_lead_tags_owner on lead_tags (owner_user_id);

create table call_log_tags (
    id          uuid         primary key default gen_random_uuid(),
    call_id     text         not null,
    tag_id      uuid         not null references lead_tags (id) on delete cascade,
    created_at  timestamptz  not null default now(),
    unique (call_id, tag_id)
);
create index idx_call_log_tags_call on call_log_tags (call_id);
create index idx_call_log_tags_tag on call_log_tags (tag_id);
