"""Limits of attempts, with a clock of the test's: against the real table, for any history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.areas.accounts.limits import Counter, Limit, admit, forget, give_back, take
from shared.db.database import Database
from shared.errors import TooManyRequests
from tests.conftest import MakeDatabase

LIMIT = Limit("test", 3, timedelta(minutes=15), timedelta(minutes=30))
COUNT = Counter(b"key")
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def db(make_database: MakeDatabase, built: str) -> AsyncIterator[Database]:
    database = Database(make_database(built))
    yield database
    await database.close()


class Model:
    """What a limit promises, in a few lines: attempts in the window, and a block once they are used up."""

    def __init__(self) -> None:
        self.made = 0
        self.first = START
        self.blocked_until: datetime | None = None

    def attempt(self, now: datetime) -> bool:
        over = self.blocked_until <= now if self.blocked_until else self.first + LIMIT.window <= now
        if over:
            self.made, self.blocked_until = 0, None
        if self.blocked_until:
            self.made += 1
            return False
        if self.made == 0:
            self.first = now
        self.made += 1
        if self.made >= LIMIT.attempts:
            self.blocked_until = now + LIMIT.block
        return True

    def succeeded(self) -> None:
        self.made -= 1
        if self.made < LIMIT.attempts:
            self.blocked_until = None


STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["fails", "succeeds", "proves itself"])), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_a_limit_admits_what_it_promises(db: Database, steps: list[tuple[int, str]]) -> None:
    """For any sequence of waits, failures and successes the table decides as the model does."""
    model, subject, now = Model(), COUNT.of(LIMIT, uuid4()), START
    for minutes, what in steps:
        now += timedelta(minutes=minutes)
        admitted = (await take(db, now, subject))["test"].wait_s == 0
        assert admitted is model.attempt(now)
        if not admitted or what == "fails":
            continue
        if what == "succeeds":
            await give_back(db, subject)
            model.succeeded()
        else:
            await forget(db, subject)
            model = Model()


async def test_a_hundred_attempts_at_once_are_a_hundred_attempts(db: Database) -> None:
    """Of parallel attempts only as many are admitted as the limit has, whoever is quicker."""
    subject = COUNT.of(LIMIT, uuid4())
    counts = await asyncio.gather(*(take(db, START, subject) for _ in range(100)))
    assert sum(count["test"].wait_s == 0 for count in counts) == LIMIT.attempts


async def test_attempts_of_several_subjects_never_wait_for_each_other(db: Database) -> None:
    """Counting, giving back and forgetting lock rows in one order, also in a table that is read by its index."""
    await db.execute(
        """insert into auth_rate_limits (limit_key, limit_type)
           select md5(n::text), 'rest' from generate_series(1, 30000) n"""
    )
    await db.execute("analyze auth_rate_limits")
    subjects = [COUNT.of(Limit(kind, 3, LIMIT.window, LIMIT.block), "one") for kind in ("c", "a", "b")]

    async def attempt() -> None:
        await take(db, START, *subjects)
        await give_back(db, *subjects)
        await forget(db, *reversed(subjects))

    for _ in range(20):
        await asyncio.gather(*(attempt() for _ in range(20)))  # PostgreSQL would end one of two that wait in a circle


async def test_a_refused_attempt_counts_against_nothing_else(db: Database) -> None:
    """Who is blocked as one subject does not use up the attempts of the others."""
    other = Limit("other", 3, LIMIT.window, LIMIT.block)
    mine, shared = COUNT.of(LIMIT, uuid4()), COUNT.of(other, uuid4())
    for _ in range(3):
        await take(db, START, mine)
    for _ in range(5):
        with pytest.raises(TooManyRequests) as refused:
            await admit(db, START + timedelta(minutes=1), mine, shared)
        assert refused.value.retry_after_s == 29 * 60
    assert (await admit(db, START, shared))["other"].attempts == 1


async def test_a_block_is_told_in_seconds_that_run_down(db: Database) -> None:
    """The wait is what is left of the block, and the attempt after it is admitted."""
    subject = COUNT.of(LIMIT, uuid4())
    for _ in range(3):
        await admit(db, START, subject)
    for minutes in (1, 10, 29):
        with pytest.raises(TooManyRequests) as refused:
            await admit(db, START + timedelta(minutes=minutes), subject)
        assert refused.value.retry_after_s == (30 - minutes) * 60
    assert (await admit(db, START + timedelta(minutes=30), subject))["test"].attempts == 1


async def test_subjects_are_stored_as_keyed_hashes(db: Database) -> None:
    """The table names no address; one subject of two limits, or under two keys, is not the same text."""
    secret = "203.0.113.99"
    await take(db, START, COUNT.ip(LIMIT, secret))
    keys = [row["limit_key"] for row in await db.fetch("select limit_key from auth_rate_limits")]
    assert not any(secret in key for key in keys)
    assert COUNT.of(LIMIT, "a").key != Counter(b"other").of(LIMIT, "a").key
    assert COUNT.of(LIMIT, " A ").key == COUNT.of(LIMIT, "a").key
