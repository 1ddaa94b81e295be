"""Brings the old server's database, whatever its age, to the exact state of revision 0001 without touching a row.

The old server had no version table: its scripts left different databases behind (a missing foreign key here, a narrower
check there). So nothing is assumed: the baseline is built in a schema of its own, both catalogues are read, and the
differences are made good. What only the old database has stays as it is, save that it no longer demands a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .catalogue import Column, Table, read_catalogue
from .run_sql import SQL, run_file, run_folder

if TYPE_CHECKING:
    import psycopg

BASELINE = "0001_baseline"
SCRATCH = "anchor_baseline"


def adopt(connection: psycopg.Connection, schema: str) -> list[str]:
    """Change *schema* until it equals the baseline; return the statements that were needed.

    Runs inside the caller's transaction. Raises psycopg's error where a row contradicts the baseline (nothing has
    happened then): a person must look at that row.
    """
    expected = _baseline(connection)
    done: list[str] = []
    for step in (_missing_tables, _columns, _own_constraints, _foreign_keys, _indexes):
        # Each step reads afresh: dropping a key may have taken a foreign key along.
        for statement in step(expected, read_catalogue(connection, schema)):
            connection.execute(statement.encode())
            done.append(statement)
    connection.execute(f"drop schema {SCRATCH} cascade".encode())
    run_file(connection, SQL / BASELINE / "10_functions.sql")
    return done


def _baseline(connection: psycopg.Connection) -> dict[str, Table]:
    connection.execute(f"create schema {SCRATCH}".encode())
    with connection.transaction():
        connection.execute(f"set local search_path = {SCRATCH}".encode())
        run_folder(connection, BASELINE)
        expected = read_catalogue(connection, SCRATCH)
        connection.execute("set local search_path to default")
    return expected


def _missing_tables(expected: dict[str, Table], found: dict[str, Table]) -> Iterator[str]:
    """Move the baseline's own table over, free of references into the scratch schema."""
    for table in expected.keys() - found.keys():
        for name in expected[table].foreign_keys():
            yield f"alter table {SCRATCH}.{_q(table)} drop constraint {_q(name)}"
        yield f"do $$ begin execute format('alter table {SCRATCH}.{_q(table)} set schema %I', current_schema()); end $$"


def _columns(expected: dict[str, Table], found: dict[str, Table]) -> Iterator[str]:
    for table, wanted in expected.items():
        there = found[table].columns
        for name, column in wanted.columns.items():
            if name not in there:
                yield f"alter table {_q(table)} add column {_q(name)} {_definition(column)}"
            else:
                yield from _column(f"alter table {_q(table)} alter column {_q(name)}", there[name], column)
        for name in there.keys() - wanted.columns.keys():
            if there[name].not_null and there[name].default is None:
                yield f"alter table {_q(table)} alter column {_q(name)} drop not null"


def _column(alter: str, there: Column, wanted: Column) -> Iterator[str]:
    default = there.default
    if there.type != wanted.type:
        if default is not None:
            yield f"{alter} drop default"  # the old default may not be of the new type
            default = None
        yield f"{alter} type {wanted.type}"  # no USING: a value that does not fit is an error, not cut short
    if default != wanted.default:
        yield f"{alter} " + (f"set default {wanted.default}" if wanted.default is not None else "drop default")
    if there.not_null != wanted.not_null:
        yield f"{alter} " + ("set not null" if wanted.not_null else "drop not null")


def _own_constraints(expected: dict[str, Table], found: dict[str, Table]) -> Iterator[str]:
    for table, wanted in expected.items():
        yield from _constraints(table, wanted.own_constraints(), found[table].own_constraints())


def _foreign_keys(expected: dict[str, Table], found: dict[str, Table]) -> Iterator[str]:
    for table, wanted in expected.items():
        yield from _constraints(table, wanted.foreign_keys(), found[table].foreign_keys())


def _constraints(table: str, wanted: dict[str, str], there: dict[str, str]) -> Iterator[str]:
    """A constraint is known by what it says: one under another name is renamed, one of this name saying else goes."""
    alter = f"alter table {_q(table)}"
    for name, definition in wanted.items():
        if there.get(name) == definition:
            continue
        if name in there:
            yield f"{alter} drop constraint {_q(name)} cascade"
        twin = next((other for other, text in there.items() if text == definition and other not in wanted), None)
        if twin is not None:
            yield f"{alter} rename constraint {_q(twin)} to {_q(name)}"
        else:
            yield f"{alter} add constraint {_q(name)} {definition}"


def _indexes(expected: dict[str, Table], found: dict[str, Table]) -> Iterator[str]:
    for table, wanted in expected.items():
        there = found[table].indexes
        for name, definition in wanted.indexes.items():
            if there.get(name) == definition:
                continue
            if name in there:
                yield f"drop index {_q(name)}"
            twin = next((o for o, text in there.items() if o not in wanted.indexes and _same(text, definition)), None)
            yield f"alter index {_q(twin)} rename to {_q(name)}" if twin is not None else definition


def _same(one: str, other: str) -> bool:
    """Whether two index definitions differ in nothing but the index's name."""
    return re.sub(r"INDEX \S+ ON", "INDEX ON", one) == re.sub(r"INDEX \S+ ON", "INDEX ON", other)


def _definition(column: Column) -> str:
    default = f" default {column.default}" if column.default is not None else ""
    return column.type + default + (" not null" if column.not_null else "")


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
