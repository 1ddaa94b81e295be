-- The old server's database as its scripts leave it, for the tests of adoption.
--
-- The old server needs the extensions uuid-ossp and citext. Where the server has them they are used; the embedded one
-- has no contrib, and there a local function and a domain of the same names stand in: the domain does not compare
-- without case, which no test here relies on before adoption.
do $$ begin
    if exists (select from pg_available_extensions where name = 'citext')
       and exists (select from pg_available_extensions where name = 'uuid-ossp') then
        create extension citext;
        create extension "uuid-ossp";
    else
        create function uuid_generate_v4() returns uuid language sql as 'select gen_random_uuid()';
        create domain citext as text;
    end if;
end $$;

create table users (
    id                   uuid         primary key default uuid_generate_v4(),
    first_name           varchar(60)  not null,
    last_name            varchar(60)  not null,
    email                citext       not null unique,
    password_hash        text,
    avatar_url           text,
    role                 text         not null default 'client',
    created_at           timestamptz  not null default now(),
    updated_at           timestamptz  not null default now(),
    email_verified_at    timestamptz,
    password_changed_at  timestamptz,
    last_login_at        timestamptz,
    login_count          integer      not null default 0,
    failed_login_count   integer      not null default 0,
    locked_until         timestamptz,
    auth_provider        text         not null default 'local'
);
create index idx_users_email on users (email);
create index idx_users_locked on users (locked_until) where locked_until is not null;

create table user_avatars (
    user_id       uuid         primary key references users (id) on delete cascade,
    content_type  text         not null default 'image/jpeg',
    bytes         bytea        not null,
    updated_at    timestamptz  not null default now()
);

create table user_sessions (
    id                    uuid         primary key default uuid_generate_v4(),
    user_id               uuid         not null references users (id) on delete cascade,
    refresh_token_hash    text         not null unique,
    refresh_token_family  uuid         not null,
    device_id             uuid         not null,
    device_fingerprint    text,
    device_name           text,
    is_trusted            boolean      not null default false,
    trusted_until         timestamptz,
    ip_address            inet,
    user_agent            text,
    country_code          char(2),
    city                  text,
    created_at            timestamptz  not null default now(),
    last_activity_at      timestamptz  not null default now(),
    absolute_expiry_at    timestamptz  not null,
    refresh_expiry_at     timestamptz  not null,
    revoked_at            timestamptz,
    revoked_reason        text
);
create index idx_user_sessions_active on user_sessions (user_id) where revoked_at is null;
create index idx_user_sessions_device on user_sessions (device_id);
create index idx_user_sessions_expiry on user_sessions (refresh_expiry_at) where revoked_at is null;
create index idx_user_sessions_family on user_sessions (refresh_token_family);
create index idx_user_sessions_user on user_sessions (user_id);

create table user_trusted_devices (
    id                  uuid         primary key default uuid_generate_v4(),
    user_id             uuid         not null references users (id) on delete cascade,
    device_id           uuid         not null,
    device_fingerprint  text         not null,
    device_name         text,
    trusted_at          timestamptz  not null default now(),
    expires_at          timestamptz  not null,
    last_used_at        timestamptz,
    revoked_at          timestamptz,
    unique (user_id, device_id)
);
create index idx_trusted_devices_active on user_trusted_devices (user_id) where revoked_at is null;
create index idx_trusted_devices_user on user_trusted_devices (user_id);

create table user_mfa_settings (
    user_id                      uuid         primary key references users (id) on delete cascade,
    email_otp_enabled            boolean      not null default false,
    totp_enabled                 boolean      not null default false,
    totp_secret_encrypted        text,
    totp_backup_codes_encrypted  text,
    webauthn_enabled             boolean      not null default false,
    preferred_method             text         default 'email',
    require_mfa_always           boolean      not null default false,
    created_at                   timestamptz  not null default now(),
    updated_at                   timestamptz  not null default now()
);

create table mfa_challenges (
    id              uuid         primary key default uuid_generate_v4(),
    user_id         uuid         not null references users (id) on delete cascade,
    session_id      uuid         references user_sessions (id) on delete cascade,
    challenge_type  text         not null,
    otp_hash        text,
    created_at      timestamptz  not null default now(),
    expires_at      timestamptz  not null,
    verified_at     timestamptz,
    attempts        integer      not null default 0,
    max_attempts    integer      not null default 5,
    trigger_reason  text,
    ip_address      inet,
    user_agent      text
);
create index idx_mfa_challenges_pending on mfa_challenges (user_id, expires_at) where verified_at is null;
create index idx_mfa_challenges_user on mfa_challenges (user_id);

create table user_oauth_identities (
    id                       uuid         primary key default uuid_generate_v4(),
    user_id                  uuid         not null references users (id) on delete cascade,
    provider                 text         not null,
    provider_user_id         text         not null,
    provider_email           text         not null,
    provider_email_verified  boolean      not null default false,
    provider_name            text,
    provider_picture         text,
    created_at               timestamptz  not null default now(),
    last_login_at            timestamptz,
    unique (provider, provider_user_id)
);
create index idx_oauth_identities_lookup on user_oauth_identities (provider, provider_email);
create index idx_oauth_identities_user on user_oauth_identities (user_id);

