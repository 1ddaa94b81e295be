"""One PostgreSQL for the database tests, and databases made on it in a moment by copying a template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from shared.db.migrate import migrate
from tests.conftest import MakeDatabase

HERE = Path(__file__).parent
VERSIONS = HERE.parent.parent / "shared/db/migrations/versions"
REVISIONS = sorted(path.stem.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
OLD_STATE = (HERE / "old_state.sql").read_bytes()
OLD_ROWS = (HERE / "old_rows.sql").read_bytes()


@pytest.fixture(scope="session")
def old(make_database: MakeDatabase) -> str:
    """The old server's database with awkward rows. Read only: change a copy."""
    url = make_database(None)
    with psycopg.connect(url) as connection:
        connection.execute(OLD_STATE)
        connection.execute(OLD_ROWS)
    return url


@pytest.fixture(scope="session")
def adopted(make_database: MakeDatabase, old: str) -> str:
    """A copy of the old database, adopted. Read only: change a copy."""
    url = make_database(old)
    migrate(url)
    return url


@pytest.fixture
def connect() -> Iterator[Callable[[str], psycopg.Connection]]:
    """Open connections in autocommit mode; they are closed when the test ends."""
    opened: list[psycopg.Connection] = []

    def open_one(url: str) -> psycopg.Connection:
        opened.append(psycopg.connect(url, autocommit=True))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()
