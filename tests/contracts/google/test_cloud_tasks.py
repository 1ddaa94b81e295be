"""The Cloud Tasks stand-in keeps what Google documents, as Google's own async client sees it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
    ServiceUnavailable,
)
from google.cloud.tasks_v2 import CloudTasksAsyncClient, HttpMethod, Task
from google.cloud.tasks_v2 import Queue as QueueMessage
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from emulators.cloud_tasks import CloudTasks
from emulators.faults import Fault, Faults
from shared.manifest import Queue

LOCATION = "projects/anchor-local/locations/us-central1"
MAIL = f"{LOCATION}/queues/mail"

QUICK = Queue(name="mail", per_second=500, at_once=20, attempts=3, min_backoff_s=0.05, max_backoff_s=0.2, doublings=2)  # type: ignore[arg-type]
IN_A_MONTH = Timestamp(seconds=int(time.time()) + 31 * 86400)


class Clock:
    """The time, which a test may move."""

    ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@pytest.fixture
async def start(tmp_path: Path, faults: Faults, connect: Any) -> AsyncIterator[Callable[..., Any]]:
    """Starts a stand-in on the test's state file; gives it with its client and its clock."""
    running: list[CloudTasks] = []

    async def start(*queues: Queue, **options: Any) -> SimpleNamespace:
        clock = Clock()
        stand_in = CloudTasks(tmp_path / "tasks.sqlite3", faults, queues or [QUICK], clock=clock, **options)
        running.append(stand_in)
        await stand_in.start()
        channel = connect(stand_in.env["CLOUD_TASKS_EMULATOR_HOST"])
        client = CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))
        return SimpleNamespace(stand_in=stand_in, client=client, clock=clock)

    yield start
    for stand_in in running:
        await stand_in.stop()


@pytest.fixture
async def cloud(start: Any) -> Any:
    return await start()


async def until(fact: Callable[[], object], within_s: float = 5) -> None:
    async with asyncio.timeout(within_s):
        while not fact():  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(0.01)


def queue(cloud: Any, name: str = "mail") -> dict[str, Any]:
    return cloud.stand_in.snapshot()[name]


async def test_a_task_is_delivered_as_google_delivers_it(start: Any, worker: Any) -> None:
    """URL, method, body and our headers arrive with Cloud Tasks' own headers and an OIDC token for the audience."""
    cloud = await start(oidc=lambda audience, email: f"{email} for {audience}")
    task = await cloud.client.create_task(
        parent=MAIL,
        task={
            "name": f"{MAIL}/tasks/hello-1",
            "http_request": {
                "url": f"{worker.url}/emails_send?x=1",
                "http_method": HttpMethod.PUT,
                "headers": {"Content-Type": "application/json", "X-Own": "yes", "User-Agent": "not this"},
                "body": b'{"a": 1}',
                "oidc_token": {"service_account_email": "invoker@x.test", "audience": "https://send.test"},
            },
        },
    )
    [request] = await worker.wait_for(1)
    assert (request.method, request.path, request.body) == ("PUT", "/emails_send?x=1", b'{"a": 1}')
    own = {name: value for name, value in request.headers.items() if name.startswith("x-cloudtasks-")}
    assert float(own.pop("x-cloudtasks-tasketa")) == pytest.approx(task.schedule_time.timestamp(), abs=1e-5)
    assert own == {
        "x-cloudtasks-queuename": "mail",
        "x-cloudtasks-taskname": "hello-1",
        "x-cloudtasks-taskretrycount": "0",
        "x-cloudtasks-taskexecutioncount": "0",
    }
    assert request.headers["user-agent"] == "Google-Cloud-Tasks"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-own"] == "yes"
    assert request.headers["authorization"] == "Bearer invoker@x.test for https://send.test"
    await until(lambda: queue(cloud)["done"] == 1)
    assert queue(cloud) == {"waiting": 0, "running": 0, "done": 1, "paused": False, "dead": []}