create table security_audit_log (
    id              uuid         primary key default uuid_generate_v4(),
    user_id         uuid         references users (id) on delete set null,
    session_id      uuid,
    event_type      text         not null,
    event_category  text         not null,
    ip_address      inet,
    user_agent      text,
    country_code    char(2),
    device_id       uuid,
    details         jsonb        not null default '{}',
    success         boolean      not null,
    failure_reason  text,
    created_at      timestamptz  not null default now()
);
create index idx_audit_log_category on security_audit_log (event_category, created_at desc);
create index idx_audit_log_event on security_audit_log (event_type, created_at desc);
create index idx_audit_log_session on security_audit_log (session_id) where session_id is not null;
create index idx_audit_log_time on security_audit_log (created_at desc);
create index idx_audit_log_user on security_audit_log (user_id, created_at desc);

create table auth_rate_limits (
    id                uuid         primary key default uuid_generate_v4(),
    limit_key         text         not null,
    limit_type        text         not null,
    attempts          integer      not null default 1,
    first_attempt_at  timestamptz  not null default now(),
    last_attempt_at   timestamptz  not null default now(),
    locked_until      timestamptz,
    unique (limit_key, limit_type)
);
create index idx_rate_limits_cleanup on auth_rate_limits (last_attempt_at);
create index idx_rate_limits_locked on auth_rate_limits (locked_until) where locked_until is not null;
create index idx_rate_limits_lookup on auth_rate_limits (limit_key, limit_type);

create table email_verification_tokens (
    id           uuid         primary key default uuid_generate_v4(),
    user_id      uuid         not null references users (id) on delete cascade,
    token_hash   text         not null unique,
    email        text         not null,
    expires_at   timestamptz  not null,
    verified_at  timestamptz,
    created_at   timestamptz  not null default now()
);
create index idx_email_verification_user on email_verification_tokens (user_id);

create table password_reset_tokens (
    id          uuid         primary key default uuid_generate_v4(),
    user_id     uuid         not null references users (id) on delete cascade,
    token_hash  text         not null,
    expires_at  timestamptz  not null,
    used_at     timestamptz,
    created_at  timestamptz  not null default now()
);
create index idx_password_reset_tokens_hash on password_reset_tokens (token_hash);
create index idx_password_reset_tokens_user on password_reset_tokens (user_id);

create table client_onboarding_tokens (
    id                uuid         primary key default uuid_generate_v4(),
    user_id           uuid         not null references users (id) on delete cascade,
    token_hash        text         not null,
    expires_at        timestamptz  not null,
    consumed_at       timestamptz,
    revoked_at        timestamptz,
    reminder_sent_at  timestamptz,
    metadata          jsonb        not null default '{}',
    created_at        timestamptz  not null default now(),
    token_value       text
);
create index idx_client_onboarding_tokens_expires on client_onboarding_tokens (expires_at);
create index idx_client_onboarding_tokens_token on client_onboarding_tokens (token_hash);
create index idx_client_onboarding_tokens_user on client_onboarding_tokens (user_id);
create index idx_onboarding_tokens_active on client_onboarding_tokens (user_id, consumed_at, revoked_at, expires_at) where consumed_at is null and revoked_at is null;

create table task_workspaces (
    id          uuid         primary key default uuid_generate_v4(),
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
    id            uuid         primary key default uuid_generate_v4(),
    workspace_id  uuid         not null references task_workspaces (id) on delete cascade,
    name          text         not null,
    description   text,
    board_prefix  text,
    created_by    uuid         references users (id) on delete set null,
    created_at    timestamptz  not null default now()
);
create index idx_task_boards_workspace on task_boards (workspace_id);

create table task_groups (
    id           uuid     primary key default uuid_generate_v4(),
    board_id     uuid     not null references task_boards (id) on delete cascade,
    name         text     not null,
    order_index  integer  not null default 0
);
create index idx_task_groups_board on task_groups (board_id);

create table task_items (
    id               uuid         primary key default uuid_generate_v4(),
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
    id              uuid         primary key default uuid_generate_v4(),
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
    id          uuid         primary key default uuid_generate_v4(),
    item_id     uuid         not null references task_items (id) on delete cascade,
    user_id     uuid         references users (id) on delete set null,
    content     text         not null,
    created_at  timestamptz  not null default now()
);
create index idx_task_updates_item on task_updates (item_id);

create table task_update_views (
    id         uuid         primary key default uuid_generate_v4(),
    update_id  uuid         not null references task_updates (id) on delete cascade,
    user_id    uuid         not null references users (id) on delete cascade,
    viewed_at  timestamptz  not null default now(),
    unique (update_id, user_id)
);
create index idx_task_update_views_update on task_update_views (update_id);
create index idx_task_update_views_user on task_update_views (user_id);

create table task_files (
    id           uuid         primary key default uuid_generate_v4(),
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
    id                  uuid         primary key default uuid_generate_v4(),
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
    id              uuid         primary key default uuid_generate_v4(),
    board_id        uuid         not null references task_boards (id) on delete cascade,
    name            text         not null,
    trigger_type    text         not null,
    trigger_config  jsonb        not null default '{}',
    action_type     text         not null,
    action_config   jsonb        not null default '{}',
    is_active       boolean      not null default true,
    created_by      uuid         references users (id) on delete set null,
    created_at      timestamptz  not null default now()
);
create index idx_task_board_automations_active on task_board_automations (is_active);
create index idx_task_board_automations_board on task_board_automations (board_id);

