"""The main job: visitors' forms become classified, recorded, mailed and tracked leads, through an outage, once each."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from emulators.acts import Dashboard, Stage, expect, until
from emulators.acts.leads import signed_in
from emulators.cloud import LocalCloud
from emulators.demo_data import FORMS, TEAM, demo_id, form_id
from emulators.vertex_answers import png

_SAYS = (
    "I would like to book an appointment for next week.",
    "How much does it cost? I am interested.",
    "Please call me back about my question.",
    "We sell SEO services and can put you on page one of every search.",
    "I am looking for a job, my resume is attached.",
)
COUNT = 22
OUTAGE_FROM = 10  # this many are sent before Mailgun goes down


def _answers(number: int, form: str) -> dict[str, Any]:
    answers = {"name": f"Visitor {number}", "phone": f"+1555555{number:04d}", "email": f"visitor{number}@mail.test"}
    if form == "intake":
        return {**answers, "dob": "1990-01-31", "health_history": f"private history {number}"}
    return {**answers, "message": _SAYS[number % len(_SAYS)], **({"occasion": "Birthday"} if form == "quote" else {})}


class Visitors:
    """Submits as visitors do, each from an address of its own."""

    def __init__(self, cloud: LocalCloud):
        self._cloud = cloud
        self.accepted: dict[UUID, str] = {}  # submission → form

    async def submit(self, number: int, form: str, *, key: str | None = None) -> UUID:
        answer = await self._cloud.http.post(
            f"/embed/{form_id(form)}/submit",
            json={"payload": _answers(number, form), "idempotency_key": key or uuid4().hex},
        )
        if answer.status_code == 429:  # one machine plays all the visitors
            await asyncio.sleep(int(answer.headers["retry-after"]))
            return await self.submit(number, form, key=key)
        expect(answer.status_code == 201, f"submission {number} got {answer.status_code}: {answer.text}")
        submission_id = UUID(answer.json()["submission_id"])
        self.accepted[submission_id] = form
        return submission_id


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """Twenty-two submissions of three forms, one sent twice, Mailgun down half-way, and what its webhooks say."""
    database = await asyncpg.connect(cloud.database_url)
    try:
        await _play(cloud, stage, database)
    finally:
        await database.close()


async def _play(cloud: LocalCloud, stage: Stage, database: asyncpg.Connection) -> None:
    visitors = Visitors(cloud)
    forms = [list(FORMS)[number % 3] for number in range(COUNT)]
    mails_before = len((await cloud.control.get("/mail")).json()["mails"])

    async with stage.step("a visitor's page is served for another site") as notes:
        page = await cloud.http.get(f"/embed/form/{form_id('contact')}", headers={"Referer": "https://roofing.test/"})
        expect(page.status_code == 200, f"the page is not there: {page.status_code} {page.text[:200]}")
        expect("anchor-form-config" in page.text, "the page is no form")
        notes.append(f"{len(page.text) // 1024} kB, isolated by its sandbox")
    async with stage.step(f"{OUTAGE_FROM} submissions of three forms are accepted"):
        await asyncio.gather(*(visitors.submit(number, forms[number]) for number in range(OUTAGE_FROM)))
    async with stage.step("one of them is sent twice, and stays one") as notes:
        key = uuid4().hex
        twice = [await visitors.submit(OUTAGE_FROM, forms[OUTAGE_FROM], key=key) for _ in range(2)]
        expect(twice[0] == twice[1], "the duplicate made a second submission")
        notes.append(str(twice[0]))
    async with stage.step("Mailgun goes down; the rest is accepted all the same"):
        await cloud.control.put("/faults/mailgun", json={"status": 503})
        rest = range(OUTAGE_FROM + 1, COUNT)
        await asyncio.gather(*(visitors.submit(number, forms[number]) for number in rest))
    ids = list(visitors.accepted)
    async with stage.step("meanwhile AI and CTM go on without waiting for it"):
        await until("classifications", lambda: _all_done(database, ids, "classification"))
        await until("CTM records", lambda: _all_done(database, ids, "ctm_conversion"))
    async with stage.step("Mailgun is back: every mail goes out, once") as notes:
        await cloud.control.delete("/faults/mailgun")
        await until("every step of every submission", lambda: _all_done(database, ids), within_s=150)
        mails = (await cloud.control.get("/mail")).json()["mails"][: -mails_before or None]
        wanted = sum(len(FORMS[form]["recipients"]) for form in visitors.accepted.values())
        expect(len(mails) == wanted, f"{len(mails)} mails for {wanted} recipients")
        notes.append(f"{len(mails)} mails for {len(ids)} submissions")
    async with stage.step("health answers are in no mail, no prompt and no clear column"):
        await _check_privacy(cloud, database, mails)
    async with stage.step("Mailgun's webhooks arrive: delivered, opened twice, bounced") as notes:
        notes.append(await _track(cloud, database, mails))
    async with stage.step("a picture comes along, is kept encrypted, and staff save it as it was") as notes:
        notes.append(await _send_picture(cloud, database))
    await _say_categories(database, ids)


async def _all_done(database: asyncpg.Connection, ids: list[UUID], kind: str | None = None) -> bool:
    return not await database.fetchval(
        """
        select count(*) from form_submission_jobs
        where submission_id = any($1) and ($2::text is null or job_type = $2) and status <> 'completed'
        """,
        ids,
        kind,
    )


async def _check_privacy(cloud: LocalCloud, database: asyncpg.Connection, mails: list[Any]) -> None:
    prompts = (await cloud.control.get("/vertex")).text
    expect("private history" not in prompts, "a health answer reached the AI")
    expect(all("private history" not in str(mail) for mail in mails), "a health answer was mailed")
    clear = await database.fetchval(
        "select count(*) from form_submissions where submission_kind = 'intake' and non_phi_payload is not null"
    )
    expect(clear == 0, "a health answer is stored in clear")


async def _track(cloud: LocalCloud, database: asyncpg.Connection, mails: list[Any]) -> str:
    opened, bounced = mails[0], mails[1]
    for mail, events in ((opened, ("opened", "opened")), (bounced, ("failed",))):
        for event in events:
            body = {"event": event, **({"severity": "permanent"} if event == "failed" else {})}
            answer = await cloud.control.post(f"/mail/{mail['id']}/events", json=body)
            expect(answer.is_success, f"the webhook could not be sent: {answer.text}")

    first, second = (f"<{mail['id'].strip('<>')}>" for mail in (opened, bounced))

    async def tracked() -> bool:
        rows = await database.fetch(
            "select mailgun_id, status, open_count from email_logs where mailgun_id = any($1)",
            [first, second],
        )
        states = {row["mailgun_id"]: (row["status"], row["open_count"]) for row in rows}
        return bool(states.get(first, ("", 0))[1] == 2 and states.get(second, ("", 0))[0] == "bounced")

    await until("the mails' tracking", tracked, within_s=60)
    return "2 opens counted, the bounce outweighs its delivery"


async def _send_picture(cloud: LocalCloud, database: asyncpg.Connection) -> str:
    form, picture = form_id("quote"), png("a wedding cake of three floors")
    page = (await cloud.http.get(f"/embed/form/{form}")).text
    facts = json.loads(page.partition('id="anchor-form-config">')[2].partition("</script>")[0])
    answer = await cloud.http.post(
        f"/embed/{form}/files",
        data={"page_token": facts["page_token"], "field": "picture"},
        files={"file": ("cake.png", picture, "image/png")},
    )
    expect(answer.status_code == 201, f"the picture was not taken: {answer.text}")
    answers = {**_answers(COUNT, "quote"), "picture": [answer.json()["file_id"]]}
    sent = await cloud.http.post(f"/embed/{form}/submit", json={"payload": answers})
    expect(sent.status_code == 201, f"the picture's submission got {sent.status_code}: {sent.text}")
    team = Dashboard(cloud.http, await signed_in(cloud, database, demo_id(f"user {TEAM}")), f"/api/forms/{form}")
    [file] = (await team.ask("GET", f"/submissions/{sent.json()['submission_id']}"))["submission"]["files"]
    expect((await team.fetch(file["url"])).content == picture, "the picture is not what was sent")
    expect((await cloud.http.get(file["url"])).status_code == 401, "a stranger got the picture")
    return f"{file['name']}, {file['size']:,} bytes"


async def _say_categories(database: asyncpg.Connection, ids: list[UUID]) -> None:
    rows = await database.fetch(
        """
        select coalesce(classification, 'not classified (health data)') as category, count(*) as n
        from form_submissions where id = any($1) group by 1 order by 2 desc, 1
        """,
        ids,
    )
    print("      " + ", ".join(f"{row['category']} {row['n']}" for row in rows), flush=True)