async def test_a_created_task_answers_with_its_times_and_without_its_body(cloud: Any, worker: Any) -> None:
    """Method, deadline, times and a name are filled in; the body is shown only in the full view."""
    due = datetime.now(UTC) + timedelta(hours=1)
    task = await cloud.client.create_task(
        parent=MAIL, task={"schedule_time": due, "http_request": {"url": worker.url, "body": b"secret"}}
    )
    assert task.name.startswith(f"{MAIL}/tasks/")
    assert task.http_request.http_method == HttpMethod.POST
    assert task.http_request.body == b""
    assert task.dispatch_deadline == timedelta(minutes=10)
    assert task.schedule_time == due
    assert task.view == Task.View.BASIC
    full = await cloud.client.get_task(request={"name": task.name, "response_view": Task.View.FULL})
    assert (full.http_request.body, full.view) == (b"secret", Task.View.FULL)


async def test_a_task_waits_for_its_schedule_time(cloud: Any, worker: Any) -> None:
    """Not before the time, and soon after it."""
    due = datetime.now(UTC) + timedelta(seconds=0.4)
    await cloud.client.create_task(parent=MAIL, task={"schedule_time": due, "http_request": {"url": worker.url}})
    await asyncio.sleep(0.2)
    assert worker.received == []
    await worker.wait_for(1, within_s=1)
    assert datetime.now(UTC) >= due


async def test_a_refused_task_comes_again_and_says_so(cloud: Any, worker: Any) -> None:
    """Retries are counted, and carry the last answer; an answer of 5xx is no execution."""
    statuses = iter([500, 409, 200])
    worker.answer = lambda request: (next(statuses), {})
    await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}})
    requests = await worker.wait_for(3)
    names = ("taskretrycount", "taskexecutioncount", "taskpreviousresponse", "taskretryreason")
    seen = [tuple(request.headers.get(f"x-cloudtasks-{name}") for name in names) for request in requests]
    assert seen == [
        ("0", "0", None, None),
        ("1", "0", "500", "HTTP status code 500"),
        ("2", "1", "409", "HTTP status code 409"),
    ]
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(requests)]
    assert gaps[0] >= 0.05
    assert gaps[1] >= 0.1
    await until(lambda: queue(cloud)["done"] == 1)


async def test_a_task_refused_too_often_is_dead(cloud: Any, worker: Any) -> None:
    """After the queue's attempts it is no task any more, but the console shows it with its reason."""
    worker.answer = lambda request: (500, {})
    task = await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}})
    await until(lambda: queue(cloud)["dead"])
    assert len(worker.received) == 3
    [dead] = queue(cloud)["dead"]
    assert dead["name"] == task.name
    assert (dead["attempts"], dead["reason"], dead["url"]) == (3, "HTTP status code 500", worker.url)
    with pytest.raises(NotFound):
        await cloud.client.get_task(name=task.name)


async def test_retry_after_of_an_overloaded_worker_is_obeyed(cloud: Any, worker: Any) -> None:
    """503 with Retry-After waits that long, though the back-off is shorter."""
    worker.answer = lambda request: (503, {"Retry-After": "1"}) if len(worker.received) == 1 else (200, {})
    await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}})
    first, second = await worker.wait_for(2)
    assert second.at - first.at >= 1


async def test_a_function_that_is_not_there_is_a_failed_attempt(cloud: Any, worker: Any) -> None:
    """A refused connection is tried again, so a restart of the functions loses nothing."""
    port = worker.port
    await worker.stop()
    await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": f"http://127.0.0.1:{port}"}})
    await asyncio.sleep(0.03)
    await worker.start(port)
    [request] = await worker.wait_for(1)
    assert int(request.headers["x-cloudtasks-taskretrycount"]) >= 1
    assert request.headers["x-cloudtasks-taskexecutioncount"] == "0"
    assert "x-cloudtasks-taskpreviousresponse" not in request.headers