create table task_global_automations (
    id              uuid         primary key default uuid_generate_v4(),
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
    id                   uuid         primary key default uuid_generate_v4(),
    scope                text         not null,
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
    provider      text         not null default 'vertex',
    model         text,
    generated_by  uuid         references users (id) on delete set null,
    generated_at  timestamptz  not null default now(),
    source_meta   jsonb        not null default '{}'
);
create index idx_task_item_ai_summaries_generated_at on task_item_ai_summaries (generated_at);

create table task_ai_daily_overviews (
    id                   uuid         primary key default uuid_generate_v4(),
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
    id             uuid         primary key default uuid_generate_v4(),
    board_id       uuid         not null references task_boards (id) on delete cascade,
    label          text         not null,
    color          text         not null default '#808080',
    order_index    integer      not null default 0,
    is_done_state  boolean      not null default false,
    created_at     timestamptz  not null default now()
);
create index idx_task_board_status_labels_board on task_board_status_labels (board_id);

create table task_global_status_labels (
    id             uuid         primary key default uuid_generate_v4(),
    label          text         not null,
    color          text         not null default '#808080',
    order_index    integer      not null default 0,
    is_done_state  boolean      not null default false,
    created_by     uuid         references users (id) on delete set null,
    created_at     timestamptz  not null default now()
);
create index idx_task_global_status_labels_order on task_global_status_labels (order_index);

create table client_profiles (
    user_id                           uuid           primary key references users (id) on delete cascade,
    looker_url                        text,
    client_package                    text,
    call_tracking_main_number         text,
    front_desk_emails                 text,
    office_admin_name                 text,
    office_admin_email                text,
    office_admin_phone                text,
    form_email_recipients             text,
    website_access_status             text,
    ga4_access_status                 text,
    google_ads_access_status          text,
    meta_access_status                text,
    website_forms_details_status      text,
    requires_website_access           boolean        not null default true,
    requires_ga4_access               boolean        not null default true,
    requires_google_ads_access        boolean        not null default true,
    requires_meta_access              boolean        not null default true,
    requires_forms_step               boolean        not null default true,
    website_access_provided           boolean        not null default false,
    website_access_understood         boolean        not null default false,
    ga4_access_provided               boolean        not null default false,
    ga4_access_understood             boolean        not null default false,
    google_ads_access_provided        boolean        not null default false,
    google_ads_access_understood      boolean        not null default false,
    meta_access_provided              boolean        not null default false,
    meta_access_understood            boolean        not null default false,
    website_forms_details_provided    boolean        not null default false,
    website_forms_details_understood  boolean        not null default false,
    website_forms_uses_third_party    boolean        not null default false,
    website_forms_uses_hipaa          boolean        not null default false,
    website_forms_connected_crm       boolean        not null default false,
    website_forms_custom              boolean        not null default false,
    website_forms_notes               text,
    monday_board_id                   text,
    monday_group_id                   text,
    monday_active_group_id            text,
    monday_completed_group_id         text,
    client_identifier_value           text,
    task_workspace_id                 uuid           references task_workspaces (id) on delete set null,
    task_board_id                     uuid           references task_boards (id) on delete set null,
    board_prefix                      text,
    account_manager_person_id         text,
    ctm_account_number                text,
    ctm_api_key                       text,
    ctm_api_secret                    text,
    ai_prompt                         text,
    onboarding_completed_at           timestamptz,
    created_at                        timestamptz    not null default now(),
    updated_at                        timestamptz    not null default now(),
    activated_at                      timestamptz,
    auto_star_enabled                 boolean        default false,
    monthly_revenue_goal              numeric(10,2),
    google_ads_account_id             text,
    client_type                       text,
    client_subtype                    text,
    onboarding_draft_json             jsonb,
    onboarding_draft_saved_at         timestamptz,
    ctm_sync_cursor                   timestamptz,
    ctm_last_page_token               text,
    reviews_enabled                   boolean        not null default false,
    reviews_last_sync_at              timestamptz,
    reviews_total_count               integer        default 0,
    reviews_average_rating            numeric(3,2),
    reviews_pending_response_count    integer        default 0
);

create table brand_assets (
    id                    uuid         primary key default uuid_generate_v4(),
    user_id               uuid         not null references users (id) on delete cascade,
    business_name         text,
    business_description  text,
    primary_brand_colors  text,
    logos                 jsonb        not null default '[]',
    style_guides          jsonb        not null default '[]',
    brand_notes           text,
    website_url           text,
    updated_at            timestamptz  not null default now()
);
create index idx_brand_assets_user on brand_assets (user_id);

create table documents (
    id                   uuid         primary key default uuid_generate_v4(),
    user_id              uuid         not null references users (id) on delete cascade,
    label                text,
    name                 text,
    url                  text,
    origin               text         default 'client',
    type                 text         default 'client',
    review_status        text         default 'none',
    review_requested_at  timestamptz,
    viewed_at            timestamptz,
    created_at           timestamptz  not null default now(),
    created_by           uuid
);
create index idx_documents_user on documents (user_id);

create table shared_documents (
    id           uuid         primary key default uuid_generate_v4(),
    label        text         not null,
    name         text,
    url          text         not null,
    description  text,
    sort_order   integer      default 0,
    created_by   uuid         references users (id) on delete set null,
    created_at   timestamptz  not null default now(),
    updated_at   timestamptz  not null default now()
);
create index idx_shared_documents_sort on shared_documents (sort_order, created_at desc);

create table blog_posts (
    id            uuid         primary key default uuid_generate_v4(),
    user_id       uuid         not null references users (id) on delete cascade,
    title         text         not null,
    content       text         not null,
    status        text         not null default 'draft',
    created_at    timestamptz  not null default now(),
    updated_at    timestamptz  not null default now(),
    published_at  timestamptz
);
create index idx_blog_posts_status on blog_posts (status);
create index idx_blog_posts_user on blog_posts (user_id);

