"""The old server's database, adopted: no row lost, every correction made once, and the same as one built anew."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import psycopg
import pytest

from shared.db import migrate as migrate_module
from shared.db.migrate import DatabaseBusy, migrate
from shared.db.migrations.catalogue import Column, Table, read_catalogue

from .conftest import REVISIONS, MakeDatabase

Connect = Callable[[str], psycopg.Connection]


def rows(connection: psycopg.Connection, query: str) -> dict[int, object]:
    """The answer of a two-column query, by the readable number in each row's id."""
    return {int(str(key)[-12:]): found for key, found in connection.execute(query.encode())}


def counts(connection: psycopg.Connection) -> dict[str, int]:
    tables = read_catalogue(connection, "public").keys() - {"alembic_version"}
    return {table: connection.execute(f"select count(*) from {table}".encode()).fetchone()[0] for table in tables}  # type: ignore[index]


def routines_and_triggers(connection: psycopg.Connection) -> set[tuple[str, str]]:
    """Functions with their source and triggers with their definition, but for the stand-ins of old_state.sql."""
    return {
        (str(name), str(text))
        for name, text in connection.execute("""
            select p.oid::regprocedure::text, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) || p.provolatile::text
            from pg_proc p
            where pronamespace = 'public'::regnamespace and proname not like 'uuid_%' and p.prokind = 'f'
              and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
            union all
            select tgname::text, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
        """)
    }


def test_an_adopted_database_equals_a_built_one(adopted: str, built: str, connect: Connect) -> None:
    """Tables, columns, types, defaults, nullability, constraints, indexes, functions and triggers are the same."""
    one, other = read_catalogue(connect(adopted), "public"), read_catalogue(connect(built), "public")
    assert one.keys() == other.keys()
    assert {t: one[t] for t in one if one[t] != other[t]} == {t: other[t] for t in one if one[t] != other[t]}
    assert routines_and_triggers(connect(adopted)) == routines_and_triggers(connect(built))


def test_old_posts_hold_nothing_that_could_act(old: str, adopted: str, connect: Connect) -> None:
    """Scripts, handlers and documents inside of addresses are gone; the rest, and images, are as they were."""
    query = "select id, content from blog_posts"
    before, after = rows(connect(old), query), rows(connect(adopted), query)
    assert {number: after[number] for number in (110, 112)} == {number: before[number] for number in (110, 112)}
    assert after[111] == '<p>a</p><a rel="noopener noreferrer">b</a><img src="x">'
    assert set(rows(connect(adopted), "select id, updated_at::date::text from blog_posts").values()) == {"2025-01-01"}


def test_no_row_is_lost(old: str, adopted: str, connect: Connect) -> None:
    """Every table has as many rows after adoption as before; new tables are empty, but for sums of old rows."""
    before, after = counts(connect(old)), counts(connect(adopted))
    assert sum(before.values()) > 70
    assert {table: after[table] for table in before} == before
    assert {table for table, rows in after.items() if table not in before and rows} == {"lead_totals"}


def test_nothing_needs_the_old_extensions_any_more(adopted: str, connect: Connect) -> None:
    """uuid-ossp and citext (or what stands in for them) can be dropped."""
    connection = connect(adopted)
    with connection.transaction(force_rollback=True):
        if connection.execute("select from pg_extension where extname = 'citext'").rowcount:
            connection.execute('drop extension citext; drop extension "uuid-ossp"')
        else:
            connection.execute("drop function uuid_generate_v4(); drop domain citext")


def test_a_second_run_changes_nothing(make_database: MakeDatabase, adopted: str, connect: Connect) -> None:
    """What adoption corrected once is not corrected again: an admin made later stays an admin."""
    url = make_database(adopted)
    connect(url).execute("insert into users (first_name, last_name, email, role) values ('', '', 'new', 'admin')")
    assert migrate(url) == []
    roles = connect(url).execute("select role from users where email = 'new'").fetchall()
    assert roles == [("admin",)]


def test_two_at_once_do_it_once(make_database: MakeDatabase, old: str) -> None:
    """Two processes adopt at the same time: one does the work, the other finds it done."""
    url = make_database(old)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        applied = pool.map(migrate, [url, url], chunksize=1)
    assert sorted(applied) == [[], REVISIONS]


