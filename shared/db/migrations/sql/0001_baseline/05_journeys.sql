-- What a client does step by step to win one lead.

create table client_journeys (
    id                 uuid         primary key default gen_random_uuid(),
    owner_user_id      uuid         not null references users (id) on delete cascade,
    lead_call_id       uuid         references call_logs (id) on delete set null,
    lead_call_key      text,
    active_client_id   uuid         references active_clients (id) on delete set null,
    client_name        text,
    client_phone       text,
    client_email       text,
    symptoms           jsonb        not null default '[]',
    symptoms_redacted  boolean      not null default false,
    status             text         not null default 'pending',  -- pending, in_progress, active_client, won, lost, archived
    paused             boolean      not null default false,
    next_action_at     timestamptz,
    notes_summary      text,
    created_at         timestamptz  not null default now(),
    updated_at         timestamptz  not null default now(),
    archived_at        timestamptz,
    service_id         uuid         references services (id) on delete set null,
    parent_journey_id  uuid         references client_journeys (id) on delete set null
);
create index idx_client_journeys_lead_call_key on client_journeys (lead_call_key);
create index idx_client_journeys_owner on client_journeys (owner_user_id);
create index idx_client_journeys_parent on client_journeys (parent_journey_id);
create index idx_client_journeys_service on client_journeys (service_id);
create index idx_client_journeys_status on client_journeys (status);

create table client_journey_steps (
    id            uuid         primary key default gen_random_uuid(),
    journey_id    uuid         not null references client_journeys (id) on delete cascade,
    "position"    integer      not null default 0,
    label         text         not null,
    channel       text,
    message       text,
    offset_weeks  integer      default 0,
    due_at        timestamptz,
    completed_at  timestamptz,
    notes         text,
    created_at    timestamptz  not null default now()
);
create index idx_client_journey_steps_journey on client_journey_steps (journey_id);

create table client_journey_notes (
    id          uuid         primary key default gen_random_uuid(),
    journey_id  uuid         not null references client_journeys (id) on delete cascade,
    author_id   uuid         references users (id) on delete set null,
    body        text         not null,
    created_at  timestamptz  not null default now()
);
create index idx_client_journey_notes_journey on client_journey_notes (journey_id);