create table notifications (
    id          uuid         primary key default uuid_generate_v4(),
    user_id     uuid         not null references users (id) on delete cascade,
    title       text         not null,
    body        text,
    link_url    text,
    status      text         not null default 'unread',
    meta        jsonb        not null default '{}',
    read_at     timestamptz,
    created_at  timestamptz  not null default now()
);
create index idx_notifications_status on notifications (status);
create index idx_notifications_user on notifications (user_id);

create table requests (
    id               uuid         primary key default uuid_generate_v4(),
    user_id          uuid         not null references users (id) on delete cascade,
    title            text,
    description      text,
    due_date         date,
    rush             boolean      not null default false,
    person_override  text,
    monday_item_id   text,
    monday_board_id  text,
    status           text,
    created_at       timestamptz  not null default now()
);
create index idx_requests_user on requests (user_id);

create table app_settings (
    key         text         primary key,
    value       jsonb        not null default '{}',
    updated_at  timestamptz  not null default now()
);

create table lead_pipeline_stages (
    id             uuid         primary key default uuid_generate_v4(),
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
    id           uuid           primary key default uuid_generate_v4(),
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
    id             uuid         primary key default uuid_generate_v4(),
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
    id                uuid           primary key default uuid_generate_v4(),
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
    id                 uuid         primary key default uuid_generate_v4(),
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
    caller_type        text         default 'new',
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
    id             uuid         primary key default uuid_generate_v4(),
    owner_user_id  uuid         not null references users (id) on delete cascade,
    call_id        text         not null,
    author_id      uuid         references users (id) on delete set null,
    note_type      text         not null default 'note',
    body           text         not null,
    metadata       jsonb        not null default '{}',
    created_at     timestamptz  not null default now()
);
create index idx_lead_notes_call on lead_notes (call_id);
create index idx_lead_notes_created on lead_notes (created_at desc);
create index idx_lead_notes_owner on lead_notes (owner_user_id);

create table lead_saved_views (
    id             uuid         primary key default uuid_generate_v4(),
    owner_user_id  uuid         not null references users (id) on delete cascade,
    name           text         not null,
    filters        jsonb        not null default '{}',
    is_default     boolean      not null default false,
    created_at     timestamptz  not null default now(),
    updated_at     timestamptz  not null default now()
);
create index idx_lead_saved_views_owner on lead_saved_views (owner_user_id);

create table lead_tags (
    id             uuid         primary key default uuid_generate_v4(),
    owner_user_id  uuid         not null references users (id) on delete cascade,
    name           text         not null,
    color          text         not null default '#6366f1',
    created_at     timestamptz  not null default now(),
    unique (owner_user_id, name)
);
create index idx_lead_tags_owner on lead_tags (owner_user_id);

create table call_log_tags (
    id          uuid         primary key default uuid_generate_v4(),
    call_id     text         not null,
    tag_id      uuid         not null references lead_tags (id) on delete cascade,
    created_at  timestamptz  not null default now(),
    unique (call_id, tag_id)
);
create index idx_call_log_tags_call on call_log_tags (call_id);
create index idx_call_log_tags_tag on call_log_tags (tag_id);

create table client_journeys (
    id                 uuid         primary key default uuid_generate_v4(),
    owner_user_id      uuid         not null references users (id) on delete cascade,
    lead_call_id       uuid         references call_logs (id) on delete set null,
    lead_call_key      text,
    active_client_id   uuid         references active_clients (id) on delete set null,
    client_name        text,
    client_phone       text,
    client_email       text,
    symptoms           jsonb        not null default '[]',
    symptoms_redacted  boolean      not null default false,
    status             text         not null default 'pending',
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
    id            uuid         primary key default uuid_generate_v4(),
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
    id          uuid         primary key default uuid_generate_v4(),
    journey_id  uuid         not null references client_journeys (id) on delete cascade,
    author_id   uuid         references users (id) on delete set null,
    body        text         not null,
    created_at  timestamptz  not null default now()
);
create index idx_client_journey_notes_journey on client_journey_notes (journey_id);

create table email_logs (
    id               uuid         primary key default uuid_generate_v4(),
    email_type       text         not null,
    recipient_email  text         not null,
    recipient_name   text,
    cc_emails        text[],
    bcc_emails       text[],
    subject          text         not null,
    text_body        text,
    html_body        text,
    status           text         not null default 'pending',
    mailgun_id       text,
    mailgun_message  text,
    error_message    text,
    triggered_by_id  uuid         references users (id) on delete set null,
    client_id        uuid         references users (id) on delete set null,
    metadata         jsonb        not null default '{}',
    created_at       timestamptz  not null default now(),
    sent_at          timestamptz,
    delivered_at     timestamptz,
    opened_at        timestamptz,
    open_count       integer      not null default 0,
    clicked_at       timestamptz,
    click_count      integer      not null default 0,
    bounced_at       timestamptz,
    bounce_type      text,
    bounce_code      text,
    complained_at    timestamptz,
    unsubscribed_at  timestamptz,
    delivery_status  jsonb        not null default '{}'
);
create index idx_email_logs_client on email_logs (client_id);
create index idx_email_logs_created on email_logs (created_at desc);
create index idx_email_logs_mailgun_id on email_logs (mailgun_id);
create index idx_email_logs_recipient on email_logs (recipient_email);
create index idx_email_logs_status on email_logs (status);
create index idx_email_logs_type on email_logs (email_type);

