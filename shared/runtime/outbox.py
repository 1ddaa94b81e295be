"""Sends what transactions put into the outbox: commands to Cloud Tasks, facts to Pub/Sub.

Called right after the commit, before the answer. What cannot be sent then is left for ``jobs_sweep_outbox``: accepting
work never depends on Cloud Tasks being up. A row is sent at least once; task names and the inbox make it one effect.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta

from shared import manifest
from shared.db.database import OutboxRow
from shared.errors import TryLater, VendorError
from shared.runtime import log
from shared.runtime.services import Services

SWEEP_AFTER = timedelta(seconds=30)  # how long the sender of a row may take before the sweep does it
LOST_AFTER = timedelta(hours=1)  # a task sent this long ago that never ended was lost by its queue
_COLD_START_S = 30  # the queue waits this much longer than the function may run, or it would send twice
_COOL_DOWN_S = 5.0  # after a failure, requests stop waiting for a service that is down

_failed_at: dict[str, float] = {}


async def dispatch(services: Services, rows: Iterable[OutboxRow]) -> int:
    """Send *rows* and mark those that arrived; return how many did. Never raises: the sweep comes later."""
    sent = []
    for row in rows:
        if time.monotonic() - _failed_at.get(row.kind, -_COOL_DOWN_S) < _COOL_DOWN_S:
            continue
        try:
            await _send(services, row)
            sent.append(row.id)
        except VendorError as error:
            if isinstance(error, TryLater):
                _failed_at[row.kind] = time.monotonic()
            log.warning("outbox_not_sent", outbox_id=row.id, target=row.target, reason=str(error))
    if sent:
        try:
            await services.db.execute(
                "update outbox set dispatched_at = now(), sends = sends + 1, last_error = null where id = any($1)", sent
            )
        except TryLater as error:  # it will be sent again, under the same name
            log.warning("outbox_not_marked", reason=str(error))
    return len(sent)


async def _send(services: Services, row: OutboxRow) -> None:
    if row.kind == "event":
        await services.topics.publish(row.target, row.payload, attributes={"outbox_id": str(row.id)})
        return
    function = manifest.BY_NAME[row.target]
    await services.tasks.create(
        queue=function.queue or "",
        name=f"{row.id}-{row.sends}",
        function=row.target,
        payload=row.payload,
        deadline_s=function.timeout_s + _COLD_START_S,
        not_before=row.not_before,
        headers={"X-Outbox-Id": str(row.id)},
    )


_DUE = """
update outbox set created_at = created_at
where id in (
    select id from outbox
    where dead_at is null and done_at is null and (
        dispatched_at is null and created_at < now() - $1::interval
        or kind = 'task' and greatest(dispatched_at, not_before) < now() - $2::interval
    )
    order by created_at limit $3 for update skip locked
)
returning id, kind, target, payload, sends, not_before
"""


async def sweep(services: Services, *, at_once: int = 200) -> int:
    """Send what was not sent, and again what its queue has lost; return how many rows went out."""
    _failed_at.clear()
    total = 0
    while True:
        rows = await services.db.fetch(_DUE, SWEEP_AFTER, LOST_AFTER, at_once)
        sent = await dispatch(services, [OutboxRow(**dict(row)) for row in rows])
        total += sent
        if sent < at_once:
            return total
