-- Every refresh token that was ever exchanged, so that one presented again is known for what it is: seconds later
-- another tab of the same browser, after that a copy in other hands.
create table retired_refresh_tokens (
    token_hash  text         primary key,
    session_id  uuid         not null references user_sessions (id) on delete cascade,
    retired_at  timestamptz  not null default now()
);
create index idx_retired_refresh_tokens_session on retired_refresh_tokens (session_id);
alter table user_sessions
    drop column previous_token_hash,
    drop column rotated_at,
    drop column successor_sealed,
    drop column successor_key_id;

-- A session in which an admin is somebody else names the admin and the session it came from; it ends with them.
alter table user_sessions
    add column impersonator_id uuid references users (id) on delete cascade,
    add column impersonator_session_id uuid references user_sessions (id) on delete cascade;
create index idx_user_sessions_impersonator on user_sessions (impersonator_id) where impersonator_id is not null;
create index idx_user_sessions_origin on user_sessions (impersonator_session_id)
    where impersonator_session_id is not null;

alter table mfa_challenges add column mails_sent int not null default 0;
create index idx_mfa_challenges_expiry on mfa_challenges (expires_at);

-- A code of an authenticator app works once: totp_last_step is the 30-second step of the last one that was accepted.
alter table user_mfa_settings
    add column totp_last_step bigint,
    add column backup_code_hashes text[] not null default '{}';