create table oauth_providers (
    id             uuid         primary key default uuid_generate_v4(),
    provider       text         not null check (provider in ('google', 'facebook', 'instagram', 'tiktok', 'wordpress')),
    client_id      text         not null,
    client_secret  text         not null,
    redirect_uri   text,
    auth_url       text,
    token_url      text,
    scopes         jsonb        not null default '[]',
    is_active      boolean      not null default true,
    notes          text,
    created_at     timestamptz  not null default now(),
    updated_at     timestamptz  not null default now()
);
create unique index idx_oauth_providers_provider on oauth_providers (provider);

create table oauth_connections (
    id                       uuid         primary key default uuid_generate_v4(),
    client_id                uuid         not null references users (id) on delete cascade,
    provider                 text         not null check (provider in ('google', 'facebook', 'instagram', 'tiktok', 'wordpress')),
    provider_account_id      text         not null,
    provider_account_name    text,
    access_token             text,
    refresh_token            text,
    token_type               text,
    scope_granted            jsonb        not null default '[]',
    expires_at               timestamptz,
    is_connected             boolean      not null default true,
    revoked_at               timestamptz,
    last_refreshed_at        timestamptz,
    last_error               text,
    external_metadata        jsonb        not null default '{}',
    encrypted_access_token   text,
    encrypted_refresh_token  text,
    token_hash               text,
    kms_key_id               text,
    last_rotated_at          timestamptz,
    created_at               timestamptz  not null default now(),
    updated_at               timestamptz  not null default now()
);
create index idx_oauth_connections_client on oauth_connections (client_id);
create index idx_oauth_connections_provider on oauth_connections (provider);

create table oauth_resources (
    id                   uuid         primary key default uuid_generate_v4(),
    client_id            uuid         not null references users (id) on delete cascade,
    oauth_connection_id  uuid         not null references oauth_connections (id) on delete cascade,
    provider             text         not null check (provider in ('google', 'facebook', 'instagram', 'tiktok', 'wordpress')),
    resource_type        text         not null check (resource_type in ('google_location', 'facebook_page', 'instagram_account', 'tiktok_account', 'wordpress_site')),
    resource_id          text         not null,
    resource_name        text         not null,
    resource_username    text,
    resource_url         text,
    is_primary           boolean      not null default false,
    is_enabled           boolean      not null default true,
    created_at           timestamptz  not null default now(),
    updated_at           timestamptz  not null default now()
);
create index idx_oauth_resources_client on oauth_resources (client_id);
create unique index idx_oauth_resources_connection_resource on oauth_resources (oauth_connection_id, resource_id);

create table reviews (
    id                     uuid          primary key default uuid_generate_v4(),
    client_id              uuid          not null references users (id) on delete cascade,
    oauth_resource_id      uuid          references oauth_resources (id) on delete set null,
    platform               text          not null default 'google' check (platform in ('google', 'yelp', 'facebook', 'healthgrades')),
    platform_review_id     text          not null,
    location_name          text,
    location_id            text,
    reviewer_name          text          not null,
    reviewer_photo_url     text,
    reviewer_profile_url   text,
    rating                 integer       not null check (rating between 1 and 5),
    review_text            text,
    review_language        text          default 'en',
    review_created_at      timestamptz   not null,
    review_updated_at      timestamptz,
    has_response           boolean       not null default false,
    response_text          text,
    response_created_at    timestamptz,
    response_updated_at    timestamptz,
    is_flagged             boolean       not null default false,
    flag_reason            text,
    flagged_at             timestamptz,
    flagged_by             uuid          references users (id) on delete set null,
    priority               text          default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
    internal_notes         text,
    sentiment_score        numeric(3,2)  check (sentiment_score between -1 and 1),
    sentiment_label        text          check (sentiment_label in ('positive', 'neutral', 'negative', 'mixed')),
    sentiment_analyzed_at  timestamptz,
    last_synced_at         timestamptz   not null default now(),
    sync_error             text,
    raw_data               jsonb         not null default '{}',
    created_at             timestamptz   not null default now(),
    updated_at             timestamptz   not null default now(),
    unique (client_id, platform, platform_review_id)
);
create index idx_reviews_client on reviews (client_id);
create index idx_reviews_has_response on reviews (has_response);
create index idx_reviews_is_flagged on reviews (is_flagged);
create index idx_reviews_oauth_resource on reviews (oauth_resource_id);
create index idx_reviews_platform on reviews (platform);
create index idx_reviews_priority on reviews (priority);
create index idx_reviews_rating on reviews (rating);
create index idx_reviews_review_created on reviews (review_created_at desc);
create index idx_reviews_sentiment on reviews (sentiment_label);

create table review_response_drafts (
    id                    uuid         primary key default uuid_generate_v4(),
    review_id             uuid         not null references reviews (id) on delete cascade,
    client_id             uuid         not null references users (id) on delete cascade,
    draft_text            text         not null,
    draft_version         integer      not null default 1,
    is_ai_generated       boolean      not null default false,
    ai_model              text,
    ai_prompt_used        text,
    ai_generation_params  jsonb        not null default '{}',
    status                text         not null default 'draft' check (status in ('draft', 'approved', 'sent', 'failed', 'discarded')),
    reviewed_by           uuid         references users (id) on delete set null,
    reviewed_at           timestamptz,
    review_notes          text,
    sent_at               timestamptz,
    send_error            text,
    platform_response_id  text,
    created_by            uuid         references users (id) on delete set null,
    created_at            timestamptz  not null default now(),
    updated_at            timestamptz  not null default now()
);
create index idx_review_response_drafts_client on review_response_drafts (client_id);
create index idx_review_response_drafts_created on review_response_drafts (created_at desc);
create index idx_review_response_drafts_review on review_response_drafts (review_id);
create index idx_review_response_drafts_status on review_response_drafts (status);

