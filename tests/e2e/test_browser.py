"""What a visitor sees: a form on somebody else's page, in a real browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from playwright.async_api import Browser, Page, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from emulators.acts.leads import signed_in
from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, TEAM, demo_id, form_id
from emulators.serving import AsgiServer
from emulators.vertex_answers import png

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [pytest.mark.e2e, pytest.mark.browser]

# What the dashboard's copy button puts on the clipboard.
SNIPPET = """<!doctype html><title>A client's site</title><h1>Welcome</h1>
<script src="{app}/embed/script/embed.js"></script>
<div id="anchor-form-{form}"></div>
<script>AnchorForms.embed('{form}', 'anchor-form-{form}');</script>"""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        yield started
        await started.close()


@pytest.fixture(scope="session")
async def site(cloud: LocalCloud) -> AsyncIterator[str]:
    """A server of other people's pages: ``http://{host}:{port}/{form id}`` is a page with that form's snippet."""

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(SNIPPET.format(app=cloud.base_url, form=request.path_params["form"]))

    server = AsgiServer(Starlette(routes=[Route("/{form}", page)]))
    await server.start()
    yield f":{server.port}"
    await server.stop()


async def restricted_form(database: asyncpg.Connection, allowed: str) -> UUID:
    """A published form that only *allowed* may show; its page is HTML of its author's."""
    form, version = uuid4(), uuid4()
    code = (
        '<form data-anchor-form><label>Name <input name="name"></label>'
        '<label>Phone <input name="phone"></label><label>Message <textarea name="message"></textarea></label>'
        '<label><input type="checkbox" name="services[]" value="roof">Roof</label>'
        '<label><input type="checkbox" name="services[]" value="gutter">Gutter</label>'
        '<div style="height: 900px"></div><button>Send</button></form>'
    )
    settings = {"domain_allowlist": [allowed], "custom_thank_you_message": "Thanks, <b>we</b> call you."}
    await database.execute(
        """insert into forms (id, name, form_type, status, settings_json, embed_token, client_id)
           values ($1, 'Restricted', 'conversion', 'published', $2, $3, $4)""",
        form, json.dumps(settings), form.hex * 2, CLIENTS["roofing"].id,
    )  # fmt: skip
    await database.execute(
        """insert into form_versions (id, form_id, version_number, react_code, schema_json, published_at)
           values ($1, $2, 1, $3, '{"fields": [], "runtime_mode": "html"}', now())""",
        version, form, code,
    )  # fmt: skip
    await database.execute("update forms set published_version_id = $2 where id = $1", form, version)
    return form


async def framed(browser: Browser, url: str) -> tuple[Page, list[str]]:
    """A page in a window of its own, and what its console complains of."""
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url)
    return page, complaints


async def test_a_visitor_fills_a_form_on_another_site_and_is_thanked(
    cloud: LocalCloud, browser: Browser, site: str, database: asyncpg.Connection
) -> None:
    """The copied snippet on another origin shows the form, the frame grows to it, and the visitor sees the thanks."""
    form = await restricted_form(database, "shop.localhost")
    page, complaints = await framed(browser, f"http://shop.localhost{site}/{form}?utm_source=flyer")
    frame = page.frame_locator("iframe")

    await frame.get_by_label("Name").fill("Robin Roe")
    await frame.get_by_label("Phone").fill("+15555550199")
    await frame.get_by_label("Message").fill("Can I book an inspection for Monday?")
    await frame.get_by_label("Roof").check()
    await frame.get_by_label("Gutter").check()
    height = await page.locator("iframe").evaluate("frame => frame.offsetHeight")
    await page.wait_for_timeout(2000)  # nobody is faster, says the form
    await frame.get_by_role("button", name="Send").click()
    await frame.get_by_text("Thanks, <b>we</b> call you.").wait_for()

    assert height > 900
    assert complaints == []
    row = await database.fetchrow("select * from form_submissions where form_id = $1", form)
    assert row["embed_domain"] == "shop.localhost"
    assert json.loads(row["non_phi_payload"])["services[]"] == ["roof", "gutter"]
    assert json.loads(row["attribution_json"])["utms"]["utm_source"] == "flyer"
    await page.close()


