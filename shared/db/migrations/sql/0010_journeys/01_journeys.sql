-- A lead agrees to a service once: a second click, or another tab, finds the sale of the first. The key is CTM's, without
-- a foreign key, as on notes and tags: a sale outlives "clear and reload" of the calls.
alter table client_services add column lead_call_key text;
comment on column client_services.lead_call_key is 'the call whose caller agreed; null = told without one';
create unique index client_services_lead_key on client_services (active_client_id, service_id, lead_call_key)
    where lead_call_key is not null;

-- What was sold may tell of somebody's health, so redaction empties it. That, when and to whom something was sold stays.
alter table client_services alter column service_id drop not null;

-- What the daily redaction has to look at, which is little. The old server only marked what it redacted.
drop index idx_client_services_unredacted;
create index idx_client_services_unredacted on client_services (agreed_date)
    where redacted_at is null or service_id is not null;
create index idx_client_journeys_unredacted on client_journeys (created_at)
    where not symptoms_redacted or symptoms <> '[]';

create index idx_client_journey_steps_position on client_journey_steps (journey_id, position);
drop index idx_client_journey_steps_journey;