async def test_a_task_may_bring_its_own_retries(cloud: Any, worker: Any) -> None:
    """A task's retry_config overrides its queue's."""
    worker.answer = lambda request: (500, {})
    await cloud.client.create_task(
        parent=MAIL, task={"retry_config": {"max_attempts": 1}, "http_request": {"url": worker.url}}
    )
    await until(lambda: queue(cloud)["dead"])
    assert len(worker.received) == 1


async def test_a_name_is_taken_until_an_hour_after_its_task_ended(cloud: Any, worker: Any) -> None:
    """ALREADY_EXISTS for a live task, for one that ran, and for a deleted one; free again after the hour."""
    later = datetime.now(UTC) + timedelta(days=1)
    for name, due in (("ran", None), ("live", later), ("deleted", later)):
        task = {"name": f"{MAIL}/tasks/{name}", "http_request": {"url": worker.url}, "schedule_time": due}
        await cloud.client.create_task(parent=MAIL, task=task)
    await cloud.client.delete_task(name=f"{MAIL}/tasks/deleted")
    await until(lambda: queue(cloud)["done"] == 1)

    async def create(name: str) -> None:
        task = {"name": f"{MAIL}/tasks/{name}", "http_request": {"url": worker.url}}
        await cloud.client.create_task(parent=MAIL, task=task)

    for name in ("ran", "live", "deleted"):
        with pytest.raises(AlreadyExists):
            await create(name)
    cloud.clock.ahead_s = 3601
    with pytest.raises(AlreadyExists):
        await create("live")
    await create("ran")
    await create("deleted")


@pytest.mark.parametrize(
    "task",
    [
        pytest.param({}, id="no target"),
        pytest.param({"http_request": {"url": "ftp://x.test"}}, id="not HTTP"),
        pytest.param({"http_request": {"url": "http://x.test/" + "x" * 2083}}, id="long URL"),
        pytest.param({"http_request": {"url": "http://x.test", "http_method": 2, "body": b"x"}}, id="GET with body"),
        pytest.param({"http_request": {"url": "http://x.test", "body": b"x" * 1024 * 1024}}, id="too large"),
        pytest.param({"http_request": {"url": "http://x.test", "headers": {"A": "b\nC: d"}}}, id="header injection"),
        pytest.param({"http_request": {"url": "http://x.test"}, "name": "tasks/x"}, id="short name"),
        pytest.param({"http_request": {"url": "http://x.test"}, "name": f"{MAIL}/tasks/a b"}, id="bad id"),
        pytest.param({"http_request": {"url": "http://x.test"}, "name": f"{MAIL}2/tasks/a"}, id="other queue"),
        pytest.param({"http_request": {"url": "http://x.test"}, "dispatch_deadline": Duration(seconds=14)}, id="hasty"),
        pytest.param(
            {"http_request": {"url": "http://x.test"}, "dispatch_deadline": Duration(seconds=1801)}, id="lazy"
        ),
        pytest.param(
            {
                "http_request": {"url": "http://x.test"},
                "schedule_time": Timestamp(seconds=int(time.time()) + 31 * 86400),
            },
            id="31 days",
        ),
    ],
)
async def test_a_wrong_task_is_refused(cloud: Any, task: dict[str, Any]) -> None:
    """INVALID_ARGUMENT, and nothing is queued."""
    with pytest.raises(InvalidArgument):
        await cloud.client.create_task(parent=MAIL, task=task)
    assert queue(cloud)["waiting"] == 0


