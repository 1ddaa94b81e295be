-- Files in the private bucket, each as the object <folder>/<id>. Not attached: announced, but no row holds it (yet).
create table stored_files (
    id            uuid         primary key,
    folder        text         not null,
    name          text         not null,
    content_type  text         not null,
    size_bytes    bigint       not null,
    audience      text         not null check (audience in ('owner', 'staff', 'signed_in', 'public')),
    owner_id      uuid         references users (id) on delete set null,
    created_by    uuid         references users (id) on delete set null,
    created_at    timestamptz  not null default now(),
    attached_at   timestamptz
);
create index idx_stored_files_owner on stored_files (owner_id);
create index idx_stored_files_created_by on stored_files (created_by);
create index idx_stored_files_waiting on stored_files (created_at) where attached_at is null;

-- New avatars are in the bucket; the old server's stay in their column until they are replaced.
alter table user_avatars
    alter column bytes drop not null,
    add column file_id uuid references stored_files (id) on delete set null;
create index idx_user_avatars_file on user_avatars (file_id);
