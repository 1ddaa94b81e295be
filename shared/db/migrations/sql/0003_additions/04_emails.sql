alter table email_logs
    add column message_key text,
    add column attempts int not null default 0,
    add column attempted_at timestamptz,
    add column sealed_content bytea,
    add column sealed_key_id text,
    add column review_request_id uuid references review_requests (id) on delete set null;
comment on column email_logs.message_key is 'names the mail in the business''s terms: one mail per key';
comment on column email_logs.sealed_content is 'encrypted content of a mail not yet sent, emptied after sending';
create unique index idx_email_logs_message_key on email_logs (message_key) where message_key is not null;
create index idx_email_logs_review_request on email_logs (review_request_id);

-- The old server linked the two in JSON only, in either direction.
update email_logs e set review_request_id = r.id
from review_requests r where r.id::text = e.metadata ->> 'review_request_id';
update email_logs e set review_request_id = r.id
from review_requests r where e.review_request_id is null and e.id::text = r.metadata ->> 'mailgun_log_id';

create table email_events (
    event_id      text         primary key,
    email_log_id  uuid         references email_logs (id) on delete cascade,
    event         text         not null,
    occurred_at   timestamptz  not null,
    details       jsonb        not null default '{}',
    received_at   timestamptz  not null default now()
);
create index idx_email_events_log on email_events (email_log_id, occurred_at);
