"""One PostgreSQL for the database tests, and databases made on it in a moment by copying a template."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from emulators.postgres import create_database, drop_database, server
from shared.db.migrate import migrate

HERE = Path(__file__).parent
OLD_STATE = (HERE / "old_state.sql").read_bytes()
OLD_ROWS = (HERE / "old_rows.sql").read_bytes()

MakeDatabase = Callable[[str | None], str]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The admin URL of the server: DATABASE_URL's, else an embedded one for this worker."""
    with server(tmp_path_factory.mktemp("postgres") / "data") as admin_url:
        yield admin_url


@pytest.fixture(scope="session")
def make_database(postgres: str, worker_id: str) -> Iterator[MakeDatabase]:
    """Make a database, empty or as a copy of the one with the URL given; all are dropped at the end."""
    numbers, names = itertools.count(1), []

    def make(template_url: str | None = None) -> str:
        name = f"anchor_test_{worker_id}_{next(numbers)}"
        names.append(name)
        return create_database(postgres, name, template_url and template_url.rpartition("/")[2])

    yield make
    for name in names:
        drop_database(postgres, name)


@pytest.fixture(scope="session")
def built(make_database: MakeDatabase) -> str:
    """A database built from nothing. Read only: change a copy."""
    url = make_database(None)
    migrate(url)
    return url


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
