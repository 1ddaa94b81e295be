-- One connection per client and provider account. Of several, the live one changed last stays: it takes over their
-- resources, and they are kept, revoked, under a name that cannot come back from a provider.
create temporary table repeated_connection on commit drop as
select id, keeper from (
    select id, first_value(id) over same as keeper, row_number() over same as nth
    from oauth_connections
    window same as (partition by client_id, provider, provider_account_id
                    order by (is_connected and revoked_at is null) desc, updated_at desc, id)
) ranked where nth > 1;

update oauth_resources r set oauth_connection_id = moved.keeper
from (
    select distinct on (d.keeper, r.resource_id) r.id, d.keeper
    from oauth_resources r join repeated_connection d on d.id = r.oauth_connection_id
    where not exists (
        select from oauth_resources held
        where held.oauth_connection_id = d.keeper and held.resource_id = r.resource_id
    )
    order by d.keeper, r.resource_id, r.updated_at desc, r.id
) moved
where moved.id = r.id;

update oauth_connections c
set provider_account_id = c.provider_account_id || '#duplicate-' || c.id,
    is_connected = false,
    revoked_at = coalesce(c.revoked_at, now()),
    last_error = 'duplicate of another connection to the same account'
from repeated_connection d where d.id = c.id;
drop table repeated_connection;

alter table oauth_connections add constraint oauth_connections_account_key
    unique (client_id, provider, provider_account_id);
create index idx_oauth_connections_live on oauth_connections (client_id, provider, updated_at desc)
    where is_connected and revoked_at is null;
drop index if exists idx_oauth_connections_client, idx_oauth_connections_provider;
