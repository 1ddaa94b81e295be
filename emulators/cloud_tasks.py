"""A stand-in for Cloud Tasks, for which Google has no emulator: the real gRPC API, real HTTP deliveries.

Queues come from the manifest and exist in every project and location. Tasks, dead ones and names in use outlive a
restart; a delivery that a restart cuts off is made again. Left out: App Engine targets, OAuth tokens, queue-level
targets, and the system throttling whose amounts Google does not document (a Retry-After on 429 and 503 is obeyed).
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.cloud.tasks_v2.types import (
    CreateTaskRequest,
    DeleteTaskRequest,
    GetQueueRequest,
    GetTaskRequest,
    HttpMethod,
    ListQueuesRequest,
    ListQueuesResponse,
    ListTasksRequest,
    ListTasksResponse,
    PauseQueueRequest,
    PurgeQueueRequest,
    ResumeQueueRequest,
    RunTaskRequest,
    Task,
)
from google.cloud.tasks_v2.types import Queue as QueueMessage
from google.protobuf.empty_pb2 import Empty

from emulators import task_journal as journal
from emulators.component import Status
from emulators.faults import Faults
from emulators.grpc_service import LocalServer, Method, Refused, already_exists, invalid, not_found, page, service
from emulators.task_journal import Journal
from emulators.task_queue import (
    METHODS,
    Clock,
    Dead,
    Duplicates,
    Retries,
    TaskQueue,
    Token,
    Work,
    Worker,
    seconds,
    set_time,
)
from shared.manifest import Queue

NAME = "cloud_tasks"
NAMES_TAKEN_FOR_S = 3600.0  # after a named task ended; Google says up to 24 hours, in practice about one
LONGEST_DELAY_S = 30 * 24 * 3600.0
DEADLINES_S = (15.0, 1800.0)
DEFAULT_DEADLINE_S = 600
LARGEST_TASK = 1024 * 1024  # bytes (cloud.google.com/tasks/docs/quotas)
LONGEST_URL = 2083
PAGE = 1000

LOCATION = re.compile(r"projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+")
QUEUE = re.compile(r"projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+/queues/([A-Za-z0-9-]{1,100})")
TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


class CloudTasks:
    """gRPC ``google.cloud.tasks.v2.CloudTasks`` on a free loopback port, delivering over HTTP.

    ``oidc`` makes the token for a task that asks for one, from its audience and service account. ``clock`` is used for
    every time a caller can see; waiting takes real time.
    """

    def __init__(
        self,
        state_file: Path,
        faults: Faults,
        queues: Iterable[Queue],
        *,
        oidc: Token | None = None,
        clock: Clock = time.time,
        names_taken_for_s: float = NAMES_TAKEN_FOR_S,
    ):
        self.status = Status(NAME, "stand-in")
        self.env: dict[str, str] = {}
        self._state_file, self._faults, self._configs = state_file, faults, list(queues)
        self._oidc, self._clock, self._names_taken_for_s = oidc, clock, names_taken_for_s
        self._duplicates = Duplicates()
        self._queues: dict[str, TaskQueue] = {}
        self._taken: dict[str, float] = {}  # name → when it may be used again
        self._server = LocalServer()
        self._journal: Journal | None = None
        self._http: httpx.AsyncClient | None = None

    async def start(self) -> None:
        self._journal = Journal(self._state_file)
        stored = await self._journal.open()
        at_once = sum(config.at_once for config in self._configs)
        # Each task has its own deadline; a connection that does not come about is a failed attempt.
        timeout = httpx.Timeout(None, connect=10)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=at_once)
        self._http = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False, headers={"Accept": "*/*"})
        worker = Worker(self._http, self._oidc, self._clock)
        for config in self._configs:
            self._queues[config.name] = TaskQueue(
                *(config, worker, self._clock, self._duplicates, self._save, self._forget, self._bury),
                paused=config.name in stored.paused,
            )
        self._restore(stored)
        for queue in self._queues.values():
            queue.start()
        self.status.port = await self._server.start(service(SERVICE, NAME, self._faults, self._methods()))
        self.status.ready = True
        self.env = {"CLOUD_TASKS_EMULATOR_HOST": f"{self.status.host}:{self.status.port}"}

    async def stop(self) -> None:
        self.status.ready = False
        await self._server.stop()
        for queue in self._queues.values():
            await queue.stop()
        self._queues = {}
        if self._http is not None:
            await self._http.aclose()
            self._http = None
        if self._journal is not None:
            await self._journal.close()
            self._journal = None

    def deliver_twice(self, tasks: int = 1) -> None:
        """Deliver each of the next *tasks* twice at once, as Cloud Tasks now and then does."""
        self._duplicates.deliver_twice = tasks

    def snapshot(self) -> dict[str, dict[str, object]]:
        """Queue → ``waiting``, ``running``, ``done`` (since the start), ``paused`` and ``dead`` with their reasons."""
        return {name: queue.snapshot() for name, queue in self._queues.items()}

    # What the queues tell: everything goes to the file

    def _restore(self, stored: journal.Stored) -> None:
        now = self._clock()
        self._write(journal.FREE_NAMES, now)
        self._taken = {name: until for name, until in stored.taken if until >= now}
        for name, queue_name, url, attempts, reason, at in stored.dead:
            if queue := self._queues.get(queue_name):
                queue.dead.append(Dead(name, url, attempts, reason, at))
        for _, queue_name, due, executions, status, reason, task in stored.tasks:
            if queue := self._queues.get(queue_name):
                queue.add(Work(Task.pb().FromString(task), due, executions, status, reason))

    def _save(self, queue: TaskQueue, work: Work) -> None:
        self._write(
            journal.SAVE_TASK,
            *(work.pb.name, queue.config.name, work.due, work.executions, work.previous_status, work.previous_reason),
            work.pb.SerializeToString(),
        )

    def _forget(self, queue: TaskQueue, work: Work) -> None:
        now = self._clock()
        name, until = work.pb.name, now + self._names_taken_for_s
        self._free_names(now)
        self._taken[name] = until
        self._write(journal.DROP_TASK, name)
        self._write(journal.TAKE_NAME, name, until)

    def _free_names(self, now: float) -> None:
        """Forget the names whose time is over: the oldest are first in the dict."""
        expired = list(takewhile(lambda name: self._taken[name] < now, self._taken))
        for name in expired:
            del self._taken[name]
        if expired:
            self._write(journal.FREE_NAMES, now)

    def _bury(self, queue: TaskQueue, work: Work, dead: Dead) -> None:
        self._forget(queue, work)
        self._write(journal.SAVE_DEAD, dead.name, queue.config.name, dead.url, dead.attempts, dead.reason, dead.at)

    def _write(self, statement: str, *values: Any) -> None:
        assert self._journal is not None
        self._journal.write(statement, *values)

    async def _saved(self) -> None:
        assert self._journal is not None
        await self._journal.saved()

    # The API

    def _methods(self) -> dict[str, Method]:
        return {
            "CreateTask": Method(CreateTaskRequest.pb(), self._create_task),
            "GetTask": Method(GetTaskRequest.pb(), self._get_task),
            "ListTasks": Method(ListTasksRequest.pb(), self._list_tasks),
            "DeleteTask": Method(DeleteTaskRequest.pb(), self._delete_task),
            "RunTask": Method(RunTaskRequest.pb(), self._run_task),
            "GetQueue": Method(GetQueueRequest.pb(), self._get_queue),
            "ListQueues": Method(ListQueuesRequest.pb(), self._list_queues),
            "PauseQueue": Method(PauseQueueRequest.pb(), self._pause_queue),
            "ResumeQueue": Method(ResumeQueueRequest.pb(), self._resume_queue),
            "PurgeQueue": Method(PurgeQueueRequest.pb(), self._purge_queue),
        }

    async def _create_task(self, request: Any) -> Any:
        queue = self._queue(request.parent)
        now = self._clock()
        pb = checked_task(request.task, request.parent, now)
        if pb.name in queue.tasks or self._is_taken(pb.name, now):
            raise already_exists("The task cannot be created because a task with this name existed too recently.")
        work = Work(pb, seconds(pb.schedule_time))
        self._save(queue, work)
        queue.add(work)
        # The answer is made before the wait: by its end the task may have run
        answer = self._shown(pb, request.response_view)
        await self._saved()
        return answer

    async def _get_task(self, request: Any) -> Any:
        return self._shown(self._task(request.name)[1].pb, request.response_view)

    async def _list_tasks(self, request: Any) -> Any:
        queue = self._queue(request.parent)
        names = sorted(name for name in queue.tasks if name.startswith(request.parent + "/"))
        chosen, token = page(names, request, PAGE)
        tasks = [self._shown(queue.tasks[name].pb, request.response_view) for name in chosen]
        return ListTasksResponse.pb()(tasks=tasks, next_page_token=token)

    async def _delete_task(self, request: Any) -> Any:
        queue, work = self._task(request.name)
        queue.remove(work)
        self._forget(queue, work)
        await self._saved()
        return Empty()

    async def _run_task(self, request: Any) -> Any:
        queue, work = self._task(request.name)
        queue.run_now(work)
        return self._shown(work.pb, request.response_view)

    async def _get_queue(self, request: Any) -> Any:
        return self._queue_message(request.name, self._queue(request.name))

    async def _list_queues(self, request: Any) -> Any:
        if not LOCATION.fullmatch(request.parent):
            raise invalid(f"Invalid location name: {request.parent!r}")
        chosen, token = page(sorted(self._queues), request, PAGE)
        queues = [self._queue_message(f"{request.parent}/queues/{name}", self._queues[name]) for name in chosen]
        return ListQueuesResponse.pb()(queues=queues, next_page_token=token)

    async def _pause_queue(self, request: Any) -> Any:
        queue = self._queue(request.name)
        queue.paused = True
        self._write(journal.PAUSE, queue.config.name)
        await self._saved()
        return self._queue_message(request.name, queue)

    async def _resume_queue(self, request: Any) -> Any:
        queue = self._queue(request.name)
        queue.resume()
        self._write(journal.RESUME, queue.config.name)
        await self._saved()
        return self._queue_message(request.name, queue)

    async def _purge_queue(self, request: Any) -> Any:
        queue = self._queue(request.name)
        for work in list(queue.tasks.values()):
            queue.remove(work)
            self._forget(queue, work)
        await self._saved()
        return self._queue_message(request.name, queue)

    def _queue(self, name: str) -> TaskQueue:
        match = QUEUE.fullmatch(name)
        if match is None:
            raise invalid(f"Invalid queue name: {name!r}")
        queue = self._queues.get(match[1])
        if queue is None:
            raise not_found(f"Queue does not exist: {match[1]}")
        return queue

    def _task(self, name: str) -> tuple[TaskQueue, Work]:
        parent, separator, task_id = name.partition("/tasks/")
        if not separator or not TASK_ID.fullmatch(task_id):
            raise invalid(f"Invalid task name: {name!r}")
        queue = self._queue(parent)
        work = queue.tasks.get(name)
        if work is None:
            raise not_found("The task does not exist: it was never created, or it ended.")
        return queue, work

    def _is_taken(self, name: str, now: float) -> bool:
        return self._taken.get(name, 0.0) >= now

    @staticmethod
    def _shown(pb: Any, view: int) -> Any:
        """A copy of the task as the caller wants it: BASIC, the default, leaves the body out."""
        shown = Task.pb()()
        shown.CopyFrom(pb)
        shown.view = Task.View.FULL if view == Task.View.FULL else Task.View.BASIC
        if shown.view == Task.View.BASIC:
            shown.http_request.ClearField("body")
        return shown

    @staticmethod
    def _queue_message(name: str, queue: TaskQueue) -> Any:
        config, retries = queue.config, Retries.of_queue(queue.config)
        message = QueueMessage.pb()(name=name)
        message.state = QueueMessage.State.PAUSED if queue.paused else QueueMessage.State.RUNNING
        message.rate_limits.max_dispatches_per_second = config.per_second
        message.rate_limits.max_concurrent_dispatches = config.at_once
        message.retry_config.max_attempts = retries.attempts
        message.retry_config.max_doublings = retries.doublings
        message.retry_config.min_backoff.FromMilliseconds(int(retries.min_backoff_s * 1000))
        message.retry_config.max_backoff.FromMilliseconds(int(retries.max_backoff_s * 1000))
        return message


SERVICE = "google.cloud.tasks.v2.CloudTasks"


def checked_task(given: Any, parent: str, now: float) -> Any:
    """The task to keep: *given* with name, times, method and deadline; INVALID_ARGUMENT for what may not be."""
    pb = Task.pb()()
    pb.name = checked_name(given.name, parent)
    if given.WhichOneof("message_type") != "http_request":
        raise invalid("Task.http_request is required; App Engine targets are not part of the local cloud.")
    if given.ByteSize() > LARGEST_TASK:
        raise invalid(f"Task size too large: the limit is {LARGEST_TASK} bytes.")
    pb.http_request.CopyFrom(given.http_request)
    check_request(pb.http_request)
    if given.HasField("retry_config"):
        pb.retry_config.CopyFrom(given.retry_config)

    due = seconds(given.schedule_time) if given.HasField("schedule_time") else now
    if due > now + LONGEST_DELAY_S:
        raise invalid("Task.scheduleTime must not be more than 30 days in the future.")
    set_time(pb.schedule_time, max(due, now))
    pb.create_time.FromSeconds(int(now))

    pb.dispatch_deadline.FromSeconds(DEFAULT_DEADLINE_S)
    if given.HasField("dispatch_deadline"):
        pb.dispatch_deadline.CopyFrom(given.dispatch_deadline)
    shortest, longest = DEADLINES_S
    if not shortest <= seconds(pb.dispatch_deadline) <= longest:
        raise invalid(f"Task.dispatchDeadline must be between {shortest:g} s and {longest:g} s.")
    return pb


def checked_name(name: str, parent: str) -> str:
    """The task's full name, made up when none was given."""
    if not name:
        return f"{parent}/tasks/{uuid.uuid4().int % 10**20:020d}"
    prefix, separator, task_id = name.partition("/tasks/")
    if not separator or prefix != parent or not TASK_ID.fullmatch(task_id):
        raise invalid(f"Task name must have the format {parent}/tasks/TASK_ID")
    return name


def check_request(request: Any) -> None:
    """Set the default method; refuse a URL or body that Cloud Tasks would refuse."""
    if not request.url.startswith(("http://", "https://")) or len(request.url) > LONGEST_URL:
        raise invalid("HttpRequest.url must start with http:// or https:// and have at most 2083 characters.")
    request.http_method = request.http_method or HttpMethod.POST
    if request.http_method not in METHODS:
        raise invalid("HttpRequest.http_method is not known.")
    if request.body and METHODS[request.http_method] not in {"POST", "PUT", "PATCH"}:
        raise invalid("HttpRequest.body is allowed only with POST, PUT and PATCH.")
    if not all(
        f"{name}{value}".isascii() and f"{name}{value}".isprintable() for name, value in request.headers.items()
    ):
        raise invalid("HttpRequest.headers must be printable ASCII.")
    if request.WhichOneof("authorization_header") == "oauth_token":
        raise Refused(grpc.StatusCode.UNIMPLEMENTED, "OAuth tokens are not part of the local cloud; use an OIDC token.")
