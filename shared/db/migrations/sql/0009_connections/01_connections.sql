-- Renewing tokens: one instance at a time holds the lease, and token_rev tells whose tokens a row has.
alter table oauth_connections
    add column token_rev integer not null default 0,
    add column lease_id uuid,
    add column lease_until timestamptz,
    add column removed_at timestamptz;
comment on column oauth_connections.removed_at is 'deleted for the dashboard; kept for what refers to its resources';

-- The old server left the mark of a revocation on accounts that were connected again after it.
update oauth_connections set revoked_at = null where is_connected and revoked_at is not null;

alter table oauth_resources add column removed_at timestamptz;
comment on column oauth_resources.removed_at is 'deleted for the dashboard; kept for the reviews of it';

-- One primary resource of a connection: the one changed last.
update oauth_resources r set is_primary = false
from (
    select id, row_number() over (partition by oauth_connection_id order by updated_at desc, id) as nth
    from oauth_resources where is_primary
) ranked
where ranked.id = r.id and ranked.nth > 1;
create unique index idx_oauth_resources_primary on oauth_resources (oauth_connection_id) where is_primary;

-- What somebody may have kept beside the tokens is none of this table's business.
update oauth_connections c set external_metadata = (
    select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(c.external_metadata)
    where key !~* '(token|secret|passw|credential|authorization|api_?key)'
)
where jsonb_typeof(c.external_metadata) = 'object'
  and c.external_metadata::text ~* '(token|secret|passw|credential|authorization|api_?key)';

create index idx_oauth_connections_expiring on oauth_connections (expires_at)
    where is_connected and revoked_at is null and expires_at is not null;
create index idx_oauth_connections_account on oauth_connections (provider, provider_account_id);

-- Google names a location alone, but answers for its reviews only under its account: remember where it was found.
create table oauth_locations (
    oauth_connection_id  uuid         not null references oauth_connections (id) on delete cascade,
    location_id          text         not null,
    account_id           text         not null,
    seen_at              timestamptz  not null default now(),
    primary key (oauth_connection_id, location_id)
);

-- Consents to be withdrawn at their vendor. The token waits here, sealed, after its connection has let go of it.
create table oauth_withdrawals (
    id                   uuid         primary key default gen_random_uuid(),
    oauth_connection_id  uuid         references oauth_connections (id) on delete set null,
    provider             text         not null check (provider in ('google', 'facebook', 'instagram', 'tiktok', 'wordpress')),
    provider_account_id  text         not null,
    external_metadata    jsonb        not null default '{}',
    sealed_token         text,
    sealed_key_id        text,
    created_at           timestamptz  not null default now(),
    done_at              timestamptz,
    outcome              text
);
create index idx_oauth_withdrawals_connection on oauth_withdrawals (oauth_connection_id);
create index idx_oauth_withdrawals_waiting on oauth_withdrawals (provider, provider_account_id) where done_at is null;

-- Posts on their way to a WordPress site. One row for one post of ours on one site, whatever happens on the way.
create table wordpress_posts (
    id                   uuid         primary key default gen_random_uuid(),
    client_id            uuid         not null references users (id) on delete cascade,
    oauth_connection_id  uuid         not null references oauth_connections (id) on delete cascade,
    source               text         not null,
    site                 text         not null,
    slug                 text         not null,
    title                text         not null,
    content              text         not null,
    post_status          text         not null check (post_status in ('publish', 'draft')),
    wanted_rev           integer      not null default 1,
    sent_rev             integer      not null default 0,
    remote_id            text,
    remote_url           text,
    last_error           text,
    lease_id             uuid,
    lease_until          timestamptz,
    created_at           timestamptz  not null default now(),
    updated_at           timestamptz  not null default now(),
    unique (client_id, source, site)
);
create index idx_wordpress_posts_connection on wordpress_posts (oauth_connection_id);
