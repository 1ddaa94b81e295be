"""A task's change, a day's due dates and an outage of the AI, on the whole local cloud."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from emulators.acts import until
from emulators.acts.browser import Browser
from emulators.cloud import LocalCloud
from emulators.demo_data import PASSWORD

pytestmark = pytest.mark.e2e


async def a_group(admin: Browser) -> tuple[str, str]:
    """A board's id, and that of a group on it."""
    workspace = (await admin.send("POST", "/api/tasks/workspaces", json={"name": "Agency"}, expected=201))["workspace"]
    board = await admin.send(
        "POST", f"/api/tasks/workspaces/{workspace['id']}/boards", json={"name": "Web"}, expected=201
    )
    path = f"/api/tasks/boards/{board['board']['id']}"
    group = await admin.send("POST", f"{path}/groups", json={"name": "Main"}, expected=201)
    return path, group["group"]["id"]


async def test_a_status_change_runs_its_automations_once(cloud: LocalCloud, database: asyncpg.Connection) -> None:
    """Twenty changes and two rules: forty runs, a mail for each notice, and nothing twice."""
    async with Browser(cloud, "Firefox") as admin:
        await admin.sign_in("admin@anchor.test", PASSWORD)
        board, group = await a_group(admin)
        for action, config in (("add_update", {"content": "Well done."}), ("notify_admins", {"title": "Shipped"})):
            rule = {
                "name": action,
                "trigger_type": "status_change",
                "trigger_config": {"to_status": "Done"},
                "action_type": action,
                "action_config": config,
            }
            await admin.send("POST", f"{board}/automations", json=rule, expected=201)
        items = [
            await admin.send("POST", f"/api/tasks/groups/{group}/items", json={"name": f"Page {n}"}, expected=201)
            for n in range(20)
        ]
        await asyncio.gather(
            *(admin.send("PATCH", f"/api/tasks/items/{told['item']['id']}", json={"status": "Done"}) for told in items)
        )
        board_id = board.rpartition("/")[2]

        async def ran() -> bool:
            count = "select count(*) from task_automation_runs where board_id = $1::uuid and status = 'success'"
            return bool(await database.fetchval(count, board_id) == 40)

        await until("forty runs", ran, within_s=60)
        waiting = """select count(*) from email_logs l
                     join notifications n on l.metadata ->> 'notification_id' = n.id::text
                     where n.meta ->> 'board_id' = $1 and l.status not in ('sent', 'delivered')"""

        async def mailed() -> bool:
            return bool(await database.fetchval(waiting, board_id) == 0)

        await until("the mails", mailed, within_s=60)
        admins = await database.fetchval("select count(*) from users where role in ('superadmin', 'admin', 'editor')")
        notices = await database.fetchval("select count(*) from notifications where meta ->> 'board_id' = $1", board_id)
        updates = await database.fetchval(
            """select count(*) from task_updates u join task_items i on i.id = u.item_id
               join task_groups g on g.id = i.group_id where g.board_id = $1::uuid""",
            board_id,
        )
        assert (notices, updates) == (20 * admins, 20)


async def test_a_due_date_rule_runs_by_its_schedule(cloud: LocalCloud) -> None:
    """Hour after hour one update, made by the scheduler's call."""
    async with Browser(cloud, "Firefox") as admin:
        await admin.sign_in("admin@anchor.test", PASSWORD)
        board, group = await a_group(admin)
        rule = {
            "name": "Soon",
            "trigger_type": "due_date_relative",
            "trigger_config": {"days_from_due": -10},
            "action_type": "add_update",
            "action_config": {"content": "Ten days left."},
        }
        await admin.send("POST", f"{board}/automations", json=rule, expected=201)
        path = f"/api/tasks/groups/{group}/items"
        made = [
            await admin.send("POST", path, json={"name": "A", "due_date": str(day)}, expected=201)
            for day in (date.today() + timedelta(days=ahead) for ahead in (9, 10, 11))
        ]
        for _ in range(2):
            answer = await cloud.control.post("/schedules/tasks_run_due_automations/run")
            assert answer.is_success, answer.text

        async def said() -> list[Any]:
            lists = [
                (await admin.send("GET", f"/api/tasks/items/{one['item']['id']}/updates"))["updates"] for one in made
            ]
            return [update["content"] for updates in lists for update in updates]

        async def once() -> bool:
            return await said() == ["Ten days left."]

        await until("the update", once, within_s=20)
        assert (await admin.send("GET", f"{board}/automations"))["automations"][0]["name"] == "Soon"


async def test_an_outage_of_the_ai_is_made_good(cloud: LocalCloud) -> None:
    """The updates stand in for a summary until the AI is back, without anybody asking again."""
    async with Browser(cloud, "Firefox") as admin:
        await admin.sign_in("admin@anchor.test", PASSWORD)
        _, group = await a_group(admin)
        told = await admin.send("POST", f"/api/tasks/groups/{group}/items", json={"name": "Roof"}, expected=201)
        item = f"/api/tasks/items/{told['item']['id']}"
        await admin.send("POST", f"{item}/updates", json={"content": "The gutter leaks."}, expected=201)
        await cloud.control.put("/faults/vertex", json={"status": 503})
        stood_in = (await admin.send("POST", f"{item}/ai-summary", expected=201))["summary"]
        overview = await admin.send("GET", "/api/tasks/daily-overview")
        await cloud.control.delete("/faults/vertex")
        assert (stood_in["provider"], overview["ai_error"]) == ("fallback", True)

        async def written() -> bool:
            shown = await admin.send("GET", f"{item}/ai-summary")
            kept = await admin.send("GET", "/api/tasks/ai/daily-overview")
            return bool(shown["summary"]["provider"] == "vertex" and kept["cached"])

        await until("the summary and the overview", written, within_s=60)
