"""A lead is won step by step, agrees to a service in two tabs at once, and is an active client, once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from emulators.acts import Dashboard, Stage, expect
from emulators.acts.leads import CLIENT, signed_in
from emulators.cloud import LocalCloud


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """A journey from its start to an active client, into the archive and back."""
    database = await asyncpg.connect(cloud.database_url)
    try:
        await _play(stage, _Hub(cloud.http, await signed_in(cloud, database), "/api/hub"))
    finally:
        await database.close()


class _Hub(Dashboard):
    """The client's dashboard."""

    async def lead(self, call_id: str) -> dict[str, Any]:
        lead: dict[str, Any] = (await self.ask("GET", f"/calls/{call_id}/detail"))["lead"]
        return lead


async def _play(stage: Stage, hub: _Hub) -> None:
    calls = (await hub.ask("GET", "/calls?caller_type=new&limit=100"))["calls"]
    lead = next(call["id"] for call in calls if call["journeyId"] is None and call["from_number"])
    async with stage.step(f"a lead of {CLIENT.business} begins its journey") as notes:
        journey = (await hub.ask("POST", "/journeys", json={"lead_call_id": lead, "symptoms": ["Leak"]}))["journey"]
        dated = [step for step in journey["steps"] if step["due_at"]]
        expect(journey["next_action_at"] == dated[0]["due_at"], "the next action is not the first dated step")
        notes.append(f"{len(journey['steps'])} steps, the next on {journey['next_action_at'][:10]}")
    path = f"/journeys/{journey['id']}"
    async with stage.step("a step is done, and the next action moves on") as notes:
        done = await hub.ask("PUT", f"{path}/steps/{dated[0]['id']}/complete")
        expect(done["journey"]["next_action_at"] == dated[1]["due_at"], "the next action did not move")
        notes.append(done["journey"]["next_action_at"][:10])
    async with stage.step("they agree to a service, in five tabs at once: one client, one sale"):
        name = f"Roof repair {time.time_ns()}"
        service = (await hub.ask("POST", "/services", json={"name": name, "base_price": "250"}))["service"]
        body = {"services": [{"service_id": service["id"], "agreed_price": "225.50"}], "source": "Referral"}
        agree = f"/clients/{lead}/agree-to-service"
        made = await asyncio.gather(*(hub.ask("POST", agree, json=body) for _ in range(5)))
        client_id = made[0]["active_client_id"]
        expect(all(one["active_client_id"] == client_id for one in made), "there are several clients")
        active = (await hub.ask("GET", "/active-clients"))["active_clients"]
        mine = next(one for one in active if one["id"] == client_id)
        expect([one["service_name"] for one in mine["services"]] == [name], f"sold: {mine['services']}")
        expect(mine["journey_status"] == "active_client", "the journey has not reached its end")
        expect((await hub.lead(lead))["caller_type"] == "active_client", "the lead is not an active client's")
    async with stage.step("the archive takes the journey along; both come back"):
        await hub.ask("POST", f"/active-clients/{client_id}/archive")
        expect((await hub.lead(lead))["caller_type"] == "returning_customer", "the caller does not return")
        await hub.ask("POST", f"/active-clients/{client_id}/unarchive")
        back = (await hub.ask("GET", path))["journey"]
        expect((back["status"], back["archived_at"]) == ("active_client", None), "the journey did not come back")
