-- One expression, so that PostgreSQL writes it into the query: with a FROM of its own it was called for every row.
create or replace function lead_time_ago(moment timestamptz) returns text language sql stable parallel safe as $$
    select case
        when now() - moment < interval '1 minute' then 'Just now'
        when now() - moment < interval '1 hour' then floor(date_part('epoch', now() - moment) / 60)::int || 'm ago'
        when now() - moment < interval '1 day' then floor(date_part('epoch', now() - moment) / 3600)::int || 'h ago'
        when now() - moment < interval '7 days' then floor(date_part('epoch', now() - moment) / 86400)::int || 'd ago'
        when now() - moment < interval '30 days' then floor(date_part('epoch', now() - moment) / 604800)::int || 'w ago'
        else floor(date_part('epoch', now() - moment) / 2592000)::int || 'mo ago'
    end
$$;

-- Two JSON objects as one, neither of them empty: put together as bytes, because functions of text would count the
-- characters of a long transcript to cut one brace off.
create function joined_json(head json, tail jsonb) returns bytea language sql stable parallel safe as $$
    select convert_to(left(head::text, -1) || ',', 'UTF8') || substring(convert_to(tail::text, 'UTF8') from 2)
$$;
