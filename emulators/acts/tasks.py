"""The staff's board: assigned, discussed, changed by two at once, answered by a rule, and deleted with its files."""

from __future__ import annotations

import asyncio

import asyncpg

from emulators.acts import Dashboard, Stage, expect, until
from emulators.acts.leads import signed_in
from emulators.cloud import LocalCloud
from emulators.demo_data import SUPERADMIN, TEAM, demo_id

_PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """A board from its workspace to its end."""
    database = await asyncpg.connect(cloud.database_url)
    try:
        await _play(cloud, stage, *[await _desk(cloud, database, email) for email in (SUPERADMIN, TEAM)])
    finally:
        await database.close()


async def _desk(cloud: LocalCloud, database: asyncpg.Connection, email: str) -> Dashboard:
    return Dashboard(cloud.http, await signed_in(cloud, database, demo_id(f"user {email}")), "/api/tasks")


async def _play(cloud: LocalCloud, stage: Stage, admin: Dashboard, team: Dashboard) -> None:
    async with stage.step("an admin makes a workspace, a board and twelve items") as notes:
        workspace = (await admin.ask("POST", "/workspaces", json={"name": "Agency"}))["workspace"]["id"]
        board = (await admin.ask("POST", f"/workspaces/{workspace}/boards", json={"name": "Website"}))["board"]["id"]
        group = (await admin.ask("POST", f"/boards/{board}/groups", json={"name": "Backlog"}))["group"]["id"]
        made = await asyncio.gather(
            *(admin.ask("POST", f"/groups/{group}/items", json={"name": f"Page {number}"}) for number in range(12))
        )
        items = [one["item"]["id"] for one in made]
        notes.append(f"{len((await team.ask('GET', f'/boards/{board}/view'))['items'])} seen by the team")
    async with stage.step("the team is assigned by four clicks at once and mailed once") as notes:
        before = await _mails(cloud, "assigned")
        assign = {"json": {"email": TEAM}}
        await asyncio.gather(*(admin.ask("POST", f"/items/{items[0]}/assignees", **assign) for _ in range(4)))
        await until("the mail of the assignment", lambda: _arrived(cloud, "assigned", before + 1))
        mine = (await team.ask("GET", "/my-work"))["boards"]
        expect(items[0] in {item["id"] for one in mine for item in one["items"]}, "it is not among their work")
    async with stage.step("a mention in an update arrives by mail"):
        before = await _mails(cloud, "mentioned")
        await team.ask("POST", f"/items/{items[0]}/updates", json={"content": f"@{SUPERADMIN} the draft is ready"})
        await until("the mail of the mention", lambda: _arrived(cloud, "mentioned", before + 1))
    async with stage.step("two change what they saw at once: one does, one is told"):
        saw = (await admin.ask("GET", f"/groups/{group}/items"))["items"][0]
        changes = [{"status": status, "updated_at": saw["updated_at"]} for status in ("Done", "Stuck")]
        answers = await asyncio.gather(
            *(
                who.send("PATCH", f"/items/{saw['id']}", json=change)
                for who, change in zip((admin, team), changes, strict=True)
            )
        )
        codes = sorted(answer.status_code for answer in answers)
        expect(codes == [200, 409], f"they were answered {codes}")
    async with stage.step("a board's rule answers to a new status, once"):
        rule = {"trigger_type": "status_change", "trigger_config": {"to_status": "Review"}, "action_type": "add_update"}
        said = {"name": "Look", **rule, "action_config": {"content": "Ready to be looked at."}}
        await admin.ask("POST", f"/boards/{board}/automations", json=said)
        await team.ask("PATCH", f"/items/{items[1]}", json={"status": "Review"})
        await until("the rule's update", lambda: _said(admin, items[1]))
        runs = (await admin.ask("GET", f"/automations/runs?board_id={board}"))["runs"]
        expect([run["status"] for run in runs] == ["success"], f"the log of runs says {runs}")
    async with stage.step("a file is open for staff, and goes with its workspace"):
        kept = await team.ask("POST", f"/items/{items[0]}/files", files={"file": ("a.pdf", _PDF, "application/pdf")})
        address = kept["file"]["file_url"]
        expect((await admin.fetch(address)).content == _PDF, "the file is not what was sent")
        await admin.ask("DELETE", f"/workspaces/{workspace}")
        expect((await admin.fetch(address)).status_code == 404, "the file outlived its workspace")


async def _said(desk: Dashboard, item: str) -> bool:
    updates = (await desk.ask("GET", f"/items/{item}/updates"))["updates"]
    expect(len(updates) <= 1, f"the rule spoke {len(updates)} times")
    return bool(updates)


async def _mails(cloud: LocalCloud, word: str) -> int:
    found = (await cloud.control.get("/mail")).json()
    return sum(word in mail["subject"] for mail in found["mails"])


async def _arrived(cloud: LocalCloud, word: str, wanted: int) -> bool:
    seen = await _mails(cloud, word)
    expect(seen <= wanted, f"{seen} mails came, {wanted} were due")
    return seen == wanted