create table review_requests (
    id                   uuid         primary key default uuid_generate_v4(),
    client_id            uuid         not null references users (id) on delete cascade,
    oauth_resource_id    uuid         references oauth_resources (id) on delete set null,
    customer_name        text,
    customer_email       text,
    customer_phone       text,
    delivery_method      text         not null check (delivery_method in ('email', 'sms', 'link_only')),
    review_link          text         not null,
    custom_message       text,
    status               text         not null default 'pending' check (status in ('pending', 'sent', 'delivered', 'opened', 'clicked', 'completed', 'failed', 'bounced')),
    sent_at              timestamptz,
    delivered_at         timestamptz,
    opened_at            timestamptz,
    clicked_at           timestamptz,
    completed_at         timestamptz,
    resulting_review_id  uuid         references reviews (id) on delete set null,
    error_message        text,
    retry_count          integer      not null default 0,
    last_retry_at        timestamptz,
    source               text         default 'manual',
    campaign_id          uuid,
    metadata             jsonb        not null default '{}',
    created_by           uuid         references users (id) on delete set null,
    created_at           timestamptz  not null default now(),
    updated_at           timestamptz  not null default now()
);
create index idx_review_requests_campaign on review_requests (campaign_id);
create index idx_review_requests_client on review_requests (client_id);
create index idx_review_requests_created on review_requests (created_at desc);
create index idx_review_requests_customer_email on review_requests (customer_email);
create index idx_review_requests_delivery on review_requests (delivery_method);
create index idx_review_requests_status on review_requests (status);

create table review_request_campaigns (
    id                uuid         primary key default uuid_generate_v4(),
    client_id         uuid         not null references users (id) on delete cascade,
    name              text         not null,
    description       text,
    delivery_method   text         not null check (delivery_method in ('email', 'sms', 'link_only')),
    template_message  text,
    total_requests    integer      not null default 0,
    sent_count        integer      not null default 0,
    delivered_count   integer      not null default 0,
    opened_count      integer      not null default 0,
    clicked_count     integer      not null default 0,
    completed_count   integer      not null default 0,
    status            text         not null default 'draft' check (status in ('draft', 'scheduled', 'in_progress', 'completed', 'paused', 'cancelled')),
    scheduled_at      timestamptz,
    started_at        timestamptz,
    completed_at      timestamptz,
    created_by        uuid         references users (id) on delete set null,
    created_at        timestamptz  not null default now(),
    updated_at        timestamptz  not null default now()
);
create index idx_review_request_campaigns_client on review_request_campaigns (client_id);
create index idx_review_request_campaigns_status on review_request_campaigns (status);

create table review_automation_rules (
    id                         uuid         primary key default uuid_generate_v4(),
    client_id                  uuid         not null references users (id) on delete cascade,
    name                       text         not null,
    description                text,
    is_active                  boolean      not null default false,
    min_rating                 integer      check (min_rating between 1 and 5),
    max_rating                 integer      check (max_rating between 1 and 5),
    sentiment_filter           text[]       default '{}',
    keyword_triggers           text[]       default '{}',
    keyword_exclusions         text[]       default '{}',
    location_ids               text[]       default '{}',
    action_type                text         not null default 'draft' check (action_type in ('draft', 'auto_send', 'flag', 'notify')),
    response_template          text,
    use_ai_personalization     boolean      not null default true,
    ai_tone                    text         default 'professional' check (ai_tone in ('professional', 'friendly', 'casual', 'formal', 'empathetic')),
    requires_approval          boolean      not null default true,
    approval_threshold_rating  integer      default 3,
    notify_on_trigger          boolean      not null default false,
    notification_emails        text[]       default '{}',
    daily_limit                integer,
    hourly_limit               integer,
    executions_today           integer      not null default 0,
    executions_this_hour       integer      not null default 0,
    last_reset_at              timestamptz  not null default now(),
    priority                   integer      not null default 0,
    created_by                 uuid         references users (id) on delete set null,
    created_at                 timestamptz  not null default now(),
    updated_at                 timestamptz  not null default now(),
    check (min_rating is null or max_rating is null or min_rating <= max_rating)
);
create index idx_review_automation_rules_active on review_automation_rules (is_active);
create index idx_review_automation_rules_client on review_automation_rules (client_id);
create index idx_review_automation_rules_priority on review_automation_rules (priority desc);

