-- One telephone number, however it is written: "+1 (555) 010-0199" and "555-010-0199" are the same caller.
create function phone_key(number text) returns text language sql immutable parallel safe as $$
    select case when length(digits) < 7 then null when length(digits) = 10 then '1' || digits else digits end
    from (select regexp_replace(coalesce(number, ''), '\D', '', 'g') as digits) written
$$;

-- The three-letter pieces of a text, marked with its owner: what an index needs to find a substring among one owner's
-- rows. (pg_trgm does the same without the owner, and is not there on every PostgreSQL that this runs on.)
create function lead_grams(owner uuid, words text) returns text[] language sql immutable parallel safe as $$
    select array(
        select distinct left(owner::text, 8) || substr(words, at, 3)
        from generate_series(1, length(words) - 2) at
    )
$$;

-- meta stays the one place of a call's descriptive values; what is filtered, searched or listed without reading all of
-- meta (transcripts are long) is generated from it.
alter table call_logs
    add column caller_key text generated always as (phone_key(from_number)) stored,
    add column category text generated always as (coalesce(nullif(meta ->> 'category', ''), 'unreviewed')) stored,
    add column summary text generated always as (nullif(meta ->> 'classification_summary', '')) stored,
    add column search_text text generated always as (lower(
        coalesce(from_number, '') || ' ' || coalesce(regexp_replace(from_number, '\D', '', 'g'), '') || ' '
        || coalesce(meta ->> 'caller_name', '') || ' ' || coalesce(meta ->> 'classification_summary', '') || ' '
        || coalesce(meta ->> 'source', ''))) stored;

alter table call_logs
    add column category_by text check (category_by in ('user', 'rating', 'ai', 'rule')),
    add column client_link text check (client_link in ('linked', 'unlinked')),
    add column score_by text check (score_by in ('user', 'auto', 'ctm')),
    add column ctm_score int not null default 0,
    add column rating_pending boolean not null default false,
    add column rating_rev int not null default 0,
    add column rating_touched_at timestamptz,
    add column rating_push_until timestamptz,
    add column ctm_hash text,
    add column text_version text,
    add column classified_version text,
    add column classify_until timestamptz,
    add column classify_sent_at timestamptz,
    add column classify_attempts int not null default 0,
    add column classify_error text,
    add column reclassify_requested_at timestamptz;
comment on column call_logs.category_by is 'who decided meta.category; a person''s decision is not changed by AI or rules';
comment on column call_logs.client_link is 'a person linked or unlinked the active client; null = by telephone number';
comment on column call_logs.ctm_score is 'the rating both sides last agreed on: seen in CTM, or posted there by us';
comment on column call_logs.rating_pending is 'score is not in CTM yet';
comment on column call_logs.rating_touched_at is 'when we last changed or posted the rating: an older reading of CTM is stale';
comment on column call_logs.rating_push_until is 'lease of the one who posts the rating to CTM now';
comment on column call_logs.ctm_hash is 'of what CTM told last: the same again changes nothing';
comment on column call_logs.text_version is 'of the words to classify; null = nothing was said';
comment on column call_logs.classified_version is 'the text_version that has its label';
comment on column call_logs.classify_until is 'lease of the one who asks the AI now';

update call_logs set ctm_score = score, score_by = 'ctm' where score > 0;
update call_logs set client_link = 'linked' where active_client_id is not null and caller_type = 'returning_customer';

create index idx_call_logs_owner_newest on call_logs (owner_user_id, started_at desc nulls last, call_id desc);
create index idx_call_logs_owner_category_newest
    on call_logs (owner_user_id, category, started_at desc nulls last, call_id desc);
create index idx_call_logs_owner_type_newest
    on call_logs (owner_user_id, caller_type, started_at desc nulls last, call_id desc);
create index idx_call_logs_owner_caller on call_logs (owner_user_id, caller_key, started_at desc nulls last);
create index idx_call_logs_search on call_logs using gin (lead_grams(owner_user_id, search_text));
create index idx_call_logs_unlabelled on call_logs (owner_user_id, started_at desc nulls last)
    where text_version is distinct from classified_version;
create index idx_call_logs_rating_pending on call_logs (owner_user_id) where rating_pending;
drop index idx_call_logs_owner_started, idx_call_logs_owner_digits, idx_call_logs_owner_category;

create index idx_active_clients_owner_key on active_clients (owner_user_id, phone_key(client_phone));
create index idx_client_journeys_owner_phone on client_journeys (owner_user_id, phone_key(client_phone));

