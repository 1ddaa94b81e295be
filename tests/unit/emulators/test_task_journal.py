"""The task file: what was answered for is in it, and an error reaches whoever waits."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from emulators import task_journal
from emulators.task_journal import Journal


async def test_many_writers_share_a_batch_and_all_are_kept(tmp_path: Path) -> None:
    """saved() returns for each, and the next run finds every row."""
    journal = Journal(tmp_path / "deep" / "tasks.sqlite3")
    await journal.open()

    async def take(name: str) -> None:
        journal.write(task_journal.TAKE_NAME, name, 5.0)
        await journal.saved()

    await asyncio.gather(*(take(f"n{n}") for n in range(200)))
    journal.write(task_journal.PAUSE, "mail")  # nobody waits for this one; close() writes it
    await journal.close()
    again = Journal(tmp_path / "deep" / "tasks.sqlite3")
    stored = await again.open()
    assert len(stored.taken) == 200
    assert stored.paused == {"mail"}
    await again.close()


async def test_a_failed_batch_is_told_and_the_next_one_is_kept(tmp_path: Path) -> None:
    """Nothing of the failed batch is in the file, and the journal goes on."""
    journal = Journal(tmp_path / "tasks.sqlite3")
    await journal.open()
    journal.write(task_journal.PAUSE, "lost")
    journal.write("insert into nowhere values (1)")
    with pytest.raises(sqlite3.OperationalError):
        await journal.saved()
    journal.write(task_journal.PAUSE, "mail")
    await journal.saved()
    await journal.close()
    again = Journal(tmp_path / "tasks.sqlite3")
    assert (await again.open()).paused == {"mail"}
    await again.close()