def test_a_busy_database_is_left_as_it_was(
    make_database: MakeDatabase, old: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the old server still holds a table, adoption gives up soon, says so, and has changed nothing."""
    url = make_database(old)
    monkeypatch.setattr(migrate_module, "LOCK_TIMEOUT_S", 0.05)
    server = connect(url)
    with server.transaction():
        server.execute("lock table form_versions in share mode")
        with pytest.raises(DatabaseBusy, match="Nothing was changed"):
            migrate(url)
    assert read_catalogue(connect(url), "public") == read_catalogue(connect(old), "public")


AGES = {
    "before WordPress": """
        alter table oauth_connections drop constraint oauth_connections_provider_check,
            add constraint oauth_connections_provider_check
            check (provider in ('google', 'facebook', 'instagram', 'tiktok'));
    """,
    "before reviews": "drop table review_statistics, review_settings, review_request_campaigns, review_automation_logs",
    "before forms": """
        drop table form_pdf_artifacts, form_submission_jobs, form_audit_logs;
        drop trigger forms_updated_at_trigger on forms;
    """,
    "before columns that requests added": """
        alter table active_clients drop column archived_at;
        alter table call_logs drop column call_sequence;
    """,
    "journeys made by the script": """
        update client_journeys set lead_call_key = null where lead_call_key = 'ctm-gone';
        alter table client_journeys add constraint journeys_call foreign key (lead_call_key)
            references call_logs (call_id) on delete set null;
    """,
    "constraints and indexes under other names": """
        alter table lead_tags rename constraint lead_tags_owner_user_id_name_key to one_tag_per_name;
        alter table call_logs rename constraint call_logs_call_id_key to calls_unique;
        alter index idx_requests_user rename to requests_by_user;
        alter table blog_posts drop constraint blog_posts_user_id_fkey, add foreign key (user_id) references users (id);
    """,
    "a narrower column and a nullable one": """
        alter table requests alter column title type varchar(80);
        alter table notifications alter column meta drop not null, alter column meta drop default;
    """,
    "the unique brand index": """
        delete from brand_assets where business_name = 'Old name';
        create unique index idx_brand_assets_user_unique on brand_assets (user_id);
    """,
}


@pytest.mark.parametrize("age", AGES)
def test_a_database_of_any_age_ends_the_same(
    age: str, make_database: MakeDatabase, old: str, built: str, connect: Connect
) -> None:
    """Whatever scripts an old database saw, it ends equal to a built one, with all its rows."""
    url = make_database(old)
    connect(url).execute(AGES[age].encode())
    before = counts(connect(url))
    assert migrate(url) == REVISIONS
    assert read_catalogue(connect(url), "public") == read_catalogue(connect(built), "public")
    assert {table: rows for table, rows in counts(connect(url)).items() if table in before} == before


def test_what_only_the_old_database_has_is_kept(make_database: MakeDatabase, old: str, connect: Connect) -> None:
    """A table or column added by hand stays, and no longer demands a value of those who do not know it."""
    url = make_database(old)
    connect(url).execute("create table by_hand (id int primary key); alter table services add column code text")
    connect(url).execute("update services set code = 'x'; alter table services alter column code set not null")
    migrate(url)
    found = read_catalogue(connect(url), "public")
    assert found["by_hand"] == Table({"id": Column("integer", None, True)}, {"by_hand_pkey": "PRIMARY KEY (id)"})
    assert found["services"].columns["code"] == Column("text", None, False)


def test_roles_of_before_the_role_script(adopted: str, connect: Connect) -> None:
    """Without a superadmin admin was the top role: admins become superadmins, editors admins."""
    assert rows(connect(adopted), "select id, role from users") == {
        1: "superadmin",
        2: "admin",
        3: "client",
        4: "client",
    }


def test_roles_of_after_the_role_script(make_database: MakeDatabase, old: str, connect: Connect) -> None:
    """Where a superadmin exists admins stay admins; only the legacy editor is renamed."""
    url = make_database(old)
    connect(url).execute("insert into users (first_name, last_name, email, role) values ('', '', 's', 'superadmin')")
    migrate(url)
    roles = connect(url).execute("select role, count(*) from users group by role").fetchall()
    assert dict(roles) == {"admin": 2, "superadmin": 1, "client": 2}


def test_duplicates_are_kept_apart(adopted: str, connect: Connect) -> None:
    """Of rows that must be unique the first, or the newest where it matters, stays usable; none is deleted."""
    connection = connect(adopted)
    assert rows(connection, "select id, superseded_at is null from brand_assets") == {11: False, 12: True, 13: True}
    files = connection.execute(
        "select logos, style_guides from brand_assets where business_name = 'New name'"
    ).fetchone()
    assert files is not None
    assert sorted(logo["id"] for logo in files[0]) == ["a", "b", "c"]
    assert files[1] == [{"id": "g"}]

    assert rows(connection, "select id, mailgun_id from email_logs") == {81: "<1@mg>", 82: None, 83: "<2@mg>", 84: None}
    kept = rows(connection, "select id, metadata ->> 'duplicate_mailgun_id' from email_logs")
    assert kept == {81: None, 82: "<1@mg>", 83: None, 84: None}

    hashes = rows(connection, "select id, token_hash from client_onboarding_tokens")
    assert hashes[31] == "hash-1" and str(hashes[32]).startswith("hash-1#")

    live = rows(connection, "select id, is_connected and revoked_at is null from oauth_connections")
    assert live == {91: False, 92: True, 93: True}
    holders = rows(connection, "select id, oauth_connection_id from oauth_resources")
    assert {n: int(str(holder)[-12:]) for n, holder in holders.items()} == {94: 91, 95: 92, 96: 92}


def test_references_to_nothing(adopted: str, connect: Connect) -> None:
    """Orphans are emptied where a foreign key now guards, and kept where they may find their call again."""
    connection = connect(adopted)
    authors = rows(connection, "select id, created_by is null from documents")
    assert authors == {21: True, 22: False}
    assert rows(connection, "select id, campaign_id from review_requests where campaign_id is not null") == {}
    assert rows(connection, "select id, call_id from call_log_tags") == {54: "ctm-1", 55: "ctm-gone"}
    assert rows(connection, "select id, call_id from lead_notes") == {56: "ctm-gone"}
    assert rows(connection, "select id, lead_call_key from client_journeys") == {57: "ctm-1", 58: None, 59: "ctm-2"}


def test_owners_are_filled_once(adopted: str, connect: Connect) -> None:
    """Calls and customers get their one owner; an owner that disagreed is kept aside."""
    connection = connect(adopted)
    owners = rows(
        connection, "select id, owner_user_id from call_logs union all select id, owner_user_id from active_clients"
    )
    assert {n: int(str(owner)[-12:]) for n, owner in owners.items()} == {51: 3, 52: 4, 61: 3, 62: 4}
    aside = rows(connection, "select id, funnel_data ->> 'legacy_user_id' from active_clients")
    assert aside[61] is None and str(aside[62]).endswith("3")


def test_tasks_speak_todays_language(adopted: str, connect: Connect) -> None:
    """Legacy codes become labels, own labels and sub-items stay; groups keep the order they were shown in."""
    connection = connect(adopted)
    assert rows(connection, "select id, status from task_items") == {47: "Needs Attention", 48: "Waiting for client"}
    assert rows(connection, "select id, status from task_subitems") == {49: "todo"}
    assert rows(connection, "select id, order_index from task_groups") == {43: 1, 44: 0, 45: 7, 46: 0}


def test_forms_get_client_and_published_version(adopted: str, connect: Connect) -> None:
    """What was live stays live; nobody's edit time changes."""
    connection = connect(adopted)
    clients = rows(connection, "select id, client_id is not null from forms")
    assert clients == {101: True, 102: False}
    published = rows(connection, "select id, published_version_id = active_version_id from forms")
    assert published == {101: True, 102: None}
    edited = connection.execute("select distinct date_part('year', updated_at) from forms").fetchall()
    assert edited == [(2025.0,)]


def test_mails_lose_their_codes_and_gain_their_request(adopted: str, connect: Connect) -> None:
    """No one-time code stays readable; mails are tied to the review request they carried, from either side's note."""
    connection = connect(adopted)
    assert rows(connection, "select id, text_body from email_logs")[81] is None
    assert rows(connection, "select id, text_body from email_logs")[84] == "Hello"
    requests = rows(connection, "select id, review_request_id from email_logs where review_request_id is not null")
    assert {n: int(str(request)[-12:]) for n, request in requests.items()} == {82: 71, 83: 72}


def test_connections_are_healed_and_hold_no_secret_in_clear(adopted: str, connect: Connect) -> None:
    """Connected again after a revocation is connected; of two primary resources the later stays; tokens beside the
    tokens are gone."""
    connection = connect(adopted)
    revoked = rows(connection, "select id, revoked_at is not null from oauth_connections")
    assert revoked[93] is False and revoked[91] is True
    primary = rows(connection, "select id, is_primary from oauth_resources")
    assert (primary[95], primary[96]) == (False, True)
    assert rows(connection, "select id, external_metadata from oauth_connections")[93] == {"note": "kept"}
