"""What the old server kept in clear is sealed after adoption, in its place, once, even when interrupted."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from shared.crypto import KeyRing, Sealed, column_context, is_sealed
from shared.db.migrate import encrypt_plain_rows
from shared.db.migrations import encryption

from .conftest import REVISIONS, MakeDatabase

Connect = Callable[[str], psycopg.Connection]
KEYS = json.dumps({"current": "k1", "keys": {"k1": base64.b64encode(bytes(32)).decode()}})
RING = KeyRing.parse(KEYS)


def number(n: int) -> UUID:
    return UUID(f"00000000-0000-0000-0000-{n:012}")


def one(connection: psycopg.Connection, query: str, n: int) -> tuple[object, ...]:
    row = connection.execute(query.encode(), (number(n),)).fetchone()
    assert row is not None
    return row


@pytest.fixture
def connection(make_database: MakeDatabase, adopted: str, connect: Connect) -> psycopg.Connection:
    """A copy of the adopted database, nothing sealed yet."""
    return connect(make_database(adopted))


def test_every_secret_is_sealed_in_its_place(connection: psycopg.Connection) -> None:
    """Each value opens in its own row and column and gives the old plain text; the clear copies are gone."""
    assert encrypt_plain_rows(connection, RING) == {
        "client_profiles": 1,
        "oauth_providers": 1,
        "oauth_connections": 3,
        "client_onboarding_tokens": 1,
        "form_submissions": 1,
        "form_draft_sessions": 1,
    }

    def text(table: str, column: str, n: int, key: str = "id") -> str:
        (value,) = one(connection, f"select {column} from {table} where {key} = %s", n)
        assert isinstance(value, str) and is_sealed(value)
        return RING.open_text(value, context=column_context(table, column, number(n)))

    def data(table: str, column: str, key_column: str, n: int) -> bytes:
        sealed, key_id = one(connection, f"select {column}, {key_column} from {table} where id = %s", n)
        assert isinstance(sealed, bytes) and isinstance(key_id, str)
        return RING.open(Sealed(key_id, sealed), context=column_context(table, column, number(n)))

    assert text("client_profiles", "ctm_api_key", 3, "user_id") == "plain-ctm-key"
    assert text("client_profiles", "ctm_api_secret", 3, "user_id") == "plain-ctm-secret"
    assert text("oauth_providers", "client_secret", 90) == "plain-app-secret"
    assert text("oauth_connections", "encrypted_access_token", 92) == "plain-access"
    assert text("oauth_connections", "encrypted_refresh_token", 92) == "plain-refresh"
    tokens = (
        "select access_token, refresh_token, encrypted_refresh_token, kms_key_id from oauth_connections where id = %s"
    )
    assert one(connection, tokens, 92)[:2] == (None, None)
    assert one(connection, tokens, 93) == (None, None, None, "k1")
    assert data("client_onboarding_tokens", "token_sealed", "token_key_id", 31) == b"plain-onboarding-token"
    assert one(connection, "select token_value from client_onboarding_tokens where id = %s", 31) == (None,)
    payload = data("form_submissions", "encrypted_payload", "encryption_key_id", 105)
    assert json.loads(payload) == {"diagnosis": "plain health data"}
    draft = data("form_draft_sessions", "encrypted_partial_payload", "encryption_key_id", 107)
    assert json.loads(draft) == {"dob": "plain draft"}


def test_sealed_rows_are_not_touched_again(connection: psycopg.Connection) -> None:
    """A second run finds nothing; empty values are not sealed at all."""
    encrypt_plain_rows(connection, RING)
    before = connection.execute("select xmin, ctid, * from client_profiles order by user_id").fetchall()
    assert set(encrypt_plain_rows(connection, RING).values()) == {0}
    assert connection.execute("select xmin, ctid, * from client_profiles order by user_id").fetchall() == before
    empty = one(connection, "select ctm_api_key, ctm_credentials_key_id from client_profiles where user_id = %s", 4)
    assert empty == ("", None)


def test_a_killed_run_is_resumed(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is a commit: what was sealed before the failure stays, and the next run does the rest."""
    connection.execute("update client_profiles set ctm_api_key = 'k'")
    connection.execute(
        "insert into client_profiles (user_id, ctm_api_key) select id, 'k' from users where role <> 'client'"
    )
    monkeypatch.setattr(encryption, "BATCH", 2)
    seal, calls = encryption.Column.seal, []

    def failing(column: encryption.Column, *args: object) -> object:
        calls.append(column)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return seal(column, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(encryption.Column, "seal", failing)
    with pytest.raises(KeyboardInterrupt):
        encrypt_plain_rows(connection, RING)
    sealed = "select count(*) from client_profiles where ctm_api_key like 'enc:1:%'"
    assert connection.execute(sealed.encode()).fetchone() == (2,)

    assert encrypt_plain_rows(connection, RING)["client_profiles"] == 2
    assert connection.execute(sealed.encode()).fetchone() == (4,)
    assert encryption.count_plain_rows(connection) == {}


def test_the_command_asks_for_the_keys_it_needs(make_database: MakeDatabase, old: str) -> None:
    """Without keys it adopts, counts what is still in clear, and fails; with them it ends the work and succeeds."""
    url = make_database(old)

    def run(**env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "shared.db.migrate"]
        return subprocess.run(command, env={"DATABASE_URL": url, **env}, capture_output=True, text=True)

    first, second, third = run(), run(ENCRYPTION_KEYS=KEYS), run()
    assert [first.returncode, second.returncode, third.returncode] == [1, 0, 0]
    assert f"applied: {', '.join(REVISIONS)}" in first.stderr and "client_profiles (1)" in first.stderr
    assert "encrypted: 3 rows of oauth_connections" in second.stderr
    assert not any("plain-" in run.stdout + run.stderr for run in (first, second, third))
