-- Mails that carried a one-time code or a usable link were kept in full and shown to admins.
update email_logs
set text_body = null, html_body = null, metadata = metadata || '{"body_removed": true}'
where email_type in ('mfa_otp', 'password_reset', 'email_verification', 'onboarding_invite')
  and (text_body is not null or html_body is not null);

-- One row per mail at Mailgun. A repeated id stays with its first row; the others keep it in their metadata.
with repeated as (
    select id, row_number() over (partition by mailgun_id order by created_at, id) as nth
    from email_logs where mailgun_id is not null
)
update email_logs e
set mailgun_id = null, metadata = e.metadata || jsonb_build_object('duplicate_mailgun_id', e.mailgun_id)
from repeated r where r.id = e.id and r.nth > 1;
drop index if exists idx_email_logs_mailgun_id;
create unique index idx_email_logs_mailgun_id on email_logs (mailgun_id) where mailgun_id is not null;

create index idx_email_logs_triggered_by on email_logs (triggered_by_id);
