"""Dead work, the sweep, the purge, and what every job promises."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from tests.functions.conftest import World


async def _dead_task(world: World, *, handler: str = "forms_process") -> str:
    work_id = uuid4()
    await world.db.execute(
        """insert into outbox (id, kind, target, payload, sends, dispatched_at, dead_at, dead_handler, dead_reason)
           values ($1, 'task', $2, '{}', 1, now(), now(), $2, 'ctm 401')""",
        work_id,
        handler,
    )
    await world.db.execute(
        """insert into inbox (handler, message_key, lease_until, lease_token, done_at)
           values ($1, $2, now(), $3, now())""",
        handler,
        str(work_id),
        uuid4(),
    )
    return str(work_id)


async def test_dead_work_is_listed_with_its_reason_for_superadmins_only(world: World) -> None:
    """Dead work and why it died is there for superadmins; admins get 403, strangers 401."""
    work_id = await _dead_task(world)
    headers = {role: await world.sign_in(await world.user(role)) for role in ("superadmin", "admin")}

    listed = await world.call("GET", "/api/jobs/dead", headers=headers["superadmin"])

    assert listed.status_code == 200
    assert {row["id"]: row["reason"] for row in listed.json()["work"]}[work_id] == "ctm 401"
    assert (await world.call("GET", "/api/jobs/dead", headers=headers["admin"])).status_code == 403
    assert (await world.call("GET", "/api/jobs/dead")).status_code == 401


async def test_dead_work_is_sent_again_under_a_new_task_name(world: World) -> None:
    """One call sends dead work again: its claim is forgotten, and Cloud Tasks sees a name it has not used."""
    work_id = await _dead_task(world)
    headers = await world.sign_in(await world.user("superadmin"))

    answer = await world.call("POST", f"/api/jobs/dead/{work_id}/resend", headers=headers)

    assert answer.json() == {"resent": True}
    assert [task["name"] for task in world.sent.tasks] == [f"{work_id}-1"]
    assert not await world.db.fetchval("select count(*) from inbox where message_key = $1", work_id)
    again = await world.call("POST", f"/api/jobs/dead/{work_id}/resend", headers=headers)
    assert again.status_code == 404


async def test_an_event_that_ran_out_of_deliveries_is_kept_dead(world: World) -> None:
    """A message of the dead-letter topic marks its outbox row dead, with the listener that gave up."""
    async with world.db.transaction() as tx:
        event_id = await tx.publish("mail-event", {"event_id": "e1"})
    message = {
        "messageId": uuid4().hex,
        "attributes": {"outbox_id": str(event_id), "CloudPubSubDeadLetterSourceSubscription": "emails_track"},
    }

    answer = await world.http.post("/_functions/jobs_record_dead", json={"message": message}, headers=world.google())

    assert answer.status_code == 204, answer.text
    row = await world.db.fetchrow("select dead_handler, dead_at from outbox where id = $1", event_id)
    assert row["dead_handler"] == "emails_track"
    assert row["dead_at"] is not None


async def test_what_could_not_be_sent_is_sent_by_the_sweep(world: World) -> None:
    """A row whose sender died before sending leaves with the first sweep after 30 seconds, once."""
    async with world.db.transaction() as tx:
        young = await tx.enqueue("emails_send", {"email_log_id": str(uuid4())})
        old = await tx.enqueue("emails_send", {"email_log_id": str(uuid4())})
    await world.db.execute("update outbox set created_at = now() - interval '31 s' where id = $1", old)

    assert (await world.run_schedule("jobs_sweep_outbox")).status_code == 204
    assert (await world.run_schedule("jobs_sweep_outbox")).status_code == 204

    names = [task["name"] for task in world.sent.tasks]
    assert names.count(f"{old}-0") == 1
    assert f"{young}-0" not in names


async def test_a_task_lost_by_its_queue_is_sent_again(world: World) -> None:
    """A task that left an hour ago and never ended is sent under a new name; a finished one is left alone."""
    lost, finished = uuid4(), uuid4()
    for work_id in (lost, finished):
        await world.db.execute(
            """insert into outbox (id, kind, target, payload, sends, dispatched_at, done_at)
               values ($1, 'task', 'emails_send', '{}', 1, now() - interval '61 min', $2)""",
            work_id,
            None if work_id == lost else datetime.now(UTC),
        )

    await world.run_schedule("jobs_sweep_outbox")

    names = [task["name"] for task in world.sent.tasks]
    assert f"{lost}-1" in names
    assert f"{finished}-1" not in names


async def test_a_repeated_schedule_runs_once(world: World) -> None:
    """Cloud Scheduler may repeat a run: the scheduled time is its key."""
    at = f"2026-01-31T10:00:00Z#{uuid4()}"
    before = await world.db.fetchval("select count(*) from job_runs where name = 'jobs_purge_finished'")

    answers = [(await world.run_schedule("jobs_purge_finished", at=at)).status_code for _ in range(2)]

    assert answers == [204, 204]
    after = await world.db.fetchval("select count(*) from job_runs where name = 'jobs_purge_finished' and ok")
    assert after == before + 1


async def test_only_our_invoker_reaches_a_job(world: World) -> None:
    """A job called by anybody else is 401 and claims nothing."""
    for headers in ({}, {"Authorization": "Bearer a.e30.c"}, {"Authorization": "Bearer nonsense"}):
        answer = await world.http.post("/_functions/jobs_sweep_outbox", json={}, headers=headers)
        assert answer.status_code == 401


async def test_work_that_cannot_be_read_is_parked_with_its_reason(world: World) -> None:
    """A task body that no attempt can ever read is answered 2xx and kept dead; a second delivery changes nothing."""
    async with world.db.transaction() as tx:
        work_id = await tx.enqueue("emails_send", {"email_log_id": "not an id"})

    for _ in range(2):
        answer = await world.deliver_task("emails_send", {"email_log_id": "not an id"}, key=work_id)
        assert answer.status_code == 204

    reason = await world.db.fetchval("select dead_reason from outbox where id = $1", work_id)
    assert "email_log_id" in reason


async def test_readiness_names_the_schema(world: World) -> None:
    """Readiness answers the schema's version; health answers without the database."""
    assert (await world.call("GET", "/api/health")).json()["ok"] is True
    assert (await world.call("GET", "/api/health/ready")).json()["schema"]