async def test_a_site_that_is_not_allowed_is_told_so(
    cloud: LocalCloud, browser: Browser, site: str, database: asyncpg.Connection
) -> None:
    """On a site that is not on the list the frame holds a readable refusal instead of the form."""
    form = await restricted_form(database, "shop.localhost")
    page, _ = await framed(browser, f"http://shop.localhost.evil.localhost{site}/{form}")

    await page.frame_locator("iframe").get_by_text("This form may not be used on this site.").wait_for()

    await page.close()


async def test_a_form_drawn_from_its_fields_says_what_is_wrong_beside_them(
    cloud: LocalCloud, browser: Browser, site: str
) -> None:
    """A form without HTML of its own is drawn from its fields; a wrong answer is told at its field."""
    page, complaints = await framed(browser, f"http://roofing.localhost{site}/{form_id('contact')}")
    frame = page.frame_locator("iframe")

    await frame.get_by_label("Your name").fill("Robin Roe")
    await frame.get_by_label("Phone").fill("call me maybe")
    await frame.get_by_label("How can we help?").fill("A leak.")
    await page.wait_for_timeout(2000)
    await frame.locator("button[type=submit]").click()
    await frame.get_by_text("phone number").first.wait_for()
    await frame.get_by_label("Phone").fill("+1 555 555 0144")
    await frame.locator("button[type=submit]").click()
    await frame.get_by_text("Thank you. Summit Roofing will be in touch.").wait_for()

    assert complaints == []
    await page.close()


async def test_a_picture_is_sent_and_saved(
    cloud: LocalCloud, browser: Browser, site: str, database: asyncpg.Connection
) -> None:
    """A visitor on another site sends a file along; staff find it among the answers and get it as it was."""
    page, complaints = await framed(browser, f"http://bakery.localhost{site}/{form_id('quote')}")
    frame = page.frame_locator("iframe")
    picture = png("a cake")

    await frame.get_by_label("Your name").fill("Robin Roe")
    await frame.get_by_label("Phone").fill("+1 555 555 0145")
    await frame.get_by_label("Occasion").select_option("Birthday")
    await frame.get_by_label("A picture of it").set_input_files(
        {"name": "My cake.png", "mimeType": "image/png", "buffer": picture}
    )
    await page.wait_for_timeout(2000)
    await frame.locator("button[type=submit]").click()
    await frame.locator(".ac-thanks").wait_for()

    assert complaints == []
    await page.close()
    row = await database.fetchrow(
        "select id from form_submissions where form_id = $1 and non_phi_payload ? 'picture'", form_id("quote")
    )
    team = {"Authorization": f"Bearer {await signed_in(cloud, database, demo_id(f'user {TEAM}'))}"}
    shown = await cloud.http.get(f"/api/forms/{form_id('quote')}/submissions/{row['id']}", headers=team)
    [file] = shown.json()["submission"]["files"]
    assert shown.json()["submission"]["payload"]["picture"] == f"My cake.png ({cloud.base_url}{file['url']})"
    saved = await cloud.http.get(file["url"], headers=team)
    assert (saved.content, saved.headers["content-type"]) == (picture, "image/png")
    assert (await cloud.http.get(file["url"])).status_code == 401


async def test_the_console_is_a_page_people_can_use(cloud: LocalCloud, browser: Browser) -> None:
    """The console opens without an error; every one of its parts shows what it should."""
    page, complaints = await framed(browser, f"{cloud.base_url}/_emulators/")

    for part, shows in (
        ("Functions", "forms_submit"),
        ("Mail", "Mail"),
        ("Queues", "emails"),
        ("Events", "emails_track"),
        ("Schedules", "jobs_sweep_outbox"),
        ("Vendors", "Monday"),
        ("Vertex AI", "Vertex AI"),
        ("Faults", "Faults"),
        ("Dead work", "Dead work"),
    ):
        await page.locator("nav").get_by_text(part, exact=True).click()
        await page.locator("main").get_by_text(shows).first.wait_for()

    assert complaints == []
    await page.close()
