"""Encrypts what the old server kept in clear. Resumable: each batch is a commit, and a sealed value is not touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.crypto import TEXT_PREFIX, KeyRing, column_context

if TYPE_CHECKING:
    import psycopg

BATCH = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column with plain values, and the one that takes them sealed (the same, unless the database has another)."""

    plain: str
    sealed: str
    text: bool = True  # sealed as text (enc:1:…) or as bytes

    def is_plain(self, key_id: str) -> str:
        """The SQL condition that a row's value still waits."""
        if self.plain != self.sealed:
            return f"{self.plain} is not null"
        if self.text:
            return f"({self.plain} <> '' and not starts_with({self.plain}, '{TEXT_PREFIX}'))"
        return f"({self.plain} is not null and {key_id} is null)"

    def seal(self, keyring: KeyRing, table: str, row_id: object, value: str | bytes) -> str | bytes:
        """The sealed form of a plain value, for the place it will stand in."""
        context = column_context(table, self.sealed, row_id)
        if self.text:
            return keyring.seal_text(value.decode() if isinstance(value, bytes) else value, context=context)
        return keyring.seal(value.encode() if isinstance(value, str) else value, context=context).data


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret columns of one table, its row key, and the column that says which key sealed them."""

    table: str
    row_key: str
    key_id: str
    columns: tuple[Column, ...]

    @property
    def waiting(self) -> str:
        """The SQL condition that a row holds something in clear."""
        return "(" + " or ".join(column.is_plain(self.key_id) for column in self.columns) + ")"


def _in_place(name: str, *, text: bool = True) -> Column:
    return Column(name, name, text)


SECRETS = (
    Secrets(
        "client_profiles", "user_id", "ctm_credentials_key_id", (_in_place("ctm_api_key"), _in_place("ctm_api_secret"))
    ),
    Secrets("oauth_providers", "id", "secret_key_id", (_in_place("client_secret"),)),
    Secrets(
        "oauth_connections",
        "id",
        "kms_key_id",
        (Column("access_token", "encrypted_access_token"), Column("refresh_token", "encrypted_refresh_token")),
    ),
    Secrets("client_onboarding_tokens", "id", "token_key_id", (Column("token_value", "token_sealed", text=False),)),
    Secrets("form_submissions", "id", "encryption_key_id", (_in_place("encrypted_payload", text=False),)),
    Secrets("form_draft_sessions", "id", "encryption_key_id", (_in_place("encrypted_partial_payload", text=False),)),
)


def count_plain_rows(connection: psycopg.Connection) -> dict[str, int]:
    """How many rows of each table still hold a secret in clear; tables without any are left out."""
    counts = {}
    for secrets in SECRETS:
        row = connection.execute(f"select count(*) from {secrets.table} where {secrets.waiting}".encode()).fetchone()  # noqa: S608
        counts[secrets.table] = row[0] if row else 0
    return {table: count for table, count in counts.items() if count}


def encrypt_plain_rows(connection: psycopg.Connection, keyring: KeyRing) -> dict[str, int]:
    """Seal every plain value; return how many rows of each table were changed.

    *connection* must be in autocommit mode, so that each batch is a transaction of its own and a killed run loses
    nothing: the next one goes on where it stopped.
    """
    return {secrets.table: _encrypt_table(connection, keyring, secrets) for secrets in SECRETS}


def _encrypt_table(connection: psycopg.Connection, keyring: KeyRing, secrets: Secrets) -> int:
    changed, after = 0, None
    while True:
        with connection.transaction():
            rows = _next_rows(connection, secrets, after)
            if not rows:
                return changed
            with connection.cursor() as cursor:
                cursor.executemany(_update(secrets), [_sealed_row(keyring, secrets, row) for row in rows])
        changed, after = changed + len(rows), rows[-1]["row_key"]


def _next_rows(connection: psycopg.Connection, secrets: Secrets, after: object) -> list[dict[str, object]]:
    """The next batch in the order of the row key, each plain column null where its value needs nothing."""
    from psycopg.rows import dict_row

    values = ", ".join(
        f"case when {column.is_plain(secrets.key_id)} then {column.plain} end as {column.plain}"
        for column in secrets.columns
    )
    query = f"""
        select {secrets.row_key} as row_key, {values} from {secrets.table}
        where {secrets.waiting} and (%(after)s::uuid is null or {secrets.row_key} > %(after)s::uuid)
        order by {secrets.row_key} limit {BATCH} for update
    """  # noqa: S608
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), {"after": after}).fetchall()


def _update(secrets: Secrets) -> bytes:
    changes = [f"{secrets.key_id} = %(key_id)s"]
    for column in secrets.columns:
        changes.append(f"{column.sealed} = coalesce(%({column.sealed})s, {column.sealed})")
        if column.plain != column.sealed:
            changes.append(f"{column.plain} = null")
    statement = f"update {secrets.table} set {', '.join(changes)} where {secrets.row_key} = %(row_key)s"  # noqa: S608
    return statement.encode()


def _sealed_row(keyring: KeyRing, secrets: Secrets, row: dict[str, object]) -> dict[str, object]:
    values: dict[str, object] = {"row_key": row["row_key"], "key_id": keyring.current}
    for column in secrets.columns:
        plain = row[column.plain]
        sealed = column.seal(keyring, secrets.table, row["row_key"], plain) if isinstance(plain, str | bytes) else None
        values[column.sealed] = sealed
    return values
