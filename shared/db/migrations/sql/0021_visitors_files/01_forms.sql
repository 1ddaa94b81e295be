-- A file that a visitor sent with a form. It lies in the bucket under a key of its own; that key and the file's name lie
-- here under the key ring. Without a submission it waits for one; the file's sweep takes the row along.
create table form_submission_files (
    id                 uuid         primary key,
    form_id            uuid         not null references forms (id) on delete cascade,
    submission_id      uuid         references form_submissions (id) on delete cascade,
    field              text         not null,
    file_id            uuid         not null references stored_files (id) on delete cascade,
    content_type       text         not null,
    size_bytes         bigint       not null,
    sealed_key         bytea        not null,
    encryption_key_id  text         not null,
    created_at         timestamptz  not null default now()
);
create index idx_form_submission_files_form on form_submission_files (form_id);
create index idx_form_submission_files_submission on form_submission_files (submission_id);
create index idx_form_submission_files_file on form_submission_files (file_id);

drop index idx_stored_files_of_forms;
create index idx_stored_files_of_forms on stored_files (folder)
    where folder in ('form-pdfs', 'form-sources', 'form-files');
