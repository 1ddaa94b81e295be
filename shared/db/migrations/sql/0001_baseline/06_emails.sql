-- Every mail sent, and what became of it.

create table email_logs (
    id               uuid         primary key default gen_random_uuid(),
    email_type       text         not null,  -- test, onboarding_invite, onboarding_complete, onboarding_reminder, account_activated, password_reset, email_verification, mfa_otp, document_review, blog_notification, rush_job, form_submission, review_request, unknown
    recipient_email  text         not null,
    recipient_name   text,
    cc_emails        text[],
    bcc_emails       text[],
    subject          text         not null,
    text_body        text,
    html_body        text,
    status           text         not null default 'pending',  -- pending, sent, failed, delivered, bounced, complained
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
    bounce_type      text,  -- hard, soft
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