create table review_automation_logs (
    id               uuid         primary key default uuid_generate_v4(),
    client_id        uuid         not null references users (id) on delete cascade,
    review_id        uuid         references reviews (id) on delete set null,
    rule_id          uuid         references review_automation_rules (id) on delete set null,
    draft_id         uuid         references review_response_drafts (id) on delete set null,
    action_type      text         not null,
    action_status    text         not null default 'pending' check (action_status in ('pending', 'executed', 'approved', 'rejected', 'failed', 'skipped')),
    ai_model         text,
    ai_input         jsonb        not null default '{}',
    ai_output        jsonb        not null default '{}',
    ai_tokens_used   integer,
    ai_latency_ms    integer,
    human_action     text,
    human_action_by  uuid         references users (id) on delete set null,
    human_action_at  timestamptz,
    human_notes      text,
    error_message    text,
    error_details    jsonb        not null default '{}',
    metadata         jsonb        not null default '{}',
    created_at       timestamptz  not null default now()
);
create index idx_review_automation_logs_client on review_automation_logs (client_id);
create index idx_review_automation_logs_created on review_automation_logs (created_at desc);
create index idx_review_automation_logs_review on review_automation_logs (review_id);
create index idx_review_automation_logs_rule on review_automation_logs (rule_id);
create index idx_review_automation_logs_status on review_automation_logs (action_status);

create table review_settings (
    client_id                          uuid         primary key references users (id) on delete cascade,
    auto_sync_enabled                  boolean      not null default true,
    sync_interval_minutes              integer      not null default 60,
    last_sync_at                       timestamptz,
    sync_error                         text,
    auto_flag_threshold                integer      default 3,
    auto_flag_keywords                 text[]       default '{}',
    notify_new_reviews                 boolean      not null default true,
    notify_negative_reviews            boolean      not null default true,
    negative_review_threshold          integer      default 3,
    notification_emails                text[]       default '{}',
    default_response_tone              text         default 'professional' check (default_response_tone in ('professional', 'friendly', 'casual', 'formal', 'empathetic')),
    include_business_name_in_response  boolean      not null default true,
    include_reviewer_name_in_response  boolean      not null default true,
    response_signature                 text,
    ai_drafting_enabled                boolean      not null default true,
    ai_auto_draft_positive             boolean      not null default false,
    ai_auto_draft_negative             boolean      not null default false,
    default_review_request_template    text,
    review_link_base_url               text,
    created_at                         timestamptz  not null default now(),
    updated_at                         timestamptz  not null default now()
);

create table review_statistics (
    id                           uuid           primary key default uuid_generate_v4(),
    client_id                    uuid           not null references users (id) on delete cascade,
    oauth_resource_id            uuid           references oauth_resources (id) on delete set null,
    period_type                  text           not null check (period_type in ('daily', 'weekly', 'monthly', 'yearly', 'all_time')),
    period_start                 date           not null,
    period_end                   date           not null,
    total_reviews                integer        not null default 0,
    new_reviews                  integer        not null default 0,
    responded_reviews            integer        not null default 0,
    pending_reviews              integer        not null default 0,
    flagged_reviews              integer        not null default 0,
    rating_1_count               integer        not null default 0,
    rating_2_count               integer        not null default 0,
    rating_3_count               integer        not null default 0,
    rating_4_count               integer        not null default 0,
    rating_5_count               integer        not null default 0,
    average_rating               numeric(3,2),
    average_response_time_hours  numeric(10,2),
    positive_count               integer        not null default 0,
    neutral_count                integer        not null default 0,
    negative_count               integer        not null default 0,
    requests_sent                integer        not null default 0,
    requests_completed           integer        not null default 0,
    request_conversion_rate      numeric(5,2),
    calculated_at                timestamptz    not null default now(),
    unique (client_id, oauth_resource_id, period_type, period_start)
);
create index idx_review_statistics_client on review_statistics (client_id);
create index idx_review_statistics_period on review_statistics (period_type, period_start);
create index idx_review_statistics_resource on review_statistics (oauth_resource_id);

create table forms (
    id                 uuid         primary key default uuid_generate_v4(),
    org_id             uuid         references users (id) on delete set null,
    name               text         not null,
    description        text,
    form_type          text         not null check (form_type in ('conversion', 'intake')),
    status             text         not null default 'draft' check (status in ('draft', 'published', 'archived')),
    active_version_id  uuid,
    settings_json      jsonb        not null default '{"email_recipients": [], "email_on_submission": true, "email_on_draft_resumed": false, "save_and_resume_enabled": false, "resume_token_ttl_hours": 72, "new_patient_button_label": "Start New", "new_patient_button_helper": "", "resume_button_label": "Resume", "resume_button_helper": "", "ctm_enabled": false, "ctm_conversion_action_id": null, "ctm_five_star_enabled": false, "domain_allowlist": [], "custom_thank_you_message": "Thank you for your submission!"}',
    embed_token        text         unique,
    created_at         timestamptz  not null default now(),
    updated_at         timestamptz  not null default now()
);
create index idx_forms_embed_token on forms (embed_token);
create index idx_forms_org on forms (org_id);
create index idx_forms_status on forms (status);

create table form_versions (
    id                  uuid         primary key default uuid_generate_v4(),
    form_id             uuid         not null references forms (id) on delete cascade,
    version_number      integer      not null,
    react_code          text         not null,
    css_code            text,
    schema_json         jsonb        not null default '{"fields": []}',
    ai_generated        boolean      not null default false,
    ai_source_pdf_path  text,
    ai_prompt_used      text,
    published_at        timestamptz,
    created_at          timestamptz  not null default now(),
    created_by          uuid         references users (id) on delete set null,
    unique (form_id, version_number)
);
create index idx_form_versions_form on form_versions (form_id);
create index idx_form_versions_published on form_versions (published_at) where published_at is not null;
alter table forms add foreign key (active_version_id) references form_versions (id) on delete set null;

