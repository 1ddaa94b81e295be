-- Users, their sessions and devices, second factor, sign-in identities, tokens, audit log.

create table users (
    id                   uuid         primary key default gen_random_uuid(),
    first_name           varchar(60)  not null,
    last_name            varchar(60)  not null,
    email                text         not null unique,
    password_hash        text,
    avatar_url           text,
    role                 text         not null default 'client',
    created_at           timestamptz  not null default now(),
    updated_at           timestamptz  not null default now(),
    email_verified_at    timestamptz,
    password_changed_at  timestamptz,
    last_login_at        timestamptz,
    login_count          integer      not null default 0,
    failed_login_count   integer      not null default 0,
    locked_until         timestamptz,
    auth_provider        text         not null default 'local'  -- local, google, microsoft
);
create index idx_users_email on users (email);
create index idx_users_locked on users (locked_until) where locked_until is not null;

create table user_avatars (
    user_id       uuid         primary key references users (id) on delete cascade,
    content_type  text         not null default 'image/jpeg',
    bytes         bytea        not null,
    updated_at    timestamptz  not null default now()
);

create table user_sessions (
    id                    uuid         primary key default gen_random_uuid(),
    user_id               uuid         not null references users (id) on delete cascade,
    refresh_token_hash    text         not null unique,
    refresh_token_family  uuid         not null,
    device_id             uuid         not null,
    device_fingerprint    text,
    device_name           text,
    is_trusted            boolean      not null default false,
    trusted_until         timestamptz,
    ip_address            inet,
    user_agent            text,
    country_code          char(2),
    city                  text,
    created_at            timestamptz  not null default now(),
    last_activity_at      timestamptz  not null default now(),
    absolute_expiry_at    timestamptz  not null,
    refresh_expiry_at     timestamptz  not null,
    revoked_at            timestamptz,
    revoked_reason        text  -- logout, logout_all, user_logout_all, user_revoke, admin_revoke, password_change, mfa_change, absolute_expiry, reuse_detected
);
create index idx_user_sessions_active on user_sessions (user_id) where revoked_at is null;
create index idx_user_sessions_device on user_sessions (device_id);
create index idx_user_sessions_expiry on user_sessions (refresh_expiry_at) where revoked_at is null;
create index idx_user_sessions_family on user_sessions (refresh_token_family);
create index idx_user_sessions_user on user_sessions (user_id);

create table user_trusted_devices (
    id                  uuid         primary key default gen_random_uuid(),
    user_id             uuid         not null references users (id) on delete cascade,
    device_id           uuid         not null,
    device_fingerprint  text         not null,
    device_name         text,
    trusted_at          timestamptz  not null default now(),
    expires_at          timestamptz  not null,
    last_used_at        timestamptz,
    revoked_at          timestamptz,
    unique (user_id, device_id)
);
create index idx_trusted_devices_active on user_trusted_devices (user_id) where revoked_at is null;
create index idx_trusted_devices_user on user_trusted_devices (user_id);

create table user_mfa_settings (
    user_id                      uuid         primary key references users (id) on delete cascade,
    email_otp_enabled            boolean      not null default false,
    totp_enabled                 boolean      not null default false,
    totp_secret_encrypted        text,
    totp_backup_codes_encrypted  text,
    webauthn_enabled             boolean      not null default false,
    preferred_method             text         default 'email',
    require_mfa_always           boolean      not null default false,
    created_at                   timestamptz  not null default now(),
    updated_at                   timestamptz  not null default now()
);

create table mfa_challenges (
    id              uuid         primary key default gen_random_uuid(),
    user_id         uuid         not null references users (id) on delete cascade,
    session_id      uuid         references user_sessions (id) on delete cascade,
    challenge_type  text         not null,
    otp_hash        text,
    created_at      timestamptz  not null default now(),
    expires_at      timestamptz  not null,
    verified_at     timestamptz,
    attempts        integer      not null default 0,
    max_attempts    integer      not null default 5,
    trigger_reason  text,  -- new_device, new_ip, new_country, inactivity, sensitive_action, always_required, password_login
    ip_address      inet,
    user_agent      text
);
create index idx_mfa_challenges_pending on mfa_challenges (user_id, expires_at) where verified_at is null;
create index idx_mfa_challenges_user on mfa_challenges (user_id);

