-- Reviews: how they arrive, are answered, asked for, and acted on.
alter table reviews
    add column is_news boolean not null default false,
    add column automated_at timestamptz,
    add column removed_at timestamptz,
    add column replied_at timestamptz;
comment on column reviews.is_news is 'arrived after its location''s first sync: rules and notices are for these';
comment on column reviews.automated_at is 'when the rules looked at it, which they do once';
comment on column reviews.removed_at is 'no longer at Google; kept for what was done about it, shown to nobody';
comment on column reviews.replied_at is 'when we last posted a reply: what Google said before that is not believed';

-- What the old server imported was history, for our rules too.
update reviews set automated_at = now();

create index idx_reviews_resource_synced on reviews (oauth_resource_id, last_synced_at);
drop index if exists idx_reviews_oauth_resource;
create index idx_reviews_unread on reviews (client_id)
    where sentiment_analyzed_at is null and removed_at is null and length(review_text) >= 10;

alter table review_settings add column reading_until timestamptz;
comment on column review_settings.reading_until is 'until then somebody judges the mood of older reviews, portion by portion';

-- How far the sync of one location is. One run at a time holds the lease.
create table review_syncs (
    oauth_resource_id  uuid         primary key references oauth_resources (id) on delete cascade,
    client_id          uuid         not null references users (id) on delete cascade,
    lease_id           uuid,
    lease_until        timestamptz,
    cursor_at          timestamptz,
    synced_at          timestamptz,
    full_at            timestamptz,
    full_started_at    timestamptz,
    full_page_token    text,
    asked_at           timestamptz,
    last_error         text,
    review_url         text,
    review_url_at      timestamptz
);
create index idx_review_syncs_client on review_syncs (client_id);
comment on column review_syncs.cursor_at is 'the newest change that a finished sync has seen';
comment on column review_syncs.synced_at is 'the last finished sync; null: every review is history still';
comment on column review_syncs.full_at is 'when all pages were last read, which is how removed reviews are found';
comment on column review_syncs.full_started_at is 'since when all pages are being read; the next one is full_page_token';
comment on column review_syncs.asked_at is 'when the schedule last asked for this location';

-- The reply that a review should have at Google. One row a review, whatever happens on the way.
create table review_replies (
    review_id     uuid         primary key references reviews (id) on delete cascade,
    client_id     uuid         not null references users (id) on delete cascade,
    rev           integer      not null default 1,
    reply_text    text         not null,
    replaces      text[]       not null default '{}',
    status        text         not null default 'sending' check (status in ('sending', 'sent', 'failed')),
    draft_id      uuid         references review_response_drafts (id) on delete set null,
    requested_by  uuid         references users (id) on delete set null,
    rule_id       uuid         references review_automation_rules (id) on delete set null,
    lease_id      uuid,
    lease_until   timestamptz,
    error         text,
    requested_at  timestamptz  not null default now(),
    sent_at       timestamptz
);
create index idx_review_replies_client on review_replies (client_id);
create index idx_review_replies_draft on review_replies (draft_id);
create index idx_review_replies_requested_by on review_replies (requested_by);
create index idx_review_replies_rule on review_replies (rule_id);
comment on column review_replies.replaces is 'replies that this one may take the place of; any other was written by somebody else meanwhile';
comment on column review_replies.requested_by is 'who asked for it; null: the rule did';

alter table review_automation_rules
    add column delay_minutes integer not null default 0 check (delay_minutes between 0 and 10080),
    add column executions_hour timestamptz;
comment on column review_automation_rules.executions_hour is 'the hour that executions_this_hour counts; of another hour it means 0';

-- A rule acts at most once on a review.
alter table review_automation_logs add column rule_key text;
comment on column review_automation_logs.rule_key is 'what may happen once only: <review>:<rule>';
create unique index idx_review_automation_logs_once on review_automation_logs (rule_key) where rule_key is not null;

alter table review_requests add column link_token text;
create unique index idx_review_requests_link on review_requests (link_token) where link_token is not null;
create index idx_review_requests_waiting on review_requests (client_id, lower(customer_name))
    where resulting_review_id is null and customer_name is not null;

-- Who has asked a client's business for no more mails.
create table review_request_stops (
    client_id   uuid         not null references users (id) on delete cascade,
    email       text         not null,
    stopped_at  timestamptz  not null default now(),
    primary key (client_id, email)
);

-- Requests as they stand: what became of the mail is in its log, and is told from there.
create view review_requests_now as
select r.id, r.client_id, r.oauth_resource_id, r.customer_name, r.customer_email, r.customer_phone, r.delivery_method,
       r.review_link, r.custom_message, r.link_token, r.source, r.campaign_id, r.metadata, r.created_by, r.created_at,
       r.resulting_review_id, r.retry_count, r.last_retry_at, r.completed_at,
       coalesce(r.sent_at, e.sent_at) as sent_at,
       coalesce(r.delivered_at, e.delivered_at) as delivered_at,
       coalesce(r.opened_at, e.opened_at) as opened_at,
       coalesce(r.clicked_at, e.clicked_at) as clicked_at,
       coalesce(r.error_message, e.error_message) as error_message,
       greatest(r.updated_at, e.sent_at, e.delivered_at, e.opened_at, e.clicked_at, e.bounced_at) as updated_at,
       case
           when r.completed_at is not null or r.status = 'completed' then 'completed'
           when coalesce(r.clicked_at, e.clicked_at) is not null then 'clicked'
           when coalesce(r.opened_at, e.opened_at) is not null then 'opened'
           when e.bounced_at is not null then 'bounced'
           when coalesce(r.delivered_at, e.delivered_at) is not null then 'delivered'
           when e.status = 'failed' then 'failed'
           when e.sent_at is not null then 'sent'
           else r.status
       end as status
from review_requests r
left join lateral (
    select m.* from email_logs m where m.review_request_id = r.id order by m.created_at desc, m.id limit 1
) e on true;
