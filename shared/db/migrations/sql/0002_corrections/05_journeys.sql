-- The key of the lead, filled once where only its row id was stored.
update client_journeys j set lead_call_key = c.call_id
from call_logs c
where j.lead_call_key is null and c.id = j.lead_call_id and c.owner_user_id = j.owner_user_id;

-- A key without a call of the same owner is emptied, as the foreign key would have done when the call was deleted.
update client_journeys j set lead_call_key = null
where lead_call_key is not null and not exists (
    select from call_logs c where c.owner_user_id = j.owner_user_id and c.call_id = j.lead_call_key
);
alter table client_journeys add constraint client_journeys_lead_call_key_fkey
    foreign key (owner_user_id, lead_call_key) references call_logs (owner_user_id, call_id)
    on delete set null (lead_call_key);

create index idx_client_journeys_lead_call on client_journeys (lead_call_id);
create index idx_client_journeys_owner_key on client_journeys (owner_user_id, lead_call_key);
create index idx_client_journeys_active_client on client_journeys (active_client_id, created_at desc);
create index idx_client_journey_notes_author on client_journey_notes (author_id);
drop index if exists idx_client_journeys_lead_call_key, idx_client_journeys_owner;
