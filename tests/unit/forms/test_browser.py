"""The forms in a real browser: a client's site that frames them, and an app that serves them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from playwright.async_api import Browser, Frame, Page, async_playwright
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from shared.areas.forms import drawing, pages, rules
from shared.areas.forms.models import Attribution, FormSchema, FormSettings, Theme

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.browser

HTML, FIELDS = UUID(int=1), UUID(int=2)
KEY = b"k" * 32
FILE_ID = str(UUID(int=77))
TEXT: Any = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"Some words"}
AUTHORS_HTML = """
<form data-anchor-form action="https://evil.test/">
  <label>Name <input name="name"></label>
  <label><input type="checkbox" name="services[]" value="a"> A</label>
  <label><input type="checkbox" name="services[]" value="b"> B</label>
  <label><input type="checkbox" name="services[]" value="c"> C</label>
  <label><input type="checkbox" name="agree"> I agree</label>
  <label>File <input type="file" name="photo"></label>
  <button>Send</button>
</form>
"""
AUTHORS_CODE = """
window.fromAuthor = AnchorFormsRuntime.formId;
AnchorFormsRuntime.onReady(function () { document.body.dataset.ready = "yes"; });
throw new Error("an author's mistake");
"""
SCHEMA = FormSchema.read(
    {
        "fields": [
            {"name": "name", "label": "Name", "required": True},
            {"name": "contact", "type": "radio", "label": "Contact by", "options": ["Phone", "Mail"], "required": True},
            {"name": "phone", "type": "phone", "label": "Phone", "required": True,
             "show_if": {"field": "contact", "operator": "equals", "value": "Phone"}},
            {"name": "services", "type": "checkbox", "label": "Services", "options": ["A", "B"], "required": True},
            {"name": "about", "type": "textarea", "label": "About", "help": "Anything."},
            {"name": "terms", "type": "checkbox", "label": "I agree", "required": True},
        ],
        "steps": [{"title": "You", "fields": ["name", "contact", "phone"]}, {"title": "More", "fields": ["services"]}],
    }
)  # fmt: skip


@dataclass
class App:
    """Serves two published forms as the functions do, and keeps what is submitted."""

    base: str = ""
    submitted: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    referers: list[str | None] = field(default_factory=list)
    settings: FormSettings = field(default_factory=FormSettings)
    wrong: list[dict[str, str]] = field(default_factory=list)
    starts: list[dict[str, Any]] = field(default_factory=list)
    code: str = AUTHORS_HTML
    schema: FormSchema = field(default_factory=FormSchema)
    drawn: FormSchema = field(default_factory=lambda: SCHEMA)
    files: list[dict[str, Any]] = field(default_factory=list)
    refused: str = ""  # why no file is taken
    preview: bool = False

    def routes(self) -> list[Route]:
        return [
            Route("/embed/script/embed.js", self.embed_script),
            Route("/embed/script/runtime.js", self.fields_runtime),
            Route("/embed/form/{form_id:uuid}", self.page),
            Route("/embed/form/{form_id:uuid}/runtime.js", self.form_runtime),
            Route("/embed/{form_id:uuid}/files", self.take_file, methods=["POST"]),
            Route("/embed/{form_id:uuid}/start", self.start, methods=["POST"]),
            Route("/embed/{form_id:uuid}/submit", self.submit, methods=["POST", "OPTIONS"]),
        ]

    async def embed_script(self, request: Request) -> Response:
        return Response(pages.embed_script(self.base), headers=pages.script_headers())

    async def fields_runtime(self, request: Request) -> Response:
        return Response(pages.fields_runtime(), headers=pages.script_headers())

    async def form_runtime(self, request: Request) -> Response:
        return Response(pages.form_runtime(AUTHORS_CODE), headers=pages.script_headers())

    async def page(self, request: Request) -> Response:
        form_id = request.path_params["form_id"]
        attribution = Attribution.read(json.loads(request.query_params.get("attribution", "{}")))
        self.referers.append(request.headers.get("referer"))
        origin = rules.parent_origin(request.headers.get("referer"), attribution)
        view = pages.PageView(
            app_base_url=self.base,
            form_id=form_id,
            version_id=UUID(int=9),
            form_name="Contact",
            mode="html" if form_id == HTML else "react",
            code=self.code,
            css=None,
            schema=self.schema if form_id == HTML else self.drawn,
            attribution=attribution,
            page_token=rules.sign_page(rules.Page(form_id, UUID(int=9), origin, datetime.now(UTC)), KEY),
            parent_origin=origin,
            nonce="n0nce",
            theme=Theme.read(json.loads(request.query_params.get("theme", "{}"))),
            preview=self.preview,
        )
        return HTMLResponse(
            pages.render_page(view), headers=pages.page_headers(self.settings, nonce="n0nce", app_base_url=self.base)
        )

    async def start(self, request: Request) -> Response:
        self.starts.append(await request.json())
        return Response(status_code=204)

    async def take_file(self, request: Request) -> Response:
        async with request.form() as form:
            file = form["file"]
            assert isinstance(file, UploadFile)
            told = {name: form[name] for name in ("page_token", "field")}
            self.files.append({**told, "name": file.filename, "data": await file.read()})
        cors = {"Access-Control-Allow-Origin": "*"}
        if self.refused:
            errors = [{"field": told["field"], "message": self.refused}]
            return JSONResponse({"message": "Wrong.", "errors": errors}, 400, headers=cors)
        return JSONResponse({"success": True, "file_id": FILE_ID, "name": "x", "size": 1}, 201, headers=cors)

    async def submit(self, request: Request) -> Response:
        cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "content-type"}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=cors)
        self.submitted.append(await request.json())
        self.headers.append(dict(request.headers))
        await asyncio.sleep(0.05)
        if self.wrong:
            return JSONResponse(
                {"message": "Wrong.", "code": "VALIDATION_ERROR", "errors": self.wrong}, 400, headers=cors
            )
        return JSONResponse(
            {"success": True, "submission_id": "x", "message": "<b>Thanks</b> & bye"}, 201, headers=cors
        )


def site(app: App, form_id: UUID) -> Starlette:
    """A client's page with the copied snippet and a policy that hides its address."""

    async def page(request: Request) -> Response:
        return HTMLResponse(
            f"""<!doctype html><h1>Client</h1><div id="place"></div>
            <script src="{app.base}/embed/script/embed.js"></script>
            <script>AnchorForms.embed('{form_id}', 'place', {{theme: {{colors: {{primary: '#123456'}}}}}});
                    AnchorForms.embed('{form_id}', 'nowhere');</script>""",
            headers={"Referrer-Policy": "no-referrer"},
        )

    return Starlette(routes=[Route("/", page), Route("/contact", page)])


