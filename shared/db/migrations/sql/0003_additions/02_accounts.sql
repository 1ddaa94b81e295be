alter table user_trusted_devices add column token_hash text unique;

-- The grace window of a rotated refresh token: two tabs may present the old one at the same time.
alter table user_sessions
    add column previous_token_hash text,
    add column rotated_at timestamptz,
    add column successor_sealed bytea,
    add column successor_key_id text;
create index idx_user_sessions_previous_token on user_sessions (previous_token_hash)
    where previous_token_hash is not null;

alter table client_onboarding_tokens
    add column token_sealed bytea,
    add column token_key_id text;
comment on column client_onboarding_tokens.token_value is 'the old server''s token in clear; emptied by encryption, never written';

alter table client_profiles add column ctm_credentials_key_id text;
alter table oauth_providers add column secret_key_id text;
