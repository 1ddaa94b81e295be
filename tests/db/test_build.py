"""A database built from nothing: complete, and doing what its functions and keys promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.db.migrate import UnknownDatabase, migrate
from shared.db.migrations.catalogue import read_catalogue

from .conftest import REVISIONS, MakeDatabase

Connect = Callable[[str], psycopg.Connection]
OLD_COLUMNS = {
    table: columns.split()
    for table, columns in (
        line.split("\t") for line in (Path(__file__).parent / "old_columns.tsv").read_text().splitlines()
    )
}
NEW_TABLES = {"outbox", "inbox", "request_counters", "email_events", "webhook_tokens", "job_runs", "alembic_version"}
NEW_TABLES |= {"retired_refresh_tokens", "stored_files"}
NEW_TABLES |= {"lead_syncs", "lead_totals"}
NEW_TABLES |= {"form_activity", "form_ai_runs", "form_submission_files"}
NEW_TABLES |= {"task_item_changes"}
NEW_TABLES |= {"review_syncs", "review_replies", "review_request_stops"}
NEW_TABLES |= {"oauth_locations", "oauth_withdrawals", "wordpress_posts", "wordpress_pictures"}
NEW_TABLES |= {"monday_links", "monday_updates", "monday_people", "monday_looks", "blog_images"}


def value(connection: psycopg.Connection, query: str, *params: object) -> object:
    row = connection.execute(query.encode(), params).fetchone()
    assert row is not None
    return row[0]


def test_every_old_table_and_column_is_there(built: str, connect: Connect) -> None:
    """All 71 tables and 854 columns of the old server keep their names."""
    assert (len(OLD_COLUMNS), sum(map(len, OLD_COLUMNS.values()))) == (71, 854)
    found = read_catalogue(connect(built), "public")
    missing = {
        t: [c for c in columns if t not in found or c not in found[t].columns] for t, columns in OLD_COLUMNS.items()
    }
    assert {table: columns for table, columns in missing.items() if columns} == {}
    assert found.keys() - OLD_COLUMNS.keys() == NEW_TABLES


def test_building_twice_changes_nothing(make_database: MakeDatabase, connect: Connect) -> None:
    """The first run applies every revision, the second none."""
    url = make_database(None)
    assert migrate(url) == REVISIONS
    before = read_catalogue(connect(url), "public")
    assert migrate(url) == []
    assert read_catalogue(connect(url), "public") == before


def test_it_needs_no_extension(built: str, connect: Connect) -> None:
    """Any PostgreSQL will do: nothing of contrib is used."""
    assert value(connect(built), "select array_agg(extname::text) from pg_extension") == ["plpgsql"]


def test_another_systems_database_is_left_alone(make_database: MakeDatabase, connect: Connect) -> None:
    """Tables we do not know are not built over."""
    url = make_database(None)
    connect(url).execute("create table invoices (id int)")
    with pytest.raises(UnknownDatabase, match="client_profiles"):
        migrate(url)
    assert read_catalogue(connect(url), "public").keys() == {"invoices"}


def test_foreign_keys_have_an_index(built: str, connect: Connect) -> None:
    """Deleting a parent row never scans a whole table of children."""
    bare = connect(built).execute("""
        select k.conrelid::regclass::text, k.conname from pg_constraint k
        where k.contype = 'f' and k.connamespace = 'public'::regnamespace and not exists (
            select from pg_index x
            where x.indrelid = k.conrelid
              and (x.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
              and (x.indpred is null or pg_get_expr(x.indpred, x.indrelid) = format('(%I IS NOT NULL)', (
                    select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[1])))
        )
    """)
    assert bare.fetchall() == []


def test_no_index_repeats_another(built: str, connect: Connect) -> None:
    """Two indexes on the same columns of the same rows cost twice and serve once."""
    twins = connect(built).execute("""
        select a.indexrelid::regclass::text, b.indexrelid::regclass::text from pg_index a
        join pg_index b on b.indrelid = a.indrelid and b.indexrelid > a.indexrelid and b.indkey = a.indkey
            and b.indoption = a.indoption and b.indpred::text is not distinct from a.indpred::text
            and b.indexprs::text is not distinct from a.indexprs::text
        where a.indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    """)
    assert twins.fetchall() == []


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-01-31 10:00:00.1239+00", "2026-01-31T10:00:00.123Z"),
        ("2026-01-31 10:00:00-05", "2026-01-31T15:00:00.000Z"),
        (None, None),
    ],
)
def test_iso_is_utc_with_milliseconds(built: str, connect: Connect, moment: str | None, text: str | None) -> None:
    """Instants read the same whatever the session's time zone."""
    connection = connect(built)
    connection.execute("set timezone = 'America/New_York'")
    assert value(connection, "select iso(%s::timestamptz)", moment) == text


def test_addresses_are_unique_whatever_their_case(built: str, connect: Connect) -> None:
    """One account per address, without citext."""
    connection = connect(built)
    with connection.transaction(force_rollback=True):
        connection.execute("insert into users (first_name, last_name, email) values ('A', 'B', 'Ann@anchor.test')")
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            connection.execute("insert into users (first_name, last_name, email) values ('A', 'B', 'ann@ANCHOR.test')")
        assert caught.value.diag.constraint_name == "users_email_key"


def test_review_state_follows_review_and_drafts(built: str, connect: Connect) -> None:
    """pending → draft → approved → flagged → responded, always derived and never stored."""
    connection = connect(built)
    with connection.transaction(force_rollback=True):
        client = value(connection, "insert into users (first_name, last_name, email) values ('', '', 'c') returning id")
        review = value(
            connection,
            "insert into reviews (client_id, platform_review_id, reviewer_name, rating, review_created_at)"
            " values (%s, 'r', 'Ann', 5, now()) returning id",
            client,
        )

        def state() -> object:
            return value(connection, "select r.review_state from reviews r where id = %s", review)

        states = [state()]
        for status in ("discarded", "draft", "approved"):
            connection.execute(
                "insert into review_response_drafts (review_id, client_id, draft_text, status, created_at)"
                " values (%s, %s, 'Thanks', %s, clock_timestamp())",
                (review, client, status),
            )
            states.append(state())
        for column in (b"is_flagged", b"has_response"):
            connection.execute(b"update reviews set " + column + b" = true")
            states.append(state())
        assert states == ["pending", "pending", "draft", "approved", "flagged", "responded"]


def test_time_outlives_its_item(built: str, connect: Connect) -> None:
    """Purging an item keeps its hours, with the item's name and board, for billing."""
    connection = connect(built)
    with connection.transaction(force_rollback=True):
        workspace = value(connection, "insert into task_workspaces (name) values ('w') returning id")
        board = value(
            connection, "insert into task_boards (workspace_id, name) values (%s, 'b') returning id", workspace
        )
        group = value(connection, "insert into task_groups (board_id, name) values (%s, 'g') returning id", board)
        item = value(connection, "insert into task_items (group_id, name) values (%s, 'Logo') returning id", group)
        connection.execute("insert into task_time_entries (item_id, time_spent_minutes) values (%s, 90)", (item,))

        connection.execute("delete from task_items")

        entries = connection.execute("select item_id, item_name, board_id, time_spent_minutes from task_time_entries")
        assert entries.fetchall() == [(None, "Logo", board, 90)]


def test_a_call_belongs_to_one_owner(built: str, connect: Connect) -> None:
    """Two clients of one CTM account keep a call each, and a journey follows only its owner's."""
    connection = connect(built)
    with connection.transaction(force_rollback=True):
        one, two = (
            value(connection, "insert into users (first_name, last_name, email) values ('', '', %s) returning id", name)
            for name in ("one", "two")
        )
        for owner in (one, two):
            connection.execute("insert into call_logs (owner_user_id, call_id) values (%s, 'c')", (owner,))
            connection.execute("insert into client_journeys (owner_user_id, lead_call_key) values (%s, 'c')", (owner,))

        connection.execute("delete from call_logs where owner_user_id = %s", (one,))

        keys = dict(connection.execute("select owner_user_id, lead_call_key from client_journeys").fetchall())
        assert keys == {one: None, two: "c"}


def test_revisions_for_after_the_code_wait(
    make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the code, migration stops at the first revision named ``_after_``; afterwards it goes on."""
    import shutil

    from shared.db import migrate as module

    folder = tmp_path / "migrations"
    shutil.copytree(Path(module.__file__).parent / "migrations", folder)
    template = "revision = '{}'\ndown_revision = '{}'\n\ndef upgrade():\n    pass\n"
    head = sorted(path.stem[:4] for path in (folder / "versions").glob("[0-9]*.py"))[-1]
    (folder / "versions" / "9001_widen.py").write_text(template.format("9001", head))
    (folder / "versions" / "9002_after_drop.py").write_text(template.format("9002", "9001"))
    real = module._config

    def with_folder(*args: Any) -> Any:
        config = real(*args)
        config.set_main_option("script_location", str(folder))
        return config

    monkeypatch.setattr(module, "_config", with_folder)
    url = make_database(None)

    assert migrate(url, before_code=True)[-1] == "9001"
    assert migrate(url, before_code=True) == []
    assert migrate(url) == ["9002"]