async def test_what_is_not_there_is_not_found(cloud: Any) -> None:
    """NOT_FOUND for a queue or task that does not exist; INVALID_ARGUMENT for what is no name; no App Engine."""
    with pytest.raises(NotFound):
        await cloud.client.create_task(
            parent=f"{LOCATION}/queues/none", task={"http_request": {"url": "http://x.test"}}
        )
    with pytest.raises(NotFound):
        await cloud.client.get_queue(name=f"{LOCATION}/queues/none")
    with pytest.raises(NotFound):
        await cloud.client.delete_task(name=f"{MAIL}/tasks/none")
    with pytest.raises(NotFound):
        await cloud.client.run_task(name=f"{MAIL}/tasks/none")
    with pytest.raises(InvalidArgument):
        await cloud.client.get_queue(name="mail")
    with pytest.raises(InvalidArgument):
        await cloud.client.get_task(name=MAIL)
    with pytest.raises(MethodNotImplemented):
        await cloud.client.delete_queue(name=MAIL)


async def test_queues_say_their_rates(start: Any) -> None:
    """The manifest's numbers, in Google's fields; lists come in pages."""
    cloud = await start(QUICK, Queue(name="forms", per_second=7, at_once=3, attempts=9, min_backoff_s=5))
    forms = await cloud.client.get_queue(name=f"{LOCATION}/queues/forms")
    assert (forms.rate_limits.max_dispatches_per_second, forms.rate_limits.max_concurrent_dispatches) == (7, 3)
    assert (forms.retry_config.max_attempts, forms.retry_config.min_backoff) == (9, timedelta(seconds=5))
    pager = await cloud.client.list_queues(request={"parent": LOCATION, "page_size": 1})
    assert [each.name async for each in pager] == [f"{LOCATION}/queues/forms", MAIL]


async def test_tasks_are_listed_in_pages(cloud: Any, worker: Any) -> None:
    """Every task once, however small the page."""
    later = datetime.now(UTC) + timedelta(hours=1)
    for n in range(5):
        task = {"name": f"{MAIL}/tasks/t{n}", "schedule_time": later, "http_request": {"url": worker.url}}
        await cloud.client.create_task(parent=MAIL, task=task)
    pager = await cloud.client.list_tasks(request={"parent": MAIL, "page_size": 2})
    assert [task.name async for task in pager] == [f"{MAIL}/tasks/t{n}" for n in range(5)]


async def test_a_paused_queue_keeps_its_tasks(cloud: Any, worker: Any) -> None:
    """Nothing is sent while paused, unless by hand; everything after."""
    assert (await cloud.client.pause_queue(name=MAIL)).state == QueueMessage.State.PAUSED
    tasks = [await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}}) for _ in range(2)]
    await asyncio.sleep(0.1)
    assert worker.received == []
    shown = await cloud.client.run_task(name=tasks[0].name)
    assert shown.dispatch_count == 1
    await worker.wait_for(1)
    assert queue(cloud)["paused"]
    assert (await cloud.client.resume_queue(name=MAIL)).state == QueueMessage.State.RUNNING
    await worker.wait_for(2)


async def test_purging_forgets_what_waits(cloud: Any, worker: Any) -> None:
    """A purged queue has no tasks, and sends none."""
    later = datetime.now(UTC) + timedelta(seconds=0.2)
    for _ in range(3):
        await cloud.client.create_task(parent=MAIL, task={"schedule_time": later, "http_request": {"url": worker.url}})
    await cloud.client.purge_queue(name=MAIL)
    assert queue(cloud)["waiting"] == 0
    await asyncio.sleep(0.3)
    assert worker.received == []


async def test_a_deleted_task_is_not_tried_again(cloud: Any, worker: Any) -> None:
    """Deleting a task that is being tried ends its retries."""
    worker.answer, worker.delay_s = lambda request: (500, {}), 0.1
    task = await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}})
    await worker.wait_for(1)
    await cloud.client.delete_task(name=task.name)
    await asyncio.sleep(0.3)
    assert len(worker.received) == 1
    assert queue(cloud)["dead"] == []


