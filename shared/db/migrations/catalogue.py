"""What a schema holds according to PostgreSQL's own catalogue, in a form that two databases can be compared by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import psycopg


class Column(NamedTuple):
    type: str
    default: str | None
    not_null: bool


@dataclass(slots=True)
class Table:
    """Columns, and the definitions of constraints and of further indexes, all by name."""

    columns: dict[str, Column] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)

    def foreign_keys(self) -> dict[str, str]:
        return {name: text for name, text in self.constraints.items() if text.startswith("FOREIGN KEY")}

    def own_constraints(self) -> dict[str, str]:
        """Primary key, unique and check constraints."""
        return {name: text for name, text in self.constraints.items() if not text.startswith("FOREIGN KEY")}


_SEARCH = b"select set_config('search_path', %s, true)"
_COLUMNS = b"""
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relpersistence <> 't'
order by c.relname, a.attnum
"""
_CONSTRAINTS = b"""
select c.relname, k.conname, pg_get_constraintdef(k.oid)
from pg_constraint k join pg_class c on c.oid = k.conrelid
where c.relnamespace = current_schema()::regnamespace and k.contype in ('p', 'u', 'c', 'f')
order by c.relname, k.conname
"""
_INDEXES = b"""
select t.relname, i.relname,
       replace(pg_get_indexdef(x.indexrelid), ' ON ' || quote_ident(current_schema()) || '.', ' ON ')
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
where t.relnamespace = current_schema()::regnamespace
  and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x'))
order by t.relname, i.relname
"""


def read_catalogue(connection: psycopg.Connection, schema: str) -> dict[str, Table]:
    """The tables of *schema* by name. Names inside definitions are unqualified, so two schemas compare equal."""
    tables: dict[str, Table] = {}
    with connection.transaction():
        before = connection.execute("select current_setting('search_path')").fetchone()
        connection.execute(_SEARCH, (f'"{schema}"',))
        for table, column, kind, default, not_null in connection.execute(_COLUMNS):
            tables.setdefault(table, Table()).columns[column] = Column(kind, default, not_null)
        for table, name, definition in connection.execute(_CONSTRAINTS):
            tables[table].constraints[name] = definition
        for table, name, definition in connection.execute(_INDEXES):
            tables[table].indexes[name] = definition
        connection.execute(_SEARCH, before)  # we may be inside the caller's transaction
    return tables
