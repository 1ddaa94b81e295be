-- A link is created, validated at each load, then consumed (its client set a password) or revoked (a newer one came).
alter table client_onboarding_tokens
    add column validated_at timestamptz,
    add column client_reminded_at timestamptz;
comment on column client_onboarding_tokens.reminder_sent_at is 'when staff heard that this link ran out unused';
comment on column client_onboarding_tokens.client_reminded_at is 'when the client heard that this link will run out';

-- At most one open link per client: of several, the newest stays.
with open_links as (
    select id, row_number() over (partition by user_id order by created_at desc, id) as nth
    from client_onboarding_tokens where consumed_at is null and revoked_at is null
)
update client_onboarding_tokens t set revoked_at = now()
from open_links o where o.id = t.id and o.nth > 1;
drop index if exists idx_onboarding_tokens_active;
create unique index idx_onboarding_tokens_active on client_onboarding_tokens (user_id)
    where consumed_at is null and revoked_at is null;
