"""What the dashboard reads of calls, as JSON that PostgreSQL makes: list, detail, history, stats, export.

A page is chosen first, from indexes alone, and only its rows are dressed. In a call's JSON the stored ``meta`` is laid
over the columns and the values that are true now (rating, caller, links, age) over meta: ``spec api-leads §1, Call``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from shared.areas.csv import csv_line
from shared.areas.leads.models import ListCalls
from shared.db.database import Database, Executor

# A call's live values as a row, then meta, which is kept whole by the table's trigger: together one JSON object, as the
# bytes that are sent.
_CALL = """
    joined_json(row_to_json((
        select live from (select
            c.call_id as id, coalesce(c.score, 0) as rating, coalesce(c.score, 0) as score, c.rating_pending,
            c.caller_type, c.caller_type as "callerType", c.call_sequence, c.call_sequence as "callSequence",
            a.id as active_client_id, a.id as "activeClientId", a.client as active_client, a.client as "activeClient",
            c.pipeline_stage_id, p.calls as previous_calls, p.calls as "previousCalls",
            lead_time_ago(c.started_at) as time_ago, j.id as "journeyId", j.journey
        ) live
    )), c.meta)
"""

_DRESSING = """
    left join lateral (
        select id, json_build_object(
            'id', id, 'client_name', client_name, 'client_email', client_email, 'status', status) as client
        from active_clients where id = c.active_client_id and owner_user_id = c.owner_user_id
    ) a on true
    left join lateral (
        select id, json_build_object('id', id, 'status', status, 'paused', paused,
            'next_action_at', iso(next_action_at), 'symptoms', symptoms) as journey
        from client_journeys
        where owner_user_id = c.owner_user_id and lead_call_key = c.call_id and archived_at is null
        order by created_at desc limit 1
    ) j on true
    left join lateral (
        select case when c.call_sequence > 1 then (
            select coalesce(json_agg(json_build_object('call_id', e.call_id, 'started_at', iso(e.started_at),
                'score', e.score, 'classification', e.category, 'summary', e.summary)
                order by e.started_at desc nulls last), '[]')
            from (
                select call_id, started_at, score, category, summary from call_logs
                where owner_user_id = c.owner_user_id and caller_key = c.caller_key
                  and (started_at, call_id) < (c.started_at, c.call_id)
                order by started_at desc nulls last limit 10
            ) e
        ) else '[]' end as calls offset 0
    ) p on true
"""

_ORDERS = {
    "started_at": "started_at",
    "score": "score",
    "duration_sec": "duration_sec",
    "from_number": "from_number",
}
CALLER_TYPES = frozenset({"new", "repeat", "returning_customer", "active_client"})
_SHORTEST_INDEXED = 3  # letters: a shorter search has no piece that the index knows


@dataclass(slots=True)
class _Where:
    """Conditions with their values: each ``{}`` becomes the value's number."""

    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        names = []
        for value in values:
            self.values.append(value)
            names.append(f"${len(self.values)}")
        self.conditions.append(condition.format(*names))

    @property
    def text(self) -> str:
        return " and ".join(self.conditions)


def _where(owner: UUID, query: ListCalls) -> _Where:
    where = _Where()
    where.add("owner_user_id = {}", owner)
    if query.search:
        words = query.search.lower()
        if len(words) >= _SHORTEST_INDEXED:
            where.add("lead_grams(owner_user_id, search_text) @> lead_grams($1, {})", words)
        where.add("strpos(search_text, {}) > 0", words)
    if query.caller_type in CALLER_TYPES:
        where.add("caller_type = {}", query.caller_type)
    if query.category:
        where.add("category = {}", query.category)
    if query.date_from is not None:
        where.add("started_at >= {}", query.date_from)
    if query.date_to is not None:
        where.add("started_at <= {}", query.date_to)
    return where


def _order(query: ListCalls) -> str:
    column = _ORDERS.get(query.sort_by, "started_at")
    way = "asc" if query.sort_order.lower() == "asc" else "desc"
    last = "" if column == "started_at" else ", started_at desc nulls last"
    return f"{column} {way} nulls last{last}, call_id {'asc' if way == 'asc' and not last else 'desc'}"


