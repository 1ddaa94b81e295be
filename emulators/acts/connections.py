"""An admin connects a client's accounts at the vendors, chooses from them, and ends one; its consent ends there too."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from emulators.acts import Stage, expect, until
from emulators.acts.browser import Browser
from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, PASSWORD, DemoClient
from emulators.vendors.oauth import OAuthVendor

CLIENT = CLIENTS["dental"]
VENDORS = ("google", "facebook", "tiktok", "wordpress")
BUSINESS = "https://www.googleapis.com/auth/business.manage"


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """Four consents by browser, a Google location chosen, and Google's consent withdrawn."""
    async with Browser(cloud, "Connections") as admin:
        await admin.sign_in("lead@anchor.test", PASSWORD)
        async with stage.step("An admin connects a client's accounts at four vendors") as notes:
            for provider in VENDORS:
                await connect(cloud, admin, provider, CLIENT)
            connections = await _connections(admin)
            expect(all(one["is_connected"] for one in connections), "a connection is not connected")
            notes.append(f"{len(connections)} consents, and no answer shows a token")
        google = next(one for one in connections if one["provider"] == "google")
        path = f"/api/hub/oauth-connections/{google['id']}"
        async with stage.step("and chooses a location of the client's at Google") as notes:
            notes.append(await choose_location(cloud, admin, path, CLIENT, account="7001", number="7002"))
        async with stage.step("Disconnecting withdraws the consent at Google"):
            await admin.send("POST", f"{path}/revoke")
            await until("Google to have the consent taken back", lambda: _withdrawn(cloud), within_s=30)


async def _withdrawn(cloud: LocalCloud) -> bool:
    """Whether Google has no living consent for Business Profile any more."""
    tokens = _vendor(cloud, "google")._access.values()
    return all(token.grant.withdrawn for token in tokens if BUSINESS in token.grant.scope)


async def connect(cloud: LocalCloud, admin: Browser, provider: str, client: DemoClient, *, person: int = 0) -> None:
    """To the consent page, Allow, and back in the same browser. *person*: who consents, of the vendor's people."""
    started = await admin.send("POST", f"/api/hub/oauth/{provider}/connect", json={"clientId": str(client.id)})
    who = _vendor(cloud, provider).people[person]
    async with httpx.AsyncClient(trust_env=False) as vendors_page:
        allowed = await vendors_page.post(started["authUrl"], data={"person": who.id, "decision": "allow"})
    back = urlsplit(allowed.headers["location"])
    finished = await admin.http.get(f"{back.path}?{back.query}")
    where = finished.headers.get("location", "")
    expect("oauth=success" in where, f"{provider} was not connected: {finished.status_code} {where}")


async def _connections(admin: Browser) -> list[dict[str, Any]]:
    answer = await admin.send("GET", f"/api/hub/clients/{CLIENT.id}/oauth-connections")
    found: list[dict[str, Any]] = answer["connections"]
    expect({one["provider"] for one in found} == set(VENDORS), "a vendor is missing")
    return found


async def choose_location(
    cloud: LocalCloud, admin: Browser, path: str, client: DemoClient, *, account: str, number: str
) -> str:
    """Choose a location of an account, which is at Google since a moment ago; its name."""
    place = {"account": account, "account_name": client.business, "location": number, "title": client.business}
    added = await cloud.control.post("/google/locations", json=place)
    expect(added.is_success, f"a location could not be added: {added.text}")
    accounts = (await admin.send("GET", f"{path}/google-accounts"))["accounts"]
    expect(f"accounts/{account}" in {one["name"] for one in accounts}, "the account is not listed")
    locations = (await admin.send("GET", f"{path}/google-locations?accountName=accounts/{account}"))["locations"]
    title = next(str(one["title"]) for one in locations if one["name"] == f"locations/{number}")
    resources = (await admin.send("GET", f"{path}/resources"))["resources"]
    if number not in {one["resource_id"] for one in resources}:  # an earlier demo on this data chose it
        chosen = {"resource_type": "google_location", "resource_id": number, "resource_name": title}
        await admin.send("POST", f"{path}/resources", json={**chosen, "is_primary": True})
    return title


def _vendor(cloud: LocalCloud, name: str) -> OAuthVendor:
    vendor = cloud.parts.named(name)
    assert isinstance(vendor, OAuthVendor)
    return vendor
