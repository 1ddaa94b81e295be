-- Whether somebody may work with the forms of a client. *viewer* null: an admin, who reaches all of them. The agency's
-- own forms (no client) are everybody's; a client whose task workspace is set is worked for by its members.
create function form_in_reach(owner uuid, viewer uuid) returns boolean language sql stable parallel safe as $$
    select viewer is null or owner is null or not exists (
        select from client_profiles p
        where p.user_id = owner and p.task_workspace_id is not null and not exists (
            select from task_workspace_memberships m
            where m.workspace_id = p.task_workspace_id and m.user_id = viewer))
$$;

-- Everything a form's trail holds names its form, also what is about a version, a submission or a PDF.
create index idx_form_audit_logs_form on form_audit_logs ((metadata_json ->> 'form_id'), created_at desc);

-- A drawn PDF lies in the bucket under a key of its own, which lies here under the key ring: rotating a key touches no
-- object, and an object whose row is gone can be read by nobody. Old rows have neither; their files were on a lost disk.
alter table stored_files
    drop constraint stored_files_audience_check,
    add constraint stored_files_audience_check
        check (audience in ('owner', 'staff', 'signed_in', 'public', 'area'));
alter table form_pdf_artifacts
    add column file_id uuid references stored_files (id) on delete set null,
    add column sealed_data_key bytea,
    add column encryption_key_id text;
create index idx_form_pdf_artifacts_file on form_pdf_artifacts (file_id);
create index idx_form_pdf_artifacts_generated on form_pdf_artifacts (generated_at);

-- What the AI was asked for; a version that is saved from its answer names the run and takes these over.
create table form_ai_runs (
    id            uuid         primary key,
    form_id       uuid         not null references forms (id) on delete cascade,
    kind          text         not null check (kind in ('pdf', 'vision', 'layout', 'description')),
    instructions  text         not null,
    file_id       uuid         references stored_files (id) on delete set null,
    source_path   text,
    created_by    uuid         references users (id) on delete set null,
    created_at    timestamptz  not null default now()
);
create index idx_form_ai_runs_form on form_ai_runs (form_id);
create index idx_form_ai_runs_file on form_ai_runs (file_id);
create index idx_form_ai_runs_created_by on form_ai_runs (created_by);

create table form_activity (
    form_id  uuid     not null references forms (id) on delete cascade,
    day      date     not null,
    views    integer  not null default 0,
    starts   integer  not null default 0,
    primary key (form_id, day)
);

-- A client's forms go with the client, like all that is its own: without one they would become the whole team's. The
-- files of rows that went this way are swept.
alter table forms
    drop constraint forms_client_id_fkey,
    add constraint forms_client_id_fkey foreign key (client_id) references users (id) on delete cascade;
create index idx_stored_files_of_forms on stored_files (folder) where folder in ('form-pdfs', 'form-sources');
