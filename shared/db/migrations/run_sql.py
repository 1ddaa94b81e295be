"""Runs a revision's folder of SQL files, in the order of their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import psycopg

SQL = Path(__file__).parent / "sql"


def run_folder(connection: psycopg.Connection, revision: str) -> None:
    """Run every file of ``sql/<revision>/`` as it stands."""
    for path in sorted((SQL / revision).glob("*.sql")):
        run_file(connection, path)


def run_file(connection: psycopg.Connection, path: Path) -> None:
    """Run one file of statements, without parameters, so that a ``%`` means itself."""
    connection.execute(path.read_bytes())


def run_revision(revision: str) -> None:
    """What a revision's ``upgrade`` does: run its folder on Alembic's connection."""
    from alembic import op

    run_folder(cast("psycopg.Connection", op.get_bind().connection.driver_connection), revision)