async def list_calls(db: Executor, owner: UUID, query: ListCalls) -> tuple[bytes, int]:
    """The page of calls that *query* asks for, as a JSON list, and how many calls it asks for in all."""
    where = _where(owner, query)
    everything = len(where.conditions) == 1
    total = (
        "select coalesce((select calls from lead_totals where owner_user_id = $1), 0)"
        if everything
        else " ".join(("select count(*)::int from call_logs where", where.text))
    )
    page = " ".join(
        ("select chosen.*, row_number() over () as place from (select * from call_logs where", where.text, "order by",
         _order(query), "limit", str(query.limit), "offset", str((query.page - 1) * query.limit), ") chosen")
    )  # fmt: skip
    sql = " ".join(
        ("select (", total, ") as total, (select string_agg(", _CALL, ", ',' order by c.place) from (", page, ") c",
         _DRESSING, ") as calls")
    )  # fmt: skip
    row = await db.fetchrow(sql, *where.values)
    assert row is not None, "a select without from has one row"
    return b"[%b]" % (row["calls"] or b""), row["total"]


async def detail(db: Executor, owner: UUID, call_id: str) -> str | None:
    """A call with its caller's other calls, its journey with steps, and its active client with services, as JSON."""
    sql = " ".join(
        (
            "select json_build_object('lead', convert_from(",
            _CALL,
            """, 'UTF8')::json, 'callHistory', (
                select coalesce(jsonb_agg(jsonb_build_object('call_id', h.call_id, 'started_at', iso(h.started_at),
                    'duration_sec', h.duration_sec, 'score', h.score, 'caller_type', h.caller_type,
                    'category', h.category, 'summary', h.summary) order by h.started_at desc nulls last), '[]')
                from (
                    select * from call_logs
                    where owner_user_id = c.owner_user_id and caller_key = c.caller_key and id <> c.id
                    order by started_at desc nulls last limit 20
                ) h
            ), 'journey', (
                select to_jsonb(w) || jsonb_build_object(
                    'next_action_at', iso(w.next_action_at), 'created_at', iso(w.created_at),
                    'updated_at', iso(w.updated_at), 'archived_at', iso(w.archived_at),
                    'service_name', (select name from services where id = w.service_id),
                    'steps', (
                        select coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('due_at', iso(s.due_at),
                            'completed_at', iso(s.completed_at), 'created_at', iso(s.created_at))
                            order by s.position), '[]')
                        from client_journey_steps s where s.journey_id = w.id))
                from client_journeys w where w.id = j.id
            ), 'activeClient', (
                select to_jsonb(k) || jsonb_build_object(
                    'created_at', iso(k.created_at), 'updated_at', iso(k.updated_at), 'archived_at', iso(k.archived_at),
                    'services', (
                        select jsonb_agg(to_jsonb(cs) || jsonb_build_object('service_name', sv.name,
                            'agreed_date', iso(cs.agreed_date), 'redacted_at', iso(cs.redacted_at),
                            'created_at', iso(cs.created_at)) order by cs.agreed_date desc)
                        from client_services cs left join services sv on sv.id = cs.service_id
                        where cs.active_client_id = k.id and cs.redacted_at is null))
                from active_clients k where k.id = a.id
            ))::text from call_logs c""",
            _DRESSING,
            "where c.owner_user_id = $1 and c.call_id = $2",
        )
    )
    found: str | None = await db.fetchval(sql, owner, call_id)
    return found