create table user_oauth_identities (
    id                       uuid         primary key default gen_random_uuid(),
    user_id                  uuid         not null references users (id) on delete cascade,
    provider                 text         not null,  -- google, microsoft
    provider_user_id         text         not null,
    provider_email           text         not null,
    provider_email_verified  boolean      not null default false,
    provider_name            text,
    provider_picture         text,
    created_at               timestamptz  not null default now(),
    last_login_at            timestamptz,
    unique (provider, provider_user_id)
);
create index idx_oauth_identities_lookup on user_oauth_identities (provider, provider_email);
create index idx_oauth_identities_user on user_oauth_identities (user_id);

create table security_audit_log (
    id              uuid         primary key default gen_random_uuid(),
    user_id         uuid         references users (id) on delete set null,
    session_id      uuid,
    event_type      text         not null,
    event_category  text         not null,  -- authentication, session, mfa, account, access, oauth
    ip_address      inet,
    user_agent      text,
    country_code    char(2),
    device_id       uuid,
    details         jsonb        not null default '{}',
    success         boolean      not null,
    failure_reason  text,
    created_at      timestamptz  not null default now()
);
create index idx_audit_log_category on security_audit_log (event_category, created_at desc);
create index idx_audit_log_event on security_audit_log (event_type, created_at desc);
create index idx_audit_log_session on security_audit_log (session_id) where session_id is not null;
create index idx_audit_log_time on security_audit_log (created_at desc);
create index idx_audit_log_user on security_audit_log (user_id, created_at desc);

create table auth_rate_limits (
    id                uuid         primary key default gen_random_uuid(),
    limit_key         text         not null,
    limit_type        text         not null,  -- login_ip, login_user, mfa_user, password_reset_ip
    attempts          integer      not null default 1,
    first_attempt_at  timestamptz  not null default now(),
    last_attempt_at   timestamptz  not null default now(),
    locked_until      timestamptz,
    unique (limit_key, limit_type)
);
create index idx_rate_limits_cleanup on auth_rate_limits (last_attempt_at);
create index idx_rate_limits_locked on auth_rate_limits (locked_until) where locked_until is not null;
create index idx_rate_limits_lookup on auth_rate_limits (limit_key, limit_type);

create table email_verification_tokens (
    id           uuid         primary key default gen_random_uuid(),
    user_id      uuid         not null references users (id) on delete cascade,
    token_hash   text         not null unique,
    email        text         not null,
    expires_at   timestamptz  not null,
    verified_at  timestamptz,
    created_at   timestamptz  not null default now()
);
create index idx_email_verification_user on email_verification_tokens (user_id);

create table password_reset_tokens (
    id          uuid         primary key default gen_random_uuid(),
    user_id     uuid         not null references users (id) on delete cascade,
    token_hash  text         not null,
    expires_at  timestamptz  not null,
    used_at     timestamptz,
    created_at  timestamptz  not null default now()
);
create index idx_password_reset_tokens_hash on password_reset_tokens (token_hash);
create index idx_password_reset_tokens_user on password_reset_tokens (user_id);

create table client_onboarding_tokens (
    id                uuid         primary key default gen_random_uuid(),
    user_id           uuid         not null references users (id) on delete cascade,
    token_hash        text         not null,
    expires_at        timestamptz  not null,
    consumed_at       timestamptz,
    revoked_at        timestamptz,
    reminder_sent_at  timestamptz,
    metadata          jsonb        not null default '{}',
    created_at        timestamptz  not null default now(),
    token_value       text
);
create index idx_client_onboarding_tokens_expires on client_onboarding_tokens (expires_at);
create index idx_client_onboarding_tokens_token on client_onboarding_tokens (token_hash);
create index idx_client_onboarding_tokens_user on client_onboarding_tokens (user_id);
create index idx_onboarding_tokens_active on client_onboarding_tokens (user_id, consumed_at, revoked_at, expires_at) where consumed_at is null and revoked_at is null;
