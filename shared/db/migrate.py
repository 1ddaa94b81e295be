"""Brings a database to the newest version: ``python -m shared.db.migrate`` with ``DATABASE_URL``.

It finds out by itself what is there: nothing (build it), the old server's tables (adopt them without losing a row), or
ours (upgrade). All of it is one transaction under an advisory lock, so it may be run twice, or from two places at once.
With ``ENCRYPTION_KEYS`` set, secrets that the old server kept in clear are then encrypted, batch by batch.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from shared.crypto import KeyRing
from shared.db.migrations.encryption import count_plain_rows, encrypt_plain_rows

if TYPE_CHECKING:
    import psycopg
    from alembic.config import Config
    from sqlalchemy import Connection

__all__ = ["DatabaseBusy", "UnknownDatabase", "encrypt_plain_rows", "migrate"]

log = logging.getLogger(__name__)

LOCK_KEY = 0x616E63686F72  # "anchor": ours among the database's advisory locks
TURN_TIMEOUT_S = 300  # for another migration to end
LOCK_TIMEOUT_S = 4  # for one table: while we wait, everybody behind us waits too
OLD_SERVER_TABLES = {"users", "client_profiles", "call_logs", "task_items", "forms"}

State = Literal["empty", "old", "ours"]


class DatabaseBusy(Exception):
    """Another session held a lock for too long; nothing was changed."""


class UnknownDatabase(Exception):
    """The database holds tables that are neither ours nor the old server's; nothing was changed."""


def migrate(database_url: str, *, before_code: bool = False) -> list[str]:
    """Build, adopt or upgrade; return the revisions applied, oldest first (none: it was up to date).

    *before_code* stops before the next revision that the running code cannot live with, and that so has to wait until
    the new code runs: its file's name contains ``_after_``.
    Raises DatabaseBusy, UnknownDatabase, or the database's own error; the database is then as it was.
    """
    import psycopg
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            return _migrate(connection, before_code=before_code)
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.errors.LockNotAvailable):
            raise DatabaseBusy(
                f"another session held a lock for more than {LOCK_TIMEOUT_S} s (of a table) or {TURN_TIMEOUT_S} s "
                "(another migration). Nothing was changed: stop what uses the database, or try again when it is quiet"
            ) from error
        raise


def _migrate(connection: Connection, *, before_code: bool) -> list[str]:
    from alembic import command

    raw = cast("psycopg.Connection", connection.connection.driver_connection)
    raw.execute(f"set local lock_timeout = {TURN_TIMEOUT_S * 1000:.0f}".encode())
    raw.execute("select pg_advisory_xact_lock(%s)", (LOCK_KEY,))
    raw.execute(f"set local lock_timeout = {LOCK_TIMEOUT_S * 1000:.0f}".encode())
    applied: list[str] = []
    config = _config(connection, applied)
    if _state(raw) == "old":
        _adopt(raw)
        command.stamp(config, "0001")
    command.upgrade(config, _before_code(connection, config) if before_code else "head")
    return applied


def _before_code(connection: Connection, config: Config) -> str:
    """The last revision before the first one, not applied yet, that is for after the code."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    at = MigrationContext.configure(connection).get_current_revision() or "base"
    for script in reversed(list(ScriptDirectory.from_config(config).iterate_revisions("head", at))):
        if "_after_" in Path(script.path).stem:
            return at
        at = script.revision
    return at


def _adopt(raw: psycopg.Connection) -> None:
    from shared.db.migrations.adoption import adopt

    row = raw.execute("select current_schema()").fetchone()
    assert row is not None
    for statement in adopt(raw, row[0]):
        log.info("adopting: %s", statement)


def _state(raw: psycopg.Connection) -> State:
    tables = {
        name
        for (name,) in raw.execute(
            "select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')"
        )
    }
    if "alembic_version" in tables:
        return "ours"
    if not tables:
        return "empty"
    if tables >= OLD_SERVER_TABLES:
        return "old"
    raise UnknownDatabase(
        "the database is not empty, and these tables of the old server are missing: "
        + ", ".join(sorted(OLD_SERVER_TABLES - tables))
    )


def _config(connection: Connection, applied: list[str]) -> Config:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationInfo

    def note(*, step: MigrationInfo, **_: object) -> None:
        applied.extend(revision for revision in (step.up_revision_id,) if revision)

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, on_version_apply=note)
    return config


def main() -> int:
    """0 when the database is up to date; 1 when it could not be, or when secrets in clear remain for want of keys."""
    import psycopg

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        log.error("DATABASE_URL is not set")
        return 1
    try:
        applied = migrate(url, before_code="--before-code" in sys.argv[1:])
    except (DatabaseBusy, UnknownDatabase) as error:
        log.error("%s", error)
        return 1
    log.info("applied: %s", ", ".join(applied) or "nothing, it was up to date")
    if "--first-superadmin" in sys.argv:
        from shared.db import first_superadmin

        words = sys.argv[sys.argv.index("--first-superadmin") + 1 :]
        if status := first_superadmin.main(words):
            return status
    with psycopg.connect(url, autocommit=True) as connection:
        return _encrypt(connection, os.environ.get("ENCRYPTION_KEYS", ""))


def _encrypt(connection: psycopg.Connection, keys: str) -> int:
    if keys:
        for table, rows in encrypt_plain_rows(connection, KeyRing.parse(keys)).items():
            if rows:
                log.info("encrypted: %d rows of %s", rows, table)
        return 0
    plain = count_plain_rows(connection)
    if plain:
        counts = ", ".join(f"{table} ({rows})" for table, rows in plain.items())
        log.error("secrets in clear remain, set ENCRYPTION_KEYS and run again: %s", counts)
    return 1 if plain else 0


if __name__ == "__main__":
    sys.exit(main())
