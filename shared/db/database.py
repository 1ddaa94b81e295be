"""The one way to PostgreSQL: a small pool per instance, statements, and transactions that carry their outbox.

The pool is made on first use, once per event loop. Every wait has an end: for a connection, for a statement. A database
that cannot be reached or is too busy is ``Unavailable``, which endpoints answer with 503 and jobs leave to the queue.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import UUID, uuid4

from shared.errors import Conflict, Invalid, TryLater

if TYPE_CHECKING:
    import asyncpg

Record = Any  # asyncpg.Record: a mapping by column name
Kind = Literal["task", "event"]


class Unstorable(Invalid):
    """A value is beyond what its column can hold: the last net under the models' own bounds."""

    def __init__(self) -> None:
        super().__init__("A value in this request is too large or of a kind that cannot be stored.")


class DeletedMeanwhile(Conflict):
    """What a row belongs to was deleted between two statements: the last net under the checks of use cases."""

    code = "DELETED_MEANWHILE"

    def __init__(self) -> None:
        super().__init__("What this belongs to was deleted meanwhile.")


class Unavailable(TryLater):
    """PostgreSQL cannot be reached, or has no connection free, right now."""

    def __init__(self, reason: str) -> None:
        super().__init__("database", reason=reason)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Work or a fact, stored with the rows that cause it and sent after their commit."""

    id: UUID
    kind: Kind
    target: str  # a task function's name, or a topic
    payload: dict[str, Any]
    sends: int = 0
    not_before: datetime | None = None


class Executor(Protocol):
    """Runs SQL: what a ``Database`` and a ``Transaction`` have in common. Parameters are asyncpg's ``$1``, ``$2``, …

    ``execute`` returns how many rows the statement touched.
    """

    async def fetch(self, sql: str, *args: object) -> list[Record]: ...

    async def fetchrow(self, sql: str, *args: object) -> Record | None: ...

    async def fetchval(self, sql: str, *args: object) -> Any: ...

    async def execute(self, sql: str, *args: object) -> int: ...


def _rows_touched(status: str) -> int:
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


@dataclass(slots=True)
class Transaction:
    """One transaction. What it puts in its outbox is committed with it, or not at all."""

    connection: asyncpg.Connection
    outbox: list[OutboxRow] = field(default_factory=list)

    async def fetch(self, sql: str, *args: object) -> list[Record]:
        return await self.connection.fetch(sql, *args)  # type: ignore[no-any-return]

    async def fetchrow(self, sql: str, *args: object) -> Record | None:
        return await self.connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        return await self.connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        return _rows_touched(await self.connection.execute(sql, *args))

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        await self.connection.executemany(sql, rows)

    async def enqueue(self, function: str, payload: dict[str, Any], *, not_before: datetime | None = None) -> UUID:
        """Have the task function *function* run once with *payload* (JSON values), not before the given time."""
        return await self._put(OutboxRow(uuid4(), "task", function, payload, not_before=not_before))

    async def publish(self, topic: str, payload: dict[str, Any]) -> UUID:
        """Tell every listener of *topic* that *payload* (JSON values) happened."""
        return await self._put(OutboxRow(uuid4(), "event", topic, payload))

    async def publish_all(self, topic: str, payloads: Sequence[dict[str, Any]]) -> None:
        """As ``publish``, of many messages in one statement."""
        rows = [OutboxRow(uuid4(), "event", topic, payload) for payload in payloads]
        await self.connection.execute(
            """insert into outbox (id, kind, target, payload)
               select id, 'event', $2, payload from unnest($1::uuid[], $3::jsonb[]) as message (id, payload)""",
            [row.id for row in rows], topic, [row.payload for row in rows],
        )  # fmt: skip
        self.outbox.extend(rows)

    async def _put(self, row: OutboxRow) -> UUID:
        await self.connection.execute(
            "insert into outbox (id, kind, target, payload, not_before) values ($1, $2, $3, $4, $5)",
            row.id, row.kind, row.target, row.payload, row.not_before,
        )  # fmt: skip
        self.outbox.append(row)
        return row.id


class Borrowed:
    """A connection lent for the length of an ``async with``, whose errors it names as ours.

    Written out, not made by ``asynccontextmanager``: every statement of every call passes here.
    """

    __slots__ = ("_connection", "_database", "_pool", "_timeout_s")

    def __init__(self, database: Database, timeout_s: float) -> None:
        self._database = database
        self._timeout_s = timeout_s

    async def __aenter__(self) -> asyncpg.Connection:
        try:
            self._pool = await self._database.pool()
            if self._pool.get_idle_size():
                self._connection = await self._pool.acquire()
            else:
                async with asyncio.timeout(self._timeout_s):  # asyncpg's own would start a task each time
                    self._connection = await self._pool.acquire()
        except Exception as error:
            _raise_named(error)
            raise
        return self._connection

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            await self._pool.release(self._connection)
        except Exception as unreleased:
            _raise_named(error or unreleased)
            raise
        if error is not None:
            _raise_named(error)


def _raise_named(error: BaseException) -> None:
    """Raise what *error* means to callers, when it is one of the database's; else return."""
    import asyncpg

    if isinstance(error, asyncpg.DataError):
        raise Unstorable from error
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        raise DeletedMeanwhile from error
    if isinstance(
        error,
        OSError
        | TimeoutError
        | asyncpg.PostgresConnectionError
        | asyncpg.InterfaceError
        | asyncpg.TooManyConnectionsError
        | asyncpg.CannotConnectNowError
        | asyncpg.AdminShutdownError
        | asyncpg.DeadlockDetectedError
        | asyncpg.SerializationError
        | asyncpg.QueryCanceledError,
    ):
        raise Unavailable(type(error).__name__) from error