@asynccontextmanager
async def served(asgi: Starlette) -> AsyncIterator[int]:
    """*asgi* on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(asgi, port=0, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        await started.close()


@dataclass
class Visit:
    """A visitor on the client's site: the page, the form's frame in it, and the app behind."""

    app: App
    site: str
    page: Page
    frame: Frame
    said: list[str]


@asynccontextmanager
async def visit(browser: Browser, form_id: UUID, query: str = "", app: App | None = None) -> AsyncIterator[Visit]:
    app = app or App()
    async with served(Starlette(routes=app.routes())) as app_port:
        app.base = f"http://localhost:{app_port}"
        async with served(site(app, form_id)) as site_port:
            client = f"http://127.0.0.1:{site_port}"
            context = await browser.new_context()
            await context.add_cookies([{"name": "session", "value": "staff", "url": app.base}])
            page = await context.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            await page.goto(f"{client}/contact{query}")
            element = await page.wait_for_selector("iframe")
            frame = await element.content_frame() if element else None
            assert frame is not None
            yield Visit(app, client, page, frame, said)
            await context.close()


async def test_an_authors_form_is_sent(browser: Browser) -> None:
    """From an opaque origin without cookies, with groups as lists, and thanks as text; told where the visitor is."""
    query = "?utm_source=google&gclid=1%&q=%22%E4"  # a bare per cent sign, a quote, half a character
    async with visit(browser, HTML, query) as seen:
        await seen.frame.wait_for_selector("body[data-ready=yes]")
        assert await seen.frame.evaluate("window.origin") == "null"
        assert await seen.frame.evaluate("window.fromAuthor") == str(HTML)
        with pytest.raises(Exception, match="sandboxed"):
            await seen.frame.evaluate("document.cookie")
        await seen.frame.fill("input[name=name]", "Ada")
        await seen.frame.check("input[value=a]")
        await seen.frame.check("input[value=c]")
        await seen.frame.evaluate("() => { const f = document.forms[0]; f.requestSubmit(); f.requestSubmit(); }")
        thanks = await seen.frame.wait_for_selector(".ac-thanks")
        assert thanks and await thanks.text_content() == "<b>Thanks</b> & bye"
        (body,) = seen.app.submitted
        assert body["payload"] == {"name": "Ada", "services[]": ["a", "c"], "agree": False, rules.HONEYPOT: ""}
        assert seen.app.headers[0]["origin"] == "null" and "cookie" not in seen.app.headers[0]
        assert body["attribution"]["utms"]["utm_source"] == "google" and body["attribution"]["gclid"].startswith("1")
        assert body["attribution"]["landing_page"].startswith(f"{seen.site}/contact?")
        page = rules.read_page(body["page_token"], KEY, form_id=HTML, now=datetime.now(UTC))
        assert page.origin == seen.site and seen.app.referers == [f"{seen.site}/"]
        assert len(body["idempotency_key"]) == 32
        assert any("nowhere" in text for text in seen.said)


async def test_wrong_answers_are_marked_and_can_be_sent_again(browser: Browser) -> None:
    """Beside their field, as text, with the same idempotency key until the answers are taken."""
    app = App(wrong=[{"field": "name", "message": "<i>Who?</i>"}, {"field": "elsewhere", "message": "x"}])
    async with visit(browser, HTML, app=app) as seen:
        await seen.frame.click("button")
        error = await seen.frame.wait_for_selector(".ac-error")
        assert error and await error.text_content() == "<i>Who?</i>"
        assert await seen.frame.get_attribute("input[name=name]", "aria-invalid") == "true"
        app.wrong = []
        await seen.frame.click("button")
        await seen.frame.wait_for_selector(".ac-thanks")
        first, second = app.submitted
        assert first["idempotency_key"] == second["idempotency_key"]


async def test_a_file_is_sent_before_the_answers_and_once(browser: Browser) -> None:
    """Its id stands for it among them; answers that are sent again, being wrong at first, take the same file along."""
    async with visit(browser, HTML, app=App(wrong=[{"field": "name", "message": "Who?"}])) as seen:
        await seen.frame.set_input_files("input[name=photo]", TEXT)
        await seen.frame.click("button")
        await seen.frame.wait_for_selector(".ac-error")
        seen.app.wrong = []
        await seen.frame.click("button")
        await seen.frame.wait_for_selector(".ac-thanks")
        [file] = seen.app.files
        assert (file["field"], file["name"], file["data"]) == ("photo", "a.txt", b"Some words")
        rules.read_page(file["page_token"], KEY, form_id=HTML, now=datetime.now(UTC))
        assert [body["payload"]["photo"] for body in seen.app.submitted] == [[FILE_ID], [FILE_ID]]


async def test_a_refused_file_is_told_beside_its_question(browser: Browser) -> None:
    """Nothing else is sent, and the visitor can choose another one; one that is too large is not even tried."""
    async with visit(browser, HTML, app=App(refused="takes files of the types pdf")) as seen:
        await seen.frame.set_input_files("input[name=photo]", TEXT)
        await seen.frame.click("button")
        error = await seen.frame.wait_for_selector(".ac-error")
        assert error and await error.text_content() == "takes files of the types pdf"
        await seen.frame.set_input_files("input[name=photo]", {**TEXT, "buffer": b"0" * (rules.MAX_FILE_BYTES + 1)})
        await seen.frame.click("button")
        await seen.frame.wait_for_selector("text=at most 10 MB")
        assert (len(seen.app.files), seen.app.submitted) == (1, [])


async def test_questions_of_fields_take_several_files(browser: Browser) -> None:
    """Those that are declared so, of the types they name; and others may wait for there being one."""
    schema = FormSchema.read(
        {
            "fields": [
                {"name": "plans", "type": "file", "multiple": True, "accept": ".txt,.pdf"},
                {"name": "about", "required": True, "show_if": {"field": "plans", "operator": "not_empty"}},
            ]
        }
    )
    async with visit(browser, FIELDS, app=App(drawn=schema)) as seen:
        await seen.frame.wait_for_selector("form.ac-form")
        assert await seen.frame.get_attribute("input[name=plans]", "accept") == ".txt,.pdf"
        assert not await seen.frame.is_visible("input[name=about]")
        await seen.frame.set_input_files("input[name=plans]", [TEXT, {**TEXT, "name": "b.txt"}])
        await seen.frame.fill("input[name=about]", "Two plans")
        await seen.frame.click("button:visible")
        await seen.frame.wait_for_selector(".ac-thanks")
        assert [file["name"] for file in seen.app.files] == ["a.txt", "b.txt"]
        assert seen.app.submitted[0]["payload"]["plans"] == [FILE_ID, FILE_ID]


async def test_the_frame_grows_with_its_form(browser: Browser) -> None:
    """In html mode too; only by a message of the frame itself."""
    async with visit(browser, HTML) as seen:
        await seen.frame.wait_for_selector("body[data-ready=yes]")
        await seen.frame.evaluate("document.body.style.minHeight = '1234px'")
        await seen.page.wait_for_function("parseInt(document.querySelector('iframe').style.height) >= 1234")
        await seen.page.evaluate(f"postMessage({{type: 'anchor-form-resize', formId: '{HTML}', height: 5}}, '*')")
        await seen.page.wait_for_timeout(50)
        assert await seen.page.evaluate("parseInt(document.querySelector('iframe').style.height) >= 1234")


async def test_a_form_of_fields_is_walked_through(browser: Browser) -> None:
    """Step by step, with questions that come and go, required groups, and the embed's own colours."""
    async with visit(browser, FIELDS) as seen:
        frame = seen.frame
        await frame.wait_for_selector("form.ac-form")
        assert (
            await frame.evaluate("getComputedStyle(document.body).getPropertyValue('--ac-color-primary')") == "#123456"
        )
        assert await frame.text_content(".ac-progress") == "Step 1 of 2"
        await frame.click("text=Next")  # nothing is filled in
        assert await frame.text_content(".ac-progress") == "Step 1 of 2"
        await frame.fill("input[name=name]", "Ada")
        await frame.check("input[value=Phone]")
        assert await frame.is_visible("input[name=phone]")
        await frame.check("input[value=Mail]")
        assert not await frame.is_visible("input[name=phone]")
        await frame.press("input[name=name]", "Enter")
        assert await frame.text_content(".ac-progress") == "Step 2 of 2"
        await frame.check("input[name=terms]")
        await frame.click("text=Send")  # no service is chosen
        await frame.check("input[value=B]")
        await frame.click("text=Send")
        await frame.wait_for_selector(".ac-thanks")
        (body,) = seen.app.submitted
        assert rules.check_answers(SCHEMA, rules.check_human(body["payload"], None, datetime.now(UTC))) == (
            {"name": "Ada", "contact": "Mail", "services": ["B"], "terms": True},
            [],
        )


