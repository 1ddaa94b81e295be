-- A form belongs to a client, and visitors see the version that was published, not the one being edited.
alter table forms
    add column client_id uuid references users (id) on delete set null,
    add column published_version_id uuid references form_versions (id) on delete set null;
create index idx_forms_client on forms (client_id);
create index idx_forms_published_version on forms (published_version_id);
alter table forms disable trigger forms_updated_at_trigger;  -- nobody edited these forms now
update forms f set client_id = u.id from users u where u.id = f.org_id and u.role = 'client';
update forms set published_version_id = active_version_id where status = 'published';
alter table forms enable trigger forms_updated_at_trigger;

alter table form_submissions
    add column idempotency_key text,
    add column classification text,
    add column classification_summary text,
    add column classified_at timestamptz;
create unique index idx_form_submissions_idempotency on form_submissions (form_id, idempotency_key)
    where idempotency_key is not null;

alter table form_submission_jobs
    drop constraint form_submission_jobs_job_type_check,
    add constraint form_submission_jobs_job_type_check
        check (job_type in ('classification', 'ctm_conversion', 'email_notification', 'pdf_generation')),
    add column outcome text check (outcome in ('sent', 'skipped', 'failed', 'done')),
    add column reason text,
    add column recipient text,
    add column attempted_at timestamptz;
comment on column form_submission_jobs.recipient is 'the one address an email_notification goes to: one job per recipient';
