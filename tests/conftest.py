"""One PostgreSQL for a worker's tests, and databases made on it in a moment by copying a template."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from emulators.postgres import create_database, drop_database, server
from shared.db.migrate import migrate

# In CI every run tries the same examples, so that a red run is about the change; elsewhere hypothesis goes looking.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("curious", deadline=None)
settings.load_profile("steady" if os.environ.get("CI") else "curious")


def pytest_configure(config: pytest.Config) -> None:
    """Temporary files of one run in a folder of its own: another run would close the folders that this PostgreSQL,
    which is never root, has to pass through."""
    if not hasattr(config, "workerinput") and "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        root = tempfile.mkdtemp(prefix="anchor-tests-")
        os.environ["PYTEST_DEBUG_TEMPROOT"] = root
        config.add_cleanup(lambda: shutil.rmtree(root, ignore_errors=True))


MakeDatabase = Callable[[str | None], str]


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The worker's name, also where tests do not run in parallel."""
    config = request.config
    return str(config.workerinput["workerid"]) if hasattr(config, "workerinput") else "main"


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
