-- The role script was meant to be run once, by hand: without any superadmin it never was, and admin is still the top role.
update users set role = 'superadmin'
where role = 'admin' and not exists (select from users where role = 'superadmin');
update users set role = 'admin' where role = 'editor';
comment on column users.role is 'superadmin, admin, team or client';

-- One account per address whatever its case, without the citext extension. The index keeps the constraint's name.
alter table users drop constraint users_email_key;
drop index if exists idx_users_email;
create unique index users_email_key on users (lower(email));

-- A token's hash finds one row. A repeated hash keeps its first row usable; the others can no longer match anything.
with repeated as (
    select id, row_number() over (partition by token_hash order by created_at, id) as nth from password_reset_tokens
)
update password_reset_tokens t set token_hash = t.token_hash || '#' || t.id
from repeated r where r.id = t.id and r.nth > 1;
with repeated as (
    select id, row_number() over (partition by token_hash order by created_at, id) as nth from client_onboarding_tokens
)
update client_onboarding_tokens t set token_hash = t.token_hash || '#' || t.id
from repeated r where r.id = t.id and r.nth > 1;
drop index if exists idx_password_reset_tokens_hash;
drop index if exists idx_client_onboarding_tokens_token;
create unique index idx_password_reset_tokens_hash on password_reset_tokens (token_hash);
create unique index idx_client_onboarding_tokens_token on client_onboarding_tokens (token_hash);

drop index if exists idx_rate_limits_lookup;  -- the unique constraint's own index serves
create index idx_mfa_challenges_session on mfa_challenges (session_id);
