"""What could not be done is seen, and sent again with one call."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from emulators.acts import until
from emulators.cloud import LocalCloud
from tests.e2e.conftest import Visitor, submission_id

pytestmark = pytest.mark.e2e


async def test_dead_work_is_seen_in_the_console_and_sent_again(cloud: LocalCloud, database: asyncpg.Connection) -> None:
    """A submission whose mails are refused is listed with its reason; one call later they have arrived."""
    await cloud.control.put("/faults/mailgun", json={"status": 400})
    name = f"Visitor {uuid4().hex}"
    answer = await Visitor(cloud.http).submit("contact", {"name": name, "phone": "+15555550177", "message": "A leak."})
    submission = str(submission_id(answer))

    async def dead() -> list[dict[str, str]]:
        work_id = await database.fetchval(
            "select id::text from outbox where payload ->> 'submission_id' = $1", submission
        )
        listed = (await cloud.control.get("/dead")).json()
        return [one for one in listed["work"] if one["id"] == work_id]

    async def died() -> bool:
        return bool(await dead())

    await until("the work to be dead", died, within_s=20)
    [work] = await dead()
    assert "mailgun 400" in str(work)
    await cloud.control.delete("/faults/mailgun")
    resent = await cloud.control.post(f"/dead/{work['id']}/resend")
    assert resent.is_success, resent.text

    async def mailed() -> bool:
        mails = (await cloud.control.get("/mail")).json()["mails"]
        return sum(submission in mail["text"] for mail in mails) == 2

    await until("both mails", mailed, within_s=20)
    assert not await dead()


async def test_a_schedule_runs_when_it_is_told_to(cloud: LocalCloud, database: asyncpg.Connection) -> None:
    """Any schedule can be run now, and its run is recorded."""
    ran = await cloud.control.post("/schedules/jobs_purge_finished/run")
    assert ran.is_success, ran.text
    assert await database.fetchval("select ok from job_runs where name = 'jobs_purge_finished'")


async def test_an_event_is_pushed_with_the_gateway_in_front(cloud: LocalCloud, database: asyncpg.Connection) -> None:
    """A mail's delivery comes back through gateway, webhook, Pub/Sub and listener into its row."""
    name = f"Visitor {uuid4().hex}"
    answer = await Visitor(cloud.http).submit("intake", {"name": name, "phone": "+15555550178", "dob": "1990-01-31"})
    submission = str(submission_id(answer))

    async def delivered() -> bool:
        return bool(
            await database.fetchval(
                "select status = 'delivered' from email_logs where metadata ->> 'submission_id' = $1", submission
            )
        )

    await until("the mail to be delivered", delivered, within_s=30)
