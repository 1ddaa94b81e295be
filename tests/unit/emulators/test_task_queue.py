"""Cloud Tasks' rules: when to try again, at what rate, with what headers."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import httpx
import pytest
from google.cloud.tasks_v2.types import Task
from hypothesis import given
from hypothesis import strategies as st

from emulators.task_queue import Bucket, Retries, Work, Worker, reserved, retry_after_s, seconds


def test_waits_are_those_of_googles_example() -> None:
    """RetryConfig's own example: 10, 20, 40, 80, 160, 240, 300, 300 s."""
    retries = Retries(attempts=100, min_backoff_s=10, max_backoff_s=300, doublings=3)
    assert [retries.wait_s(n) for n in range(1, 9)] == [10, 20, 40, 80, 160, 240, 300, 300]


@given(st.integers(1, 1000), st.floats(0.01, 100), st.floats(0.01, 4000), st.integers(0, 16))
def test_waits_only_grow_and_keep_their_bounds(attempts: int, shortest: float, longest: float, doublings: int) -> None:
    """Between min_backoff and max_backoff, never shorter than the one before."""
    retries = Retries(-1, shortest, max(shortest, longest), doublings)
    assert shortest <= retries.wait_s(attempts) <= retries.wait_s(attempts + 1) <= max(shortest, longest)


def test_attempts_end_when_both_limits_are_reached() -> None:
    """max_attempts and max_retry_duration together; -1 is for ever."""
    assert Retries(3, 1, 1, 1).spent(3, 0)
    assert not Retries(3, 1, 1, 1).spent(2, 1e9)
    assert not Retries(3, 1, 1, 1, for_s=60).spent(3, 59)
    assert Retries(3, 1, 1, 1, for_s=60).spent(3, 60)
    assert not Retries(-1, 1, 1, 1).spent(10**6, 1e9)


def test_retry_after_is_seconds_or_a_date() -> None:
    """Anything else counts as nothing."""
    now = 1_790_000_000.0
    assert retry_after_s("120", now) == 120
    assert retry_after_s(formatdate(now + 30, usegmt=True), now) == 30
    assert retry_after_s(formatdate(now - 30, usegmt=True), now) == 0
    assert retry_after_s("soon", now) == 0
    assert retry_after_s("", now) == 0


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "User-Agent", "X-CloudTasks-Any", "x-google-x", "X-AppEngine-Y"]
)
def test_google_sets_these_headers_itself(name: str) -> None:
    """A task cannot pretend to be another."""
    assert reserved(name)
    assert not reserved("X-Own")


async def test_a_bucket_lets_a_burst_through_and_then_keeps_the_rate() -> None:
    """Ten at once at ten a second; the next five take half a second."""
    bucket, began = Bucket(10), time.monotonic()
    for _ in range(10):
        await bucket.take()
    assert time.monotonic() - began < 0.09
    for _ in range(5):
        await bucket.take()
    assert time.monotonic() - began >= 0.45


async def test_a_worker_that_takes_too_long_has_failed() -> None:
    """The dispatch deadline ends the attempt, as DEADLINE_EXCEEDED."""

    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    pb = Task.pb()(name="projects/p/locations/l/queues/q/tasks/t")
    pb.http_request.url, pb.http_request.http_method = "http://x.test/", 1
    pb.dispatch_deadline.FromMilliseconds(50)
    async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as http:
        outcome = await Worker(http, None, time.time).deliver("q", Work(pb, due=0.0))
    assert (outcome.status, outcome.reason, outcome.done) == (None, "DEADLINE_EXCEEDED", False)
    assert seconds(pb.dispatch_deadline) == 0.05
