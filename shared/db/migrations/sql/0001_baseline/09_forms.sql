-- Forms, their versions, submissions, drafts, documents and the jobs of a submission.

create table forms (
    id                 uuid         primary key default gen_random_uuid(),
    org_id             uuid         references users (id) on delete set null,
    name               text         not null,
    description        text,
    form_type          text         not null check (form_type in ('conversion', 'intake')),
    status             text         not null default 'draft' check (status in ('draft', 'published', 'archived')),
    active_version_id  uuid,
    settings_json      jsonb        not null default '{
        "email_recipients": [],
        "email_on_submission": true,
        "email_on_draft_resumed": false,
        "save_and_resume_enabled": false,
        "resume_token_ttl_hours": 72,
        "new_patient_button_label": "Start New",
        "new_patient_button_helper": "",
        "resume_button_label": "Resume",
        "resume_button_helper": "",
        "ctm_enabled": false,
        "ctm_conversion_action_id": null,
        "ctm_five_star_enabled": false,
        "domain_allowlist": [],
        "custom_thank_you_message": "Thank you. We have received your answers."
    }',
    embed_token        text         unique,
    created_at         timestamptz  not null default now(),
    updated_at         timestamptz  not null default now()
);
create index idx_forms_embed_token on forms (embed_token);
create index idx_forms_org on forms (org_id);
create index idx_forms_status on forms (status);

create table form_versions (
    id                  uuid         primary key default gen_random_uuid(),
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
    id                 uuid         primary key default gen_random_uuid(),
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
    id                         uuid         primary key default gen_random_uuid(),
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
    id               uuid         primary key default gen_random_uuid(),
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
    id             uuid         primary key default gen_random_uuid(),
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
    id               uuid         primary key default gen_random_uuid(),
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
    id            uuid         primary key default gen_random_uuid(),
    field_type    text         not null unique,
    display_name  text         not null,
    description   text,
    is_active     boolean      not null default true,
    created_at    timestamptz  not null default now()
);

create table form_ctm_allowed_fields (
    id           uuid         primary key default gen_random_uuid(),
    field_name   text         not null unique,
    description  text,
    is_active    boolean      not null default true,
    created_at   timestamptz  not null default now()
);
