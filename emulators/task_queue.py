"""One queue of the Cloud Tasks stand-in: when a task runs, how often, and what its worker is sent.

Rates, concurrency and the retry schedule follow the reference of ``RateLimits`` and ``RetryConfig`` in
``google.cloud.tasks.v2``; the headers follow cloud.google.com/tasks/docs/creating-http-target-tasks.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any

import httpx
from google.cloud.tasks_v2.types import HttpMethod

from shared.manifest import Queue

Clock = Callable[[], float]  # seconds since 1970
Token = Callable[[str, str], str]  # (audience, service account's email) → an OIDC token

METHODS = {method.value: method.name for method in HttpMethod if method}
RESERVED = ("x-cloudtasks-", "x-google-", "x-appengine-")
REPLACED = {"host", "content-length", "user-agent"}
OVERLOADED = {429, 503}  # answers whose Retry-After counts


@dataclass(slots=True, eq=False)
class Work:
    """A task that is neither done nor dead. ``pb`` is its google.cloud.tasks.v2.Task, whole."""

    pb: Any
    due: float
    executions: int = 0  # answers other than 5xx: what X-CloudTasks-TaskExecutionCount counts
    previous_status: int | None = None
    previous_reason: str = ""
    running: int = 0
    ticket: int = 0  # its valid place in the heap
    gone: bool = False

    @property
    def task_id(self) -> str:
        return str(self.pb.name.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Dead:
    """A task that was tried as often as its queue allows. Bodies are not kept."""

    name: str
    url: str
    attempts: int
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one delivery came to; ``status`` is None when no answer came."""

    status: int | None
    reason: str = ""
    retry_after_s: float = 0

    @property
    def done(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Retries:
    """When to try again, from the queue or from the task's own ``retry_config``."""

    attempts: int  # -1: for ever
    min_backoff_s: float
    max_backoff_s: float
    doublings: int
    for_s: float = 0  # keep trying at least this long, whatever ``attempts`` says

    @classmethod
    def of_queue(cls, queue: Queue) -> Retries:
        return cls(queue.attempts, queue.min_backoff_s, queue.max_backoff_s, queue.doublings)

    @classmethod
    def of_task(cls, pb: Any, default: Retries) -> Retries:
        if not pb.HasField("retry_config"):
            return default
        own = pb.retry_config
        return cls(
            own.max_attempts or default.attempts,
            seconds(own.min_backoff) or default.min_backoff_s,
            seconds(own.max_backoff) or default.max_backoff_s,
            own.max_doublings or default.doublings,
            seconds(own.max_retry_duration),
        )

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after the *attempts*-th failure: doubled ``doublings`` times, then in equal steps."""
        doubled = self.min_backoff_s * 2.0 ** min(attempts - 1, self.doublings)
        steps = max(1, attempts - self.doublings)
        return min(doubled * steps, self.max_backoff_s)

    def spent(self, attempts: int, age_s: float) -> bool:
        return 0 <= self.attempts <= attempts and age_s >= self.for_s


class Bucket:
    """A token bucket: ``take`` returns when one more dispatch keeps the rate."""

    def __init__(self, per_second: float):
        self._rate = per_second
        self._size = self._tokens = max(1.0, math.ceil(per_second))
        self._at = 0.0

    async def take(self) -> None:
        loop = asyncio.get_running_loop()
        self._refill(loop.time())
        if self._tokens < 1:
            await asyncio.sleep((1 - self._tokens) / self._rate)
            self._refill(loop.time())
        self._tokens -= 1

    def _refill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Worker:
    """Delivers tasks over HTTP, as Google does."""

    def __init__(self, http: httpx.AsyncClient, oidc: Token | None, clock: Clock):
        self._http, self._oidc, self._clock = http, oidc, clock

    async def deliver(self, queue: str, work: Work) -> Outcome:
        request = work.pb.http_request
        try:
            async with asyncio.timeout(seconds(work.pb.dispatch_deadline)):
                answer = await self._http.request(
                    METHODS[request.http_method],
                    request.url,
                    content=request.body or None,
                    headers=self._headers(queue, work),
                )
        except TimeoutError:
            return Outcome(None, "DEADLINE_EXCEEDED")
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return Outcome(None, f"UNAVAILABLE: {type(error).__name__}")
        if answer.is_success:
            return Outcome(answer.status_code)
        wait = retry_after_s(answer.headers.get("retry-after", ""), self._clock())
        reason = f"HTTP status code {answer.status_code}"
        return Outcome(answer.status_code, reason, wait if answer.status_code in OVERLOADED else 0)

    def _headers(self, queue: str, work: Work) -> dict[str, str]:
        request = work.pb.http_request
        headers = {name: value for name, value in request.headers.items() if not reserved(name)}
        headers |= {
            "User-Agent": "Google-Cloud-Tasks",
            "X-CloudTasks-QueueName": queue,
            "X-CloudTasks-TaskName": work.task_id,
            "X-CloudTasks-TaskRetryCount": str(work.pb.dispatch_count - 1),
            "X-CloudTasks-TaskExecutionCount": str(work.executions),
            "X-CloudTasks-TaskETA": f"{work.due:.6f}",
        }
        if work.previous_status is not None:
            headers["X-CloudTasks-TaskPreviousResponse"] = str(work.previous_status)
        if work.previous_reason:
            headers["X-CloudTasks-TaskRetryReason"] = work.previous_reason
        if request.HasField("oidc_token") and self._oidc is not None:
            token = request.oidc_token
            headers["Authorization"] = (
                f"Bearer {self._oidc(token.audience or request.url, token.service_account_email)}"
            )
        return headers


def reserved(header: str) -> bool:
    """Whether Cloud Tasks sets, or drops, this header itself."""
    name = header.lower()
    return name in REPLACED or name.startswith(RESERVED)


def retry_after_s(header: str, now: float) -> float:
    """The seconds a Retry-After header asks for, given as a number or as a date; 0 if it says nothing usable."""
    if header.isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except ValueError:
        return 0.0


def seconds(duration: Any) -> float:
    """A protobuf Duration or Timestamp in seconds."""
    return float(duration.seconds + duration.nanos / 1e9)


def set_time(timestamp: Any, at: float) -> None:
    """Write *at* (seconds since 1970) into a protobuf Timestamp, to the microsecond."""
    timestamp.FromDatetime(datetime.fromtimestamp(at, UTC))


@dataclass(slots=True)
class Duplicates:
    """Deliveries to make twice at once: the next ``deliver_twice`` ones."""

    deliver_twice: int = 0

    def copies(self) -> int:
        if self.deliver_twice <= 0:
            return 1
        self.deliver_twice -= 1
        return 2


@dataclass(slots=True, eq=False)
class TaskQueue:
    """Dispatches its tasks at the queue's rate. Who owns it hears of every change through the three callbacks."""

    config: Queue
    worker: Worker
    clock: Clock
    duplicates: Duplicates
    on_change: Callable[[TaskQueue, Work], None]
    on_done: Callable[[TaskQueue, Work], None]
    on_dead: Callable[[TaskQueue, Work, Dead], None]
    paused: bool = False
    tasks: dict[str, Work] = field(default_factory=dict)
    dead: list[Dead] = field(default_factory=list)
    done: int = 0
    running: int = 0
    _heap: list[tuple[float, int, Work]] = field(default_factory=list)
    _tickets: count[int] = field(default_factory=lambda: count(1))
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _jobs: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self) -> None:
        self._spawn(self._dispatch())

    async def stop(self) -> None:
        """End dispatching; a delivery under way is cut off and will be made again, as after any crash."""
        jobs = list(self._jobs)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    def add(self, work: Work) -> None:
        self.tasks[work.pb.name] = work
        self._schedule(work, work.due)

    def remove(self, work: Work) -> None:
        work.gone = True
        self.tasks.pop(work.pb.name, None)

    def resume(self) -> None:
        self.paused = False
        self._wake.set()

    def run_now(self, work: Work) -> None:
        """Dispatch at once, whatever rate, pause or a run under way say."""
        work.ticket = 0
        work.due = self.clock()
        self._start_attempt(work)

    def snapshot(self) -> dict[str, object]:
        running = sum(1 for work in self.tasks.values() if work.running)
        return {
            "waiting": len(self.tasks) - running,
            "running": running,
            "done": self.done,
            "paused": self.paused,
            "dead": [
                {"name": dead.name, "url": dead.url, "attempts": dead.attempts, "reason": dead.reason, "at": dead.at}
                for dead in self.dead
            ],
        }

    def _schedule(self, work: Work, due: float) -> None:
        work.due, work.ticket = due, next(self._tickets)
        heapq.heappush(self._heap, (due, work.ticket, work))
        self._wake.set()

    async def _dispatch(self) -> None:
        slots = asyncio.Semaphore(self.config.at_once)
        bucket = Bucket(self.config.per_second)
        while True:
            await slots.acquire()
            work = await self._next_due()
            ticket = work.ticket
            await bucket.take()
            if work.gone or work.ticket != ticket:  # deleted, or run by hand, while we waited for the rate
                slots.release()
            elif self.paused:
                self._schedule(work, work.due)
                slots.release()
            else:
                self._start_attempt(work, slots.release)

    async def _next_due(self) -> Work:
        while True:
            while self._heap and self._is_stale(self._heap[0]):
                heapq.heappop(self._heap)
            wait = None
            if self._heap and not self.paused:
                wait = self._heap[0][0] - self.clock()
                if wait <= 0:
                    return heapq.heappop(self._heap)[2]
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    @staticmethod
    def _is_stale(entry: tuple[float, int, Work]) -> bool:
        _, ticket, work = entry
        return work.gone or work.ticket != ticket

    def _start_attempt(self, work: Work, finished: Callable[[], None] = lambda: None) -> None:
        work.running += 1
        pb, now = work.pb, self.clock()
        pb.dispatch_count += 1
        if pb.dispatch_count == 1:
            set_time(pb.first_attempt.dispatch_time, now)
        pb.last_attempt.Clear()
        set_time(pb.last_attempt.schedule_time, work.due)
        set_time(pb.last_attempt.dispatch_time, now)
        self._spawn(self._attempt(work, finished))

    async def _attempt(self, work: Work, finished: Callable[[], None]) -> None:
        try:
            copies = [self.worker.deliver(self.config.name, work) for _ in range(self.duplicates.copies())]
            outcomes = [await copies[0]] if len(copies) == 1 else await asyncio.gather(*copies)
        finally:
            work.running -= 1
            finished()
        if not work.gone:
            self._settle(work, next((outcome for outcome in outcomes if outcome.done), outcomes[0]))

    def _settle(self, work: Work, outcome: Outcome) -> None:
        pb, now = work.pb, self.clock()
        if outcome.done:
            self.remove(work)
            self.done += 1
            self.on_done(self, work)
            return
        set_time(pb.last_attempt.response_time, now)
        pb.last_attempt.response_status.code = 2  # UNKNOWN
        pb.last_attempt.response_status.message = outcome.reason
        if outcome.status is not None:
            pb.response_count += 1
            work.executions += outcome.status < 500
        work.previous_status, work.previous_reason = outcome.status, outcome.reason
        retries = Retries.of_task(pb, Retries.of_queue(self.config))
        if retries.spent(pb.dispatch_count, now - seconds(pb.first_attempt.dispatch_time)):
            self._bury(work, outcome.reason, now)
            return
        self._schedule(work, now + max(retries.wait_s(pb.dispatch_count), outcome.retry_after_s))
        set_time(pb.schedule_time, work.due)
        self.on_change(self, work)

    def _bury(self, work: Work, reason: str, now: float) -> None:
        dead = Dead(work.pb.name, work.pb.http_request.url, work.pb.dispatch_count, reason, now)
        self.remove(work)
        self.dead.append(dead)
        self.on_dead(self, work, dead)

    def _spawn(self, job: Awaitable[None]) -> None:
        task = asyncio.ensure_future(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