async def history(db: Executor, owner: UUID, call_id: str) -> str | None:
    """The newest 50 calls of a call's number, itself among them, as JSON; None when there is no such call."""
    found: str | None = await db.fetchval(
        """
        select case when coalesce(c.from_number, '') = ''
            then json_build_object('calls', '[]'::json, 'message', 'This call has no number.')
            else json_build_object('phoneNumber', c.from_number,
                'totalCalls', case when c.caller_key is null then 1 else (
                    select count(*)::int from call_logs where owner_user_id = $1 and caller_key = c.caller_key) end,
                'calls', (
                    select json_agg(json_build_object('call_id', h.call_id, 'started_at', iso(h.started_at),
                        'duration_sec', h.duration_sec, 'score', h.score, 'caller_type', h.caller_type,
                        'classification', h.meta ->> 'classification', 'summary', h.summary, 'category', h.category)
                        order by h.started_at desc nulls last, h.call_id desc)
                    from (
                        select * from call_logs
                        where owner_user_id = $1 and (caller_key = c.caller_key or id = c.id)
                        order by started_at desc nulls last, call_id desc limit 50
                    ) h
                )) end::text
        from call_logs c where c.owner_user_id = $1 and c.call_id = $2
        """,
        owner, call_id,
    )  # fmt: skip
    return found


async def stats(db: Executor, owner: UUID, days: int) -> str:
    """Counts of the last *days* days, as JSON; the daily ones of the last 14, days without calls left out."""
    text: str = await db.fetchval(
        """
        with told as materialized (
            select category, caller_type, coalesce(score, 0) as score, started_at, meta ->> 'source' as source
            from call_logs where owner_user_id = $1 and started_at >= now() - make_interval(days => $2)
        ), sums as (
            select count(*)::int as total, count(*) filter (where category = 'converted')::int as converted,
                   count(*) filter (where category = 'needs_attention')::int as needs_attention,
                   count(*) filter (where score > 0)::int as rated, avg(score) filter (where score > 0) as average
            from told
        )
        select json_build_object(
            'period', json_build_object('days', $2, 'startDate', iso(now() - make_interval(days => $2))),
            'total', total, 'converted', converted,
            'conversionRate', case when total = 0 then to_json(0)
                                   else to_json(to_char(converted * 100.0 / total, 'FM990.0')) end,
            'needsAttention', needs_attention, 'averageRating', to_char(coalesce(average, 0), 'FM0.0'),
            'ratedCount', rated,
            'byCategory', (select coalesce(json_object_agg(category, n), '{}')
                           from (select category, count(*)::int as n from told group by 1) by_category),
            'byCallerType', (select coalesce(json_object_agg(caller_type, n), '{}')
                             from (select coalesce(caller_type, 'new') as caller_type, count(*)::int as n
                                   from told group by 1) by_type),
            'bySource', (select coalesce(json_agg(json_build_object('source', source, 'count', n)
                                                  order by n desc, source), '[]')
                         from (select coalesce(source, 'Unknown') as source, count(*)::int as n from told
                               group by 1 order by n desc, 1 limit 10) by_source),
            'dailyVolume', (select coalesce(json_agg(json_build_object('date', day, 'count', n) order by day), '[]')
                            from (select (started_at at time zone 'UTC')::date as day, count(*)::int as n from told
                                  where started_at >= now() - interval '14 days' group by 1) by_day)
        )::text from sums
        """,
        owner, days,
    )  # fmt: skip
    return text


CSV_HEADER = (
    *("Call ID", "Caller Name", "Phone", "Direction", "Date", "Duration (sec)", "Rating", "Type", "Source"),
    *("Category", "Classification", "Summary", "Region"),
)
_CSV_CHUNK = 500


async def export(db: Database, owner: UUID) -> AsyncIterator[bytes]:
    """Every call as CSV, newest first, read and written some hundred at a time."""
    yield csv_line(CSV_HEADER).encode()
    async with db.connection() as connection, connection.transaction(readonly=True):
        cursor = await connection.cursor(
            """
            select call_id, coalesce(meta ->> 'caller_name', ''), from_number, direction, iso(started_at),
                   duration_sec, coalesce(score, 0), caller_type, meta ->> 'source', category,
                   meta ->> 'classification', summary, meta ->> 'region'
            from call_logs where owner_user_id = $1 order by started_at desc nulls last, call_id desc
            """,
            owner,
        )
        while rows := await cursor.fetch(_CSV_CHUNK):
            yield "".join(map(csv_line, rows)).encode()