-- One sync of a client at a time.
create table lead_syncs (
    owner_user_id  uuid         primary key references users (id) on delete cascade,
    lease_token    uuid,
    lease_until    timestamptz,
    deep_at        timestamptz
);
comment on column lead_syncs.deep_at is 'when a longer window than usual was last read to its end';

-- How many calls an owner has, kept with every insert and delete: a list's total without counting.
create table lead_totals (
    owner_user_id  uuid  primary key references users (id) on delete cascade,
    calls          int   not null
);
insert into lead_totals (owner_user_id, calls) select owner_user_id, count(*) from call_logs group by owner_user_id;

create function count_added_calls() returns trigger language plpgsql as $$
begin
    insert into lead_totals as t (owner_user_id, calls)
    select owner_user_id, count(*) from added group by owner_user_id order by owner_user_id
    on conflict (owner_user_id) do update set calls = t.calls + excluded.calls;
    return null;
end $$;

create function count_removed_calls() returns trigger language plpgsql as $$
begin
    update lead_totals t set calls = t.calls - r.calls
    from (select owner_user_id, count(*) as calls from removed group by owner_user_id) r
    where t.owner_user_id = r.owner_user_id;
    return null;
end $$;

create trigger call_logs_added after insert on call_logs referencing new table as added
    for each statement execute function count_added_calls();
create trigger call_logs_removed after delete on call_logs referencing old table as removed
    for each statement execute function count_removed_calls();

-- Words for people, as the dashboard shows them.
create function lead_time_ago(moment timestamptz) returns text language sql stable parallel safe as $$
    select case
        when s is null then null
        when s < 60 then 'Just now'
        when s < 3600 then (s / 60)::int || 'm ago'
        when s < 86400 then (s / 3600)::int || 'h ago'
        when s < 7 * 86400 then (s / 86400)::int || 'd ago'
        when s < 30 * 86400 then (s / 604800)::int || 'w ago'
        else (s / 2592000)::int || 'mo ago'
    end
    from (select floor(extract(epoch from now() - moment))::bigint as s) age
$$;

create function lead_duration(seconds int) returns text language sql immutable parallel safe as $$
    select case when coalesce(seconds, 0) < 60 then coalesce(seconds, 0) || 's'
                else seconds / 60 || 'm ' || seconds % 60 || 's' end
$$;

-- A call's JSON is its live values followed by meta as it stands, so meta is kept whole: every descriptive key is there,
-- what columns say is written in the dashboard's words, and no live value is (ratings, links: they would go stale).
create function lead_meta(c call_logs) returns jsonb language sql stable parallel safe as $$
    select jsonb_build_object(
        'direction', c.direction, 'from_number', c.from_number, 'to_number', c.to_number, 'started_at', iso(c.started_at),
        'duration_sec', c.duration_sec, 'timestamp', (extract(epoch from c.started_at) * 1000)::bigint,
        'unix_time', extract(epoch from c.started_at)::bigint, 'caller_number', coalesce(c.from_number, ''),
        'is_inbound', coalesce(c.direction in ('inbound', 'in'), false), 'transcript', null, 'transcript_url', null,
        'recording_url', null, 'message', null, 'name', '', 'source', 'Calls', 'source_key', 'calls',
        'caller_name', 'Unknown', 'region', '', 'activity_type', 'call', 'classification', '',
        'classification_summary', '', 'is_voicemail', false, 'assets', '[]'::jsonb
    ) || (c.meta - array[
        'id', 'rating', 'score', 'rating_pending', 'caller_type', 'callerType', 'call_sequence', 'callSequence',
        'active_client_id', 'activeClientId', 'active_client', 'activeClient', 'pipeline_stage_id', 'previous_calls',
        'previousCalls', 'time_ago', 'journeyId', 'journey'
    ]) || jsonb_build_object(
        'category', coalesce(nullif(c.meta ->> 'category', ''), 'unreviewed'),
        'duration_formatted', lead_duration(c.duration_sec),
        'call_time', coalesce(to_char(c.started_at at time zone 'UTC', 'Mon FMDD, YYYY, FMHH12:MI AM'), '')
    )
$$;

create function keep_lead_meta_whole() returns trigger language plpgsql as $$
begin
    new.meta := lead_meta(new);
    return new;
end $$;

create trigger call_logs_meta before insert or update of meta, started_at, duration_sec on call_logs
    for each row execute function keep_lead_meta_whole();
update call_logs set meta = meta;
