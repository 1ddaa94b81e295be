"""Compares two databases table by table, rows counted and summed: did the import lose or change anything?

``python -m infra.compare_databases OLD NEW [--except TABLE.COLUMN …]`` takes two connection URLs (leave the password
to ``PGPASSFILE``). Every table of OLD must be in NEW with every row and the same value in every column of OLD; what
NEW has beyond that is its own. Columns that a migration rewrites on purpose (encrypted secrets) are excepted by name.
Exits with 1 when anything differs, naming tables and columns, never a value.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

# The same text for the same value, whatever the server's version or settings.
_SESSION = """
set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601';
set extra_float_digits = 1; set bytea_output = 'hex'; set default_transaction_read_only = on
"""
_COLUMNS = """
select table_name, column_name from information_schema.columns
join information_schema.tables using (table_schema, table_name)
where table_schema = current_schema() and table_type = 'BASE TABLE' order by table_name, column_name
"""
# A sum of hashes is the same in any order of rows; null and '' differ.
_HASH = "coalesce(sum(('x' || substr(md5({text}), 1, 16))::bit(64)::bigint::numeric), 0)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One finding, in words for a person."""

    table: str
    what: str

    def __str__(self) -> str:
        return f"{self.table}: {self.what}"


def compare(old: psycopg.Connection, new: psycopg.Connection, excepted: Collection[str] = ()) -> list[Difference]:
    """What NEW lacks or changed of OLD, by table name. ``excepted``: ``table.column`` names that are not compared.

    Raises ValueError for an excepted column that OLD does not have, for it would hide a misspelling.
    """
    for connection in (old, new):
        for statement in _SESSION.split(";"):
            connection.execute(sql.SQL(statement))
    old_columns, new_columns = _columns(old), _columns(new)
    known = {f"{table}.{column}" for table, columns in old_columns.items() for column in columns}
    if unknown := set(excepted) - known:
        raise ValueError(f"the old database has no {', '.join(sorted(unknown))}")
    found: list[Difference] = []
    for table, columns in old_columns.items():
        compared = [column for column in columns if f"{table}.{column}" not in excepted]
        found += _compare_table(old, new, table, compared, new_columns.get(table))
    return found


def _columns(connection: psycopg.Connection) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for table, column in connection.execute(_COLUMNS):
        tables.setdefault(table, []).append(column)
    return tables


def _compare_table(
    old: psycopg.Connection, new: psycopg.Connection, table: str, columns: list[str], there: list[str] | None
) -> Iterator[Difference]:
    if there is None:
        yield Difference(table, "is missing")
        return
    if missing := [column for column in columns if column not in there]:
        yield Difference(table, f"lacks the columns {', '.join(missing)}")
        return
    before, after = _count(old, table), _count(new, table)
    if before != after:
        yield Difference(table, f"has {after} rows instead of {before}")
        return
    if _sums(old, table, [columns]) == _sums(new, table, [columns]):
        return
    single = [[column] for column in columns]
    pairs = zip(columns, _sums(old, table, single), _sums(new, table, single), strict=True)
    changed = [column for column, one, other in pairs if one != other]
    yield Difference(table, f"differs in {', '.join(changed) or 'which values belong to which row'}")


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


def _sums(connection: psycopg.Connection, table: str, groups: list[list[str]]) -> tuple[object, ...]:
    """One sum for each group of columns, over every row."""
    texts = [
        sql.SQL("row({})::text").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in group)
        )
        for group in groups
    ]
    sums = sql.SQL(", ").join(sql.SQL(_HASH).format(text=text) for text in texts)
    row = connection.execute(sql.SQL("select {} from {}").format(sums, sql.Identifier(table))).fetchone()
    assert row is not None
    return tuple(row)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.compare_databases", description="Compare two databases.")
    parser.add_argument("old", help="URL of the database that was imported")
    parser.add_argument("new", help="URL of the database it was imported into")
    parser.add_argument("--except", dest="excepted", nargs="*", default=[], metavar="TABLE.COLUMN")
    given = parser.parse_args(arguments)
    with psycopg.connect(given.old, autocommit=True) as old, psycopg.connect(given.new, autocommit=True) as new:
        found = compare(old, new, given.excepted)
        tables = _columns(old)
    for difference in found:
        print(difference)
    print(f"{len(tables)} tables compared, {len({difference.table for difference in found})} differ")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