class Database:
    """A pool of ``size`` connections at most, opened as they are needed and closed when idle."""

    def __init__(self, url: str, *, size: int = 4, timeout_s: float = 10.0, acquire_timeout_s: float = 5.0) -> None:
        self._url = url
        self._size = size
        self._timeout_s = timeout_s
        self._acquire_timeout_s = acquire_timeout_s
        self._pool: asyncpg.Pool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Lock | None = None

    async def pool(self) -> asyncpg.Pool:
        if self._pool is not None and self._loop is asyncio.get_running_loop():
            return self._pool
        return await self._first_pool()

    async def _first_pool(self) -> asyncpg.Pool:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._pool, self._loop, self._opening = None, loop, asyncio.Lock()
        assert self._opening is not None  # set with the loop
        async with self._opening:
            if self._pool is None:
                self._pool = await self._open()
        return self._pool

    async def _open(self) -> asyncpg.Pool:
        import asyncpg

        try:
            return await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._size,
                timeout=self._acquire_timeout_s,
                command_timeout=self._timeout_s,
                max_inactive_connection_lifetime=240,
                init=_speak_json,
                reset=_reset,
                server_settings={"application_name": "anchor-functions", "timezone": "UTC"},
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise Unavailable(type(error).__name__) from error

    def connection(self) -> Borrowed:
        """A connection of the pool for a moment; ``Unavailable`` when there is none or it breaks."""
        return Borrowed(self, self._acquire_timeout_s)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Begin; commit at the end; roll back on any error."""
        async with self.connection() as connection, connection.transaction():
            yield Transaction(connection)

    async def fetch(self, sql: str, *args: object) -> list[Record]:
        async with self.connection() as connection:
            return await connection.fetch(sql, *args)  # type: ignore[no-any-return]

    async def fetchrow(self, sql: str, *args: object) -> Record | None:
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        async with self.connection() as connection:
            return _rows_touched(await connection.execute(sql, *args))

    async def close(self) -> None:
        if self._pool is not None and self._loop is asyncio.get_running_loop():
            await self._pool.close()
        self._pool = None
        self._loop = None


async def _reset(connection: asyncpg.Connection) -> None:
    """Nothing here changes a session's settings, so a connection goes back as it is, without a round trip."""
    if connection.is_in_transaction():
        await connection.execute("rollback")


async def _speak_json(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=json.dumps, decoder=json.loads, format="text"
        )
