-- OAuth: the providers, a client's connections, and the locations, pages and sites under them.

create table oauth_providers (
    id             uuid         primary key default gen_random_uuid(),
    provider       text         not null check (provider in ('google', 'facebook', 'instagram', 'tiktok', 'wordpress')),
    client_id      text         not null,
    client_secret  text         not null,
    redirect_uri   text,
    auth_url       text,
    token_url      text,
    scopes         jsonb        not null default '[]',
    is_active      boolean      not null default true,
    notes          text,
    created_at     timestamptz  not null default now(),
    updated_at     timestamptz  not null default now()
);
create unique index idx_oauth_providers_provider on oauth_providers (provider);

create table oauth_connections (
    id                       uuid         primary key default gen_random_uuid(),
    client_id                uuid         not null references users (id) on delete cascade,
    provider                 text         not null check (provider in ('google', 'facebook', 'instagram', 'tiktok', 'wordpress')),
    provider_account_id      text         not null,
    provider_account_name    text,
    access_token             text,
    refresh_token            text,
    token_type               text,
    scope_granted            jsonb        not null default '[]',
    expires_at               timestamptz,
    is_connected             boolean      not null default true,
    revoked_at               timestamptz,
    last_refreshed_at        timestamptz,
    last_error               text,
    external_metadata        jsonb        not null default '{}',
    encrypted_access_token   text,
    encrypted_refresh_token  text,
    token_hash               text,
    kms_key_id               text,
    last_rotated_at          timestamptz,
    created_at               timestamptz  not null default now(),
    updated_at               timestamptz  not null default now()
);
create index idx_oauth_connections_client on oauth_connections (client_id);
create index idx_oauth_connections_provider on oauth_connections (provider);

create table oauth_resources (
    id                   uuid         primary key default gen_random_uuid(),
    client_id            uuid         not null references users (id) on delete cascade,
    oauth_connection_id  uuid         not null references oauth_connections (id) on delete cascade,
    provider             text         not null check (provider in ('google', 'facebook', 'instagram', 'tiktok', 'wordpress')),
    resource_type        text         not null check (resource_type in ('google_location', 'facebook_page', 'instagram_account', 'tiktok_account', 'wordpress_site')),
    resource_id          text         not null,
    resource_name        text         not null,
    resource_username    text,
    resource_url         text,
    is_primary           boolean      not null default false,
    is_enabled           boolean      not null default true,
    created_at           timestamptz  not null default now(),
    updated_at           timestamptz  not null default now()
);
create index idx_oauth_resources_client on oauth_resources (client_id);
create unique index idx_oauth_resources_connection_resource on oauth_resources (oauth_connection_id, resource_id);
