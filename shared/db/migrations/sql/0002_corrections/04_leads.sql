-- One owner per call. The older column stays for what it holds; nothing needs to write or read it any more.
update call_logs set owner_user_id = user_id where owner_user_id is null;
alter table call_logs alter column owner_user_id set not null, alter column user_id drop not null;
comment on column call_logs.user_id is 'the old server''s first owner column; owner_user_id is the owner';

-- Two clients may share one CTM account, so a call is known by its owner and CTM's id.
-- cascade: some old databases have a foreign key of client_journeys on the single column; 05_journeys has the new one.
alter table call_logs drop constraint call_logs_call_id_key cascade;
alter table call_logs add constraint call_logs_owner_call_key unique (owner_user_id, call_id);

create index idx_call_logs_owner_started on call_logs (owner_user_id, started_at desc);
create index idx_call_logs_owner_digits on call_logs (owner_user_id, regexp_replace(from_number, '\D', '', 'g'));
create index idx_call_logs_owner_category on call_logs (owner_user_id, (meta ->> 'category'));
create index idx_call_logs_owner_classification on call_logs (owner_user_id, (meta ->> 'classification'));
drop index if exists idx_call_logs_owner_user, idx_call_logs_from_number, idx_call_logs_caller_type;

-- Notes and tags hold the call's key without a foreign key: they outlive "clear and reload" and find their call again.
create index idx_lead_notes_owner_call on lead_notes (owner_user_id, call_id, created_at desc);
create index idx_lead_notes_author on lead_notes (author_id);
drop index if exists idx_lead_notes_owner;
drop index if exists idx_lead_tags_owner, idx_call_log_tags_call, idx_lead_pipeline_stages_owner;  -- prefixes of others

-- Some old databases gained active_clients.user_id by hand. It says the owner; where it disagrees, it is kept aside.
do $$
begin
    if exists (select from pg_attribute where attrelid = 'active_clients'::regclass and attname = 'user_id'
               and not attisdropped) then
        update active_clients set owner_user_id = user_id where owner_user_id is null;
        update active_clients set funnel_data = funnel_data || jsonb_build_object('legacy_user_id', user_id)
        where user_id <> owner_user_id;
        alter table active_clients drop column user_id;
    end if;
end $$;

create index idx_active_clients_owner_phone on active_clients (owner_user_id, client_phone);
create index idx_client_services_unredacted on client_services (agreed_date) where redacted_at is null;
drop index if exists idx_active_clients_owner, idx_client_services_agreed_date, idx_client_services_redacted;
