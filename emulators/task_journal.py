"""Keeps the Cloud Tasks stand-in's tasks in a SQLite file, in batches, off the event loop.

Everything written while one batch is being committed forms the next one, so a burst of a thousand tasks is a handful of
commits. The file is not flushed to the disk itself: it outlives a killed process, which is what a laptop needs.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists tasks (
    name text primary key, queue text not null, due real not null, executions integer not null,
    previous_status integer, previous_reason text not null, task blob not null);
create table if not exists dead (
    name text primary key, queue text not null, url text not null, attempts integer not null,
    reason text not null, at real not null);
create table if not exists taken (name text primary key, until real not null);
create table if not exists paused (queue text primary key);
"""
SAVE_TASK = "insert or replace into tasks values (?, ?, ?, ?, ?, ?, ?)"
DROP_TASK = "delete from tasks where name = ?"
SAVE_DEAD = "insert or replace into dead values (?, ?, ?, ?, ?, ?)"
TAKE_NAME = "insert or replace into taken values (?, ?)"
FREE_NAMES = "delete from taken where until < ?"
PAUSE = "insert or ignore into paused values (?)"
RESUME = "delete from paused where queue = ?"

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier run left, as rows in the order of ``SCHEMA``."""

    tasks: list[Row]
    dead: list[Row]
    taken: list[Row]
    paused: set[str]


class Journal:
    """Write-behind store of one process; ``saved`` says when what was written so far is in the file."""

    def __init__(self, file: Path):
        self._file = file
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="task-journal")
        self._pending: list[tuple[str, Row]] = []
        self._batch_saved: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._db: sqlite3.Connection | None = None

    async def open(self) -> Stored:
        stored = await asyncio.get_running_loop().run_in_executor(self._thread, self._load)
        self._writer = asyncio.create_task(self._write_batches(), name="task-journal")
        return stored

    def write(self, statement: str, *values: Any) -> None:
        """Add one statement to the next batch."""
        self._pending.append((statement, values))
        self._wake.set()

    async def saved(self) -> None:
        """Return when everything written before this call is in the file; raise what kept it from getting there."""
        if not self._pending:
            return
        if self._batch_saved is None:
            self._batch_saved = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._batch_saved)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        loop = asyncio.get_running_loop()
        if self._db is not None:
            await loop.run_in_executor(self._thread, self._commit, self._pending)
            await loop.run_in_executor(self._thread, self._db.close)
        self._pending, self._db, self._writer = [], None, None
        self._thread.shutdown()

    async def _write_batches(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._pending = self._pending, []
            saved, self._batch_saved = self._batch_saved, None
            try:
                await asyncio.shield(loop.run_in_executor(self._thread, self._commit, batch))
            except sqlite3.Error as error:
                if saved is not None:
                    saved.set_exception(error)
                else:
                    loop.call_exception_handler({"message": "tasks could not be saved", "exception": error})
            else:
                if saved is not None and not saved.done():
                    saved.set_result(None)

    def _load(self) -> Stored:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        db = self._db = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        db.executescript("pragma journal_mode = wal; pragma synchronous = off;" + SCHEMA)
        return Stored(
            tasks=db.execute("select * from tasks order by due").fetchall(),
            dead=db.execute("select * from dead order by at").fetchall(),
            taken=db.execute("select * from taken").fetchall(),
            paused={queue for (queue,) in db.execute("select queue from paused")},
        )

    def _commit(self, batch: list[tuple[str, Row]]) -> None:
        assert self._db is not None
        with self._db:  # commits, or rolls back
            self._db.execute("begin")
            for statement, values in batch:
                self._db.execute(statement, values)
