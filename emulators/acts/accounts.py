"""A client from the invitation to the portal, and what an attacker meets on the way."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg

from emulators.acts import Stage, expect
from emulators.acts.browser import CODE, Browser
from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, PASSWORD

NEW_PASSWORD = "Lantern-Quay-2026!"
_STATUSES = {
    "website_access_status": "provided",
    "ga4_access_status": "will_provide",
    "google_ads_access_status": "not_sure",
    "meta_access_status": "provided_access",
    "website_forms_details_status": "need_help",
}


async def onboarding(cloud: LocalCloud, stage: Stage) -> None:
    """Invite → wizard → activation → sign-in from a new device → portal → sign-out."""
    email = f"client-{uuid4().hex[:8]}@client.test"
    async with Browser(cloud, "X11; Linux; admin") as admin, Browser(cloud, "Macintosh; client") as client:
        async with stage.step("a superadmin signs in from a device nobody knows") as notes:
            notes.append(await admin.sign_in("admin@anchor.test", PASSWORD))
        async with stage.step("invites a client; the mail's link opens the wizard"):
            body = {"email": email, "name": "Casey Client", "client_type": "medical"}
            made = await admin.send("POST", "/api/hub/clients", json=body, expected=201)
            token = await client.mailed(email, r"/onboarding/([0-9a-f-]{36})")
            state = await client.send("GET", f"/api/onboarding/{token}")
            expect(state["user"]["has_password"] is False, "the invited client already has a password")
        async with stage.step("the client saves a draft and a step, and comes back later"):
            draft = {"activeStep": 1, "form": {"display_name": "Casey Client"}}
            await client.send("POST", f"/api/onboarding/{token}/draft", json={"draft": draft})
            step = {"step": "ga4", "data": {"ga4_access_status": "will_provide"}}
            await client.send("POST", f"/api/onboarding/{token}/step", json=step)
            state = await client.send("GET", f"/api/onboarding/{token}")
            expect(state["profile"]["onboarding_draft_json"] == draft, "the draft did not come back")
        async with stage.step("sets a password: active, signed in, and the link is spent"):
            form = {"display_name": "Casey Client", "password": NEW_PASSWORD}
            client.token = (await client.send("POST", f"/api/onboarding/{token}/activate", json=form))["accessToken"]
            client_token, client.token = client.token, ""
            await client.send("GET", f"/api/onboarding/{token}", expected=404)
            client.token = client_token
        async with stage.step("completes the wizard; staff and client are told") as notes:
            answers = {"display_name": "Casey Client", **_STATUSES, "brand": {"business_name": "Casey Dental"}}
            await client.send("POST", "/api/onboarding/me/complete", json=answers)
            notes.append(await client.mailed(email, r"Your onboarding is complete"))
        async with stage.step("staff activate the account; the client signs out, and in from a new device") as notes:
            await admin.send("POST", f"/api/hub/clients/{made['client']['id']}/activate")
            await client.send("POST", "/api/auth/logout", expected=204)
            async with Browser(cloud, "iPhone; client") as phone:
                notes.append(await phone.sign_in(email, NEW_PASSWORD, trust=True))
                me = await phone.send("GET", "/api/auth/me")
                expect(me["user"]["onboarding_completed_at"] is not None, "the portal would send them back")
                profile = await phone.send("GET", "/api/hub/profile")
                expect("profile" in profile or "user" in profile or "id" in profile, "the portal shows no profile")
                await phone.send("POST", "/api/auth/logout", expected=204)
                await phone.send("GET", "/api/auth/me", expected=401)


async def attacks(cloud: LocalCloud, stage: Stage) -> None:
    """A stolen refresh token, guessed codes, somebody else's client, a webhook without proof."""
    victim = CLIENTS["bakery"]
    async with Browser(cloud, "X11; victim") as browser, Browser(cloud, "X11; thief") as thief:
        await browser.sign_in(victim.email, PASSWORD)
        async with stage.step("a stolen refresh token is replayed: the whole family is revoked"):
            stolen = browser.http.cookies["refresh_token"]
            await browser.send("POST", "/api/auth/refresh")
            await _let_the_grace_pass(cloud)
            thief.http.cookies.set("refresh_token", stolen)
            answer = await thief.send("POST", "/api/auth/refresh", expected=401)
            expect(answer["error"] == "session_revoked", f"the replay was answered {answer}")
            await browser.send("POST", "/api/auth/refresh", expected=401)
        async with stage.step("a one-time code is guessed: blocked after five tries") as notes:
            form = {"email": "team@anchor.test", "password": PASSWORD}
            asked = await thief.send("POST", "/api/auth/login", json=form)
            right = await thief.mailed("team@anchor.test", CODE)
            wrong = [f"{guess:06d}" for guess in range(6) if f"{guess:06d}" != right][:5]
            codes = []
            for code in (*wrong, right):
                guessed = {"challengeId": asked["challengeId"], "code": code}
                answer = await thief.http.post("/api/auth/verify-mfa", json=guessed)
                codes.append(answer.json().get("code", "signed in"))
            expect("signed in" not in codes, f"after five wrong codes the right one still worked: {codes}")
            notes.append(f"then even the right one is refused: {codes[-1]}")
        async with stage.step("a client asks for another client: there is no such thing, or it is not allowed"):
            await browser.sign_in(victim.email, PASSWORD)
            other: UUID = CLIENTS["dental"].id
            answer = await browser.http.get(
                "/api/hub/profile",
                headers={"Authorization": f"Bearer {browser.token}", "x-acting-user": str(other)},
            )
            expect(answer.status_code in (403, 404), f"acting for another client got {answer.status_code}")
            await browser.send("GET", f"/api/hub/clients/{other}", expected=403)
            async with Browser(cloud, "X11; team") as admin:
                await admin.sign_in("admin@anchor.test", PASSWORD)
                await admin.send("GET", f"/api/hub/clients/{uuid4()}", expected=404)


async def _let_the_grace_pass(cloud: LocalCloud) -> None:
    """Half a minute in which a used token still answers, for two tabs that load at once, goes by."""
    connection = await asyncpg.connect(cloud.database_url)
    try:
        await connection.execute("update retired_refresh_tokens set retired_at = retired_at - interval '31 s'")
    finally:
        await connection.close()
