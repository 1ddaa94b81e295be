"""Makes a coroutine a task, an event's listener or a schedule: run once per piece of work, however often it is sent.

``@task``, ``@event`` and ``@schedule`` read what Cloud Tasks, Pub/Sub push or Cloud Scheduler send, claim the work in
the inbox, run the handler, and answer what makes the sender do the right thing:

    204  done, now or before; or parked: it can never work, and is kept with its reason
    503  not now: the sender's back-off decides when again
    500  a crash: treated the same, and logged as an error

The last attempt of a task parks it instead of letting its queue drop it. An event's last delivery goes to the
dead-letter topic, whose listener parks it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any, get_type_hints, overload
from uuid import UUID, uuid4

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from shared import manifest
from shared.db.database import Transaction
from shared.errors import Invalid, KeyUnknown, Park, Problem, TooLarge, TryLater, VendorError
from shared.runtime import bodies, identity, inbox, log, outbox
from shared.runtime.context import Context
from shared.runtime.inbox import Claim, LeaseLost
from shared.runtime.services import services

Handler = Callable[..., Awaitable[None]]
Served = Callable[[Request], Awaitable[Response]]
_BODY_LIMIT = 10 * 1024 * 1024  # Pub/Sub's own limit; Cloud Tasks allows less


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one piece of work, whoever brought it."""

    key: str
    payload: bytes
    outbox_id: UUID | None = None
    last_attempt: bool = False
    attributes: dict[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class Job(Context):
    """One run of a task, event or schedule."""

    claim: Claim
    delivery: Delivery
    finished: bool = False

    @asynccontextmanager
    async def finish(self) -> AsyncIterator[Transaction]:
        """The commit that keeps this run's results and marks its work done. A handler that never asks for it has
        it done, empty, when it returns."""
        async with inbox.finish(self.db, self.claim, tracked=self.function.trigger == "task") as tx:
            yield tx
        self.finished = True
        if tx.outbox:
            await outbox.dispatch(self.services, tx.outbox)


def task(handler: Handler) -> Served:
    """Serve *handler(job, body)* for Cloud Tasks; the key is the outbox row's id.

    Source: https://cloud.google.com/tasks/docs/creating-http-target-tasks (handler headers)
    """

    def read(request: Request, raw: bytes, function: manifest.Function) -> Delivery:
        outbox_id = _uuid(request.headers.get("x-outbox-id"))
        name = request.headers.get("x-cloudtasks-taskname")
        if outbox_id is None and not name:
            raise Invalid("This is not a task: neither X-Outbox-Id nor X-CloudTasks-TaskName is set.")
        retries = request.headers.get("x-cloudtasks-taskretrycount", "0")
        attempt = int(retries) + 1 if retries.isdigit() else 1
        limit = manifest.QUEUES[function.queue or ""].attempts
        return Delivery(str(outbox_id or name), raw, outbox_id, last_attempt=attempt >= limit)

    return _job(handler, read)


@overload
def event(handler: Handler) -> Served: ...
@overload
def event(*, per_message: bool) -> Callable[[Handler], Served]: ...
def event(handler: Handler | None = None, *, per_message: bool = False) -> Served | Callable[[Handler], Served]:
    """Serve *handler(job, body)* for a Pub/Sub push subscription.

    The key is the outbox row's id, which a message that is sent again keeps; with *per_message* it is Pub/Sub's id, so
    that every sending counts.
    Source: https://cloud.google.com/pubsub/docs/push (wrapped messages)
    """

    def read(request: Request, raw: bytes, function: manifest.Function) -> Delivery:
        message = bodies.parse_json(raw, _Push).message
        try:
            data = base64.b64decode(message.data, validate=True)
        except binascii.Error:
            raise Invalid.field("message.data", "is not base64") from None
        outbox_id = _uuid(message.attributes.get("outbox_id"))
        key = message.message_id if per_message or outbox_id is None else str(outbox_id)
        if not key:
            raise Invalid.field("message.messageId", "is missing")
        return Delivery(key, data, outbox_id, attributes=message.attributes)

    return _job(handler, read) if handler is not None else lambda handler: _job(handler, read)


def schedule(handler: Handler) -> Served:
    """Serve *handler(job)* for Cloud Scheduler; the key is the scheduled time, so that a repeated run is one.

    Source: https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs (HttpTarget headers)
    """

    def read(request: Request, raw: bytes, function: manifest.Function) -> Delivery:
        return Delivery(request.headers.get("x-cloudscheduler-scheduletime") or f"forced {uuid4()}", b"{}")

    async def recorded(job: Job) -> None:
        run_id = await job.db.fetchval(
            "insert into job_runs (name, started_at) values ($1, now()) returning id", job.function.name
        )
        note = "did not finish"
        try:
            await handler(job)
            note = ""
        except Exception as error:
            note = type(error).__name__
            raise
        finally:
            await job.db.execute(
                "update job_runs set finished_at = now(), ok = $2, note = nullif($3, '') where id = $1",
                run_id, not note, note,
            )  # fmt: skip

    return _job(functools.wraps(handler)(recorded), read)


class _PushMessage(BaseModel):
    data: str = ""
    attributes: dict[str, str] = {}
    message_id: str = Field(default="", alias="messageId")


class _Push(BaseModel):
    message: _PushMessage


Reader = Callable[[Request, bytes, manifest.Function], Delivery]


def _job(handler: Handler, read: Reader) -> Served:
    function = manifest.BY_NAME[handler.__name__]
    hints = get_type_hints(handler)
    body: TypeAdapter[Any] | None = TypeAdapter(hints["body"]) if "body" in signature(handler).parameters else None

    @functools.wraps(handler)
    async def served(request: Request) -> Response:
        started = time.perf_counter()
        request_id = uuid4().hex
        with log.bound(function=function.name, request_id=request_id):
            response = await _serve(request, request_id, function, body, handler, read)
            log.info("job", status=response.status_code, duration_ms=round((time.perf_counter() - started) * 1000, 1))
        return response

    served.function = function  # type: ignore[attr-defined]
    return served


async def _serve(
    request: Request,
    request_id: str,
    function: manifest.Function,
    body: TypeAdapter[Any] | None,
    handler: Handler,
    read: Reader,
) -> Response:
    instance = services()
    try:
        if request.method != "POST":
            return _answer(405, "METHOD_NOT_ALLOWED", "This function answers POST.")
        await identity.identify(request, function.access, instance)
        delivery = read(request, await bodies.read_bytes(request, limit=_BODY_LIMIT), function)
        mine = await inbox.claim(instance.db, function.name, delivery.key, function.lease_s, delivery.outbox_id)
    except TooLarge as problem:
        return _answer(problem.status, problem.code, problem.message)
    except Problem as problem:
        return _answer(problem.status, problem.code, problem.message)
    except TryLater as error:
        return _try_later(str(error))
    if mine is True:
        log.info("already_done", key=delivery.key)
        return Response(status_code=204)
    if mine is False:
        return _try_later("another run holds this work")
    assert isinstance(mine, Claim)
    job = Job(
        function=function,
        services=instance,
        request_id=request_id,
        claim=mine,
        delivery=delivery,
    )
    return await _run(job, body, handler)


async def _run(job: Job, body: TypeAdapter[Any] | None, handler: Handler) -> Response:
    """Run the handler on claimed work, and settle the claim whatever happens."""
    try:
        async with asyncio.timeout(job.function.timeout_s):
            await handler(job, **_parse(job.delivery.payload, body))
        if not job.finished:
            async with job.finish():
                pass
        return Response(status_code=204)
    except Park as verdict:
        return await _park(job, str(verdict))
    except LeaseLost:
        return _try_later("the lease ran out")
    except TryLater as error:
        return await _again(job, str(error))
    except TimeoutError:
        log.error("deadline_exceeded", timeout_s=job.function.timeout_s)
        return await _again(job, "deadline exceeded")
    except VendorError as error:
        log.error("vendor_refused", reason=str(error))
        return await _park(job, str(error))
    except KeyUnknown:
        await job.services.renew_key_ring()
        return await _again(job, "sealed with a key that was not known yet")
    except Exception as error:
        log.error("crash", exception=error)
        return await _again(job, f"crashed: {type(error).__name__}", status=500)


def _parse(payload: bytes, body: TypeAdapter[Any] | None) -> dict[str, Any]:
    if body is None:
        return {}
    try:
        return {"body": body.validate_json(payload)}
    except ValidationError as error:
        raise Park(f"cannot be read: {bodies.invalid(error, 'body').message}") from None


async def _again(job: Job, reason: str, *, status: int = 503) -> Response:
    if job.delivery.last_attempt:
        return await _park(job, f"gave up: {reason}")
    try:
        await inbox.give_back(job.db, job.claim)
    except TryLater:
        log.warning("claim_not_given_back")  # the lease will end by itself
    return _try_later(reason, status=status)


async def _park(job: Job, reason: str) -> Response:
    log.error("parked", reason=reason, key=job.delivery.key)
    try:
        await inbox.park(job.db, job.claim, reason)
    except (TryLater, LeaseLost) as error:
        return _try_later(str(error))
    return Response(status_code=204)


def _try_later(reason: str, *, status: int = 503) -> Response:
    log.warning("try_later", reason=reason)
    return _answer(status, "TRY_LATER" if status == 503 else "INTERNAL", reason if status == 503 else "crashed")


def _answer(status: int, code: str, message: str) -> Response:
    return Response(to_json({"message": message, "code": code}), status_code=status, media_type="application/json")


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