async def test_an_error_of_an_earlier_step_is_shown_there(browser: Browser) -> None:
    """The form goes back to the step that holds the field."""
    app = App(wrong=[{"field": "name", "message": "Who?"}])
    async with visit(browser, FIELDS, app=app) as seen:
        await seen.frame.fill("input[name=name]", "Ada")
        await seen.frame.check("input[value=Mail]")
        await seen.frame.click("text=Next")
        await seen.frame.check("input[value=B]")
        await seen.frame.check("input[name=terms]")
        await seen.frame.click("text=Send")
        await seen.frame.wait_for_selector(".ac-error")
        assert await seen.frame.text_content(".ac-progress") == "Step 1 of 2"
        assert await seen.frame.is_visible(".ac-error")


async def test_a_stranger_cannot_frame_the_form(browser: Browser) -> None:
    """The browser itself holds off sites that are not on the list, and admits those that are."""
    async with visit(browser, HTML, app=App(settings=FormSettings(domain_allowlist=["client.test"]))) as seen:
        await seen.page.wait_for_timeout(300)
        assert not await seen.frame.evaluate("!!document.querySelector('form')")
    async with visit(browser, HTML, app=App(settings=FormSettings(domain_allowlist=["127.0.0.1"]))) as seen:
        await seen.frame.wait_for_selector("form")


