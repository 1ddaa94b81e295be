-- Reviews, drafts of replies, requests for reviews, rules and statistics.

create table reviews (
    id                     uuid          primary key default gen_random_uuid(),
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
    id                    uuid         primary key default gen_random_uuid(),
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
    id                   uuid         primary key default gen_random_uuid(),
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
    source               text         default 'manual',  -- manual, api, automation
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
    id                uuid         primary key default gen_random_uuid(),
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
    id                         uuid         primary key default gen_random_uuid(),
    client_id                  uuid         not null references users (id) on delete cascade,
    name                       text         not null,
    description                text,
    is_active                  boolean      not null default false,
    min_rating                 integer      check (min_rating between 1 and 5),
    max_rating                 integer      check (max_rating between 1 and 5),
    sentiment_filter           text[]       default '{}',  -- positive, neutral, negative, mixed
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
    id               uuid         primary key default gen_random_uuid(),
    client_id        uuid         not null references users (id) on delete cascade,
    review_id        uuid         references reviews (id) on delete set null,
    rule_id          uuid         references review_automation_rules (id) on delete set null,
    draft_id         uuid         references review_response_drafts (id) on delete set null,
    action_type      text         not null,  -- ai_draft_generated, response_sent, rule_draft, rule_flag, rule_notify, rule_auto_send
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
    id                           uuid           primary key default gen_random_uuid(),
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
