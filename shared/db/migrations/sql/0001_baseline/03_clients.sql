-- One client: profile, brand, documents, blog, notifications, requests; and the settings of the whole app.

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
    client_type                       text,  -- medical, home_service, food_service, other
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
    id                    uuid         primary key default gen_random_uuid(),
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
    id                   uuid         primary key default gen_random_uuid(),
    user_id              uuid         not null references users (id) on delete cascade,
    label                text,
    name                 text,
    url                  text,
    origin               text         default 'client',  -- client, admin
    type                 text         default 'client',
    review_status        text         default 'none',  -- none, pending, viewed
    review_requested_at  timestamptz,
    viewed_at            timestamptz,
    created_at           timestamptz  not null default now(),
    created_by           uuid
);
create index idx_documents_user on documents (user_id);

create table shared_documents (
    id           uuid         primary key default gen_random_uuid(),
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
    id            uuid         primary key default gen_random_uuid(),
    user_id       uuid         not null references users (id) on delete cascade,
    title         text         not null,
    content       text         not null,
    status        text         not null default 'draft',  -- draft, published
    created_at    timestamptz  not null default now(),
    updated_at    timestamptz  not null default now(),
    published_at  timestamptz
);
create index idx_blog_posts_status on blog_posts (status);
create index idx_blog_posts_user on blog_posts (user_id);

create table notifications (
    id          uuid         primary key default gen_random_uuid(),
    user_id     uuid         not null references users (id) on delete cascade,
    title       text         not null,
    body        text,
    link_url    text,
    status      text         not null default 'unread',  -- unread, read
    meta        jsonb        not null default '{}',
    read_at     timestamptz,
    created_at  timestamptz  not null default now()
);
create index idx_notifications_status on notifications (status);
create index idx_notifications_user on notifications (user_id);

create table requests (
    id               uuid         primary key default gen_random_uuid(),
    user_id          uuid         not null references users (id) on delete cascade,
    title            text,
    description      text,
    due_date         date,
    rush             boolean      not null default false,
    person_override  text,
    monday_item_id   text,
    monday_board_id  text,
    status           text,  -- pending, submitted
    created_at       timestamptz  not null default now()
);
create index idx_requests_user on requests (user_id);

create table app_settings (
    key         text         primary key,
    value       jsonb        not null default '{}',
    updated_at  timestamptz  not null default now()
);