create table form_submissions (
    id                 uuid         primary key default uuid_generate_v4(),
    form_id            uuid         not null references forms (id) on delete cascade,
    form_version_id    uuid         not null references form_versions (id) on delete cascade,
    submission_kind    text         not null check (submission_kind in ('conversion', 'intake', 'draft')),
    encrypted_payload  bytea,
    encryption_key_id  text,
    non_phi_payload    jsonb,
    attribution_json   jsonb        not null default '{}',
    ctm_sent           boolean      not null default false,
    ctm_sent_at        timestamptz,
    ctm_response       jsonb,
    ctm_error          text,
    email_sent         boolean      not null default false,
    email_sent_at      timestamptz,
    email_error        text,
    ip_address         inet,
    user_agent         text,
    referrer           text,
    embed_domain       text,
    created_at         timestamptz  not null default now()
);
create index idx_form_submissions_created on form_submissions (created_at);
create index idx_form_submissions_ctm_pending on form_submissions (ctm_sent) where ctm_sent = false;
create index idx_form_submissions_email_pending on form_submissions (email_sent) where email_sent = false;
create index idx_form_submissions_form on form_submissions (form_id);
create index idx_form_submissions_kind on form_submissions (submission_kind);

create table form_draft_sessions (
    id                         uuid         primary key default uuid_generate_v4(),
    form_id                    uuid         not null references forms (id) on delete cascade,
    form_version_id            uuid         not null references form_versions (id) on delete cascade,
    resume_token_hash          text         not null unique,
    email_hash                 text,
    encrypted_partial_payload  bytea        not null,
    encryption_key_id          text,
    otp_hash                   text,
    otp_attempts               integer      not null default 0,
    otp_last_sent_at           timestamptz,
    expires_at                 timestamptz  not null,
    last_saved_at              timestamptz  not null default now(),
    created_at                 timestamptz  not null default now(),
    ip_address                 inet,
    user_agent                 text
);
create index idx_form_draft_sessions_email on form_draft_sessions (email_hash) where email_hash is not null;
create index idx_form_draft_sessions_expires on form_draft_sessions (expires_at);
create index idx_form_draft_sessions_form on form_draft_sessions (form_id);
create index idx_form_draft_sessions_token on form_draft_sessions (resume_token_hash);

create table form_pdf_artifacts (
    id               uuid         primary key default uuid_generate_v4(),
    submission_id    uuid         not null references form_submissions (id) on delete cascade,
    storage_path     text         not null,
    file_name        text         not null,
    file_size_bytes  bigint,
    checksum         text         not null,
    generated_at     timestamptz  not null default now(),
    generated_by     uuid         references users (id) on delete set null
);
create index idx_form_pdf_artifacts_submission on form_pdf_artifacts (submission_id);

create table form_audit_logs (
    id             uuid         primary key default uuid_generate_v4(),
    actor_id       uuid         references users (id) on delete set null,
    action         text         not null,
    entity_type    text         not null,
    entity_id      uuid         not null,
    metadata_json  jsonb        not null default '{}',
    ip_address     inet,
    user_agent     text,
    created_at     timestamptz  not null default now()
);
create index idx_form_audit_logs_action on form_audit_logs (action);
create index idx_form_audit_logs_actor on form_audit_logs (actor_id);
create index idx_form_audit_logs_created on form_audit_logs (created_at);
create index idx_form_audit_logs_entity on form_audit_logs (entity_type, entity_id);

create table form_submission_jobs (
    id               uuid         primary key default uuid_generate_v4(),
    submission_id    uuid         not null references form_submissions (id) on delete cascade,
    job_type         text         not null check (job_type in ('ctm_conversion', 'email_notification', 'pdf_generation')),
    status           text         not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed')),
    attempts         integer      not null default 0,
    max_attempts     integer      not null default 5,
    last_error       text,
    idempotency_key  text         unique,
    scheduled_at     timestamptz  not null default now(),
    started_at       timestamptz,
    completed_at     timestamptz,
    created_at       timestamptz  not null default now()
);
create index idx_form_submission_jobs_pending on form_submission_jobs (status, scheduled_at) where status in ('pending', 'failed');
create index idx_form_submission_jobs_submission on form_submission_jobs (submission_id);

create table form_phi_field_definitions (
    id            uuid         primary key default uuid_generate_v4(),
    field_type    text         not null unique,
    display_name  text         not null,
    description   text,
    is_active     boolean      not null default true,
    created_at    timestamptz  not null default now()
);

create table form_ctm_allowed_fields (
    id           uuid         primary key default uuid_generate_v4(),
    field_name   text         not null unique,
    description  text,
    is_active    boolean      not null default true,
    created_at   timestamptz  not null default now()
);

create function update_forms_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at = now();
    return new;
end $$;
create trigger forms_updated_at_trigger before update on forms
    for each row execute function update_forms_updated_at();

insert into form_phi_field_definitions (field_type, display_name) values
    ('ssn', 'SSN'), ('dob', 'DOB'), ('medical_record_number', 'MRN'), ('diagnosis', 'Diagnosis'),
    ('medication', 'Medication'), ('treatment', 'Treatment'), ('insurance_id', 'Insurance'),
    ('health_history', 'History'), ('emergency_contact', 'Emergency'), ('physician', 'Physician');
insert into form_ctm_allowed_fields (field_name) values
    ('utm_source'), ('utm_medium'), ('utm_campaign'), ('utm_term'), ('utm_content'), ('referrer'), ('landing_page'),
    ('form_name'), ('form_id'), ('submission_id'), ('timestamp'), ('page_url'), ('conversion_type');