async def test_a_queue_keeps_its_concurrency(start: Any, worker: Any) -> None:
    """Never more at once than the queue allows, and all of them in the end."""
    cloud = await start(Queue(name="mail", per_second=500, at_once=3))
    worker.delay_s = 0.03
    await asyncio.gather(
        *(cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}}) for _ in range(12))
    )
    await worker.wait_for(12)
    assert worker.most_busy == 3


async def test_a_queue_keeps_its_rate(start: Any, worker: Any) -> None:
    """A burst of a second's worth, then the rate."""
    cloud = await start(Queue(name="mail", per_second=10, at_once=50))
    began = time.monotonic()
    await asyncio.gather(
        *(cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}}) for _ in range(15))
    )
    requests = await worker.wait_for(15)
    assert requests[14].at - began >= 0.4
    assert requests[9].at < requests[14].at - 0.3


async def test_a_task_can_be_delivered_twice(cloud: Any, worker: Any) -> None:
    """On demand one task is sent twice at once, as happens to real ones."""
    cloud.stand_in.deliver_twice()
    for _ in range(2):
        await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}})
    await until(lambda: queue(cloud)["done"] == 2)
    assert len(worker.received) == 3


async def test_everything_survives_a_restart(start: Any, worker: Any) -> None:
    """Waiting, dead and paused are as before; a delivery that was cut off is made again; names stay taken."""
    cloud = await start(QUICK, Queue(name="forms"))
    worker.answer = lambda request: (500, {}) if request.path == "/bad" else (204, {})
    worker.delay_s = 0.05
    await cloud.client.pause_queue(name=f"{LOCATION}/queues/forms")
    await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": f"{worker.url}/bad"}})
    await until(lambda: queue(cloud)["dead"])
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    named = {"name": f"{MAIL}/tasks/named", "http_request": {"url": f"{worker.url}/named"}}
    await cloud.client.create_task(parent=MAIL, task=named)
    await until(lambda: queue(cloud)["done"] == 1)
    await cloud.client.create_task(
        parent=MAIL, task={"schedule_time": soon, "http_request": {"url": f"{worker.url}/later", "body": b"kept"}}
    )
    worker.delay_s = 5
    await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": f"{worker.url}/cut"}})
    await worker.wait_for(1, "/cut")
    await cloud.stand_in.stop()

    worker.delay_s = 0
    again = await start(QUICK, Queue(name="forms"))
    assert queue(again, "forms")["paused"]
    assert [dead["reason"] for dead in queue(again)["dead"]] == ["HTTP status code 500"]
    await worker.wait_for(2, "/cut")
    [later] = await worker.wait_for(1, "/later")
    assert later.body == b"kept"
    with pytest.raises(AlreadyExists):
        await again.client.create_task(parent=MAIL, task=named)


async def test_a_task_answered_for_is_in_the_file(start: Any, worker: Any) -> None:
    """A stand-in that is killed right after an answer still has the task when it comes back."""
    cloud = await start()
    await cloud.client.pause_queue(name=MAIL)
    await asyncio.gather(
        *(cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}}) for _ in range(20))
    )
    other = await start()  # on the same file, while the first has not been stopped
    assert queue(other)["waiting"] == 20


async def test_faults_reach_the_client(cloud: Any, faults: Faults, worker: Any) -> None:
    """A fault is the gRPC code that Google's client knows for it."""
    faults.put("cloud_tasks", Fault(status=503, times=1))
    with pytest.raises(ServiceUnavailable):
        await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}}, retry=None)
    await cloud.client.create_task(parent=MAIL, task={"http_request": {"url": worker.url}})


async def test_stopping_twice_or_before_the_start_is_harmless(tmp_path: Path, faults: Faults) -> None:
    """stop() may be called at any time."""
    stand_in = CloudTasks(tmp_path / "tasks.sqlite3", faults, [QUICK])
    await stand_in.stop()
    await stand_in.start()
    await stand_in.stop()
    await stand_in.stop()
    assert not stand_in.status.ready