CONDITIONAL = FormSchema.read(
    {
        "fields": [
            {"name": "child", "type": "checkbox", "label": "Children?"},
            {"name": "ages", "label": "Ages", "required": True, "show_if": {"field": "child", "value": True}},
            {"name": "school", "type": "checkbox", "label": "School", "options": ["A", "B"],
             "show_if": {"field": "ages", "operator": "not_empty"}},
        ],
    }
)  # fmt: skip


async def test_an_authors_form_follows_the_conditions_of_its_definition(browser: Browser) -> None:
    """Questions come and go with the answers, a hidden one is neither required nor sent; one start is told."""
    app = App(code=drawing.form_html(CONDITIONAL), schema=CONDITIONAL)
    async with visit(browser, HTML, app=app) as seen:
        ages, school = seen.frame.locator("input[name=ages]"), seen.frame.locator("input[value=A]")
        await seen.frame.wait_for_selector("input[name=child]")
        assert not await ages.is_visible() and not await school.is_visible()
        await seen.frame.check("input[name=child]")
        await ages.fill("3")
        await school.check()
        await seen.frame.uncheck("input[name=child]")
        assert not await ages.is_visible() and not await school.is_visible()
        await seen.frame.click("button[type=submit]")
        await seen.frame.wait_for_selector(".ac-thanks")
        [sent] = seen.app.submitted
        assert {key: value for key, value in sent["payload"].items() if key != rules.HONEYPOT} == {"child": False}
        assert [list(one) for one in seen.app.starts] == [["page_token"]]


@pytest.mark.parametrize("form_id", [HTML, FIELDS])
async def test_a_preview_works_and_sends_nothing(browser: Browser, form_id: UUID) -> None:
    """Both kinds of page, with their script inside them: filled in and sent, nothing leaves the browser."""
    app = App(code='<form data-anchor-form><input name="name"><button>Send</button></form>', preview=True)
    async with visit(browser, form_id, app=app) as seen:
        await seen.frame.fill("input[name=name]", "Ada")
        await seen.frame.evaluate("() => AnchorFormsRuntime.submit({})")
        if form_id == HTML:
            await seen.frame.click("button")
            assert "nothing was sent" in await seen.frame.inner_text(".ac-thanks")
        assert (seen.app.submitted, seen.app.starts) == ([], [])
