"""An empty installation gets its first superadmin, and no second one this way."""

from __future__ import annotations

import psycopg

from shared.db.first_superadmin import main, make
from tests.conftest import MakeDatabase


def test_the_first_superadmin_is_made_once(make_database: MakeDatabase, built: str) -> None:
    """The account has no password and a proven address; a second superadmin is refused."""
    url = make_database(built)

    assert make(url, "not an address", "A", "B") is not None
    assert make(url, "Owner@Agency.test", "Olive", "Owner") is None
    assert make(url, "other@agency.test", "O", "T") == "there is a superadmin already"

    with psycopg.connect(url) as connection:
        rows = connection.execute("select email, role, password_hash, email_verified_at is not null from users")
        assert rows.fetchall() == [("owner@agency.test", "superadmin", None, True)]


def test_the_command_asks_for_its_words() -> None:
    """Without address and names it explains itself."""
    assert main([]) == 2
