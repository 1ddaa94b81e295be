"""The control API shows and steers the local cloud, for this machine only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from emulators.component import Status
from emulators.control import PAGE_FILES, Cloud, Control
from emulators.faults import Faults
from emulators.parts import Setup, vendors
from emulators.scheduler import Scheduler
from emulators.serving import AsgiServer
from shared.config import SECRETS
from shared.manifest import FUNCTIONS


class Vertex:
    """As the Vertex stand-in shows itself to the control API."""

    def __init__(self) -> None:
        self.status, self.env, self.set = Status("vertex", "stand-in", ready=True), {}, {}

    def prompts(self) -> list[dict[str, Any]]:
        return [{"text": "hello"}]

    def settings(self) -> dict[str, Any]:
        return {"answers": self.set}

    def configure(self, settings: dict[str, Any]) -> None:
        if set(settings) - {"answers"}:
            raise ValueError("unknown settings")
        self.set = settings["answers"]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def api(functions_host: AsgiServer, tmp_path_factory: Any) -> AsyncIterator[tuple[Cloud, httpx.AsyncClient]]:
    faults = Faults()
    setup = Setup(tmp_path_factory.mktemp("state"), faults, {name: "s" * 32 for name in SECRETS}, functions_host.url)
    parts: list[Any] = vendors(setup)
    scheduler = Scheduler(FUNCTIONS, lambda name: f"{functions_host.url}/{name}", invoker="i@x", planned=False)
    named = {part.name: part for part in parts}
    cloud = Cloud(faults, FUNCTIONS, [*parts, Vertex()], scheduler=scheduler, vertex=Vertex())
    for name in ("mailgun", "ctm", "monday", "google"):
        setattr(cloud, name, named[name])
    for part in [*parts, scheduler]:
        await part.start()
    server = AsgiServer(Control(cloud))
    await server.start()
    async with httpx.AsyncClient(base_url=f"{server.url}/_emulators", trust_env=False) as http:
        yield cloud, http
    for part in [server, scheduler, *parts]:
        await part.stop()


@pytest.fixture
def http(api: tuple[Cloud, httpx.AsyncClient]) -> httpx.AsyncClient:
    return api[1]


@pytest.fixture
def cloud(api: tuple[Cloud, httpx.AsyncClient]) -> Cloud:
    return api[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.test"},
        {"Host": "evil.test:8080"},
        {"Host": "localhost.evil.test"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_web_page_cannot_steer_it(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """A rebound name, a foreign or opaque origin, and another port's page are refused."""
    answer = await http.delete("/mail", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_another_machine_cannot_steer_it(cloud: Cloud) -> None:
    """A peer that is not loopback is refused, whatever it says."""
    transport = httpx.ASGITransport(Control(cloud), client=("192.0.2.7", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as far:
        answer = await far.get("/_emulators/status", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 403


async def test_the_console_itself_may(http: httpx.AsyncClient) -> None:
    """Its own origin is the address it is served from."""
    origin = str(http.base_url).removesuffix("/_emulators/")
    assert (await http.delete("/mail", headers={"Origin": origin})).status_code == 200


@pytest.mark.parametrize("file", PAGE_FILES)
async def test_the_page_loads_from_here_only(http: httpx.AsyncClient, file: str) -> None:
    """The page and its files come with a policy that admits no other place, and name none."""
    answer = await http.get(f"/{file}")
    assert answer.status_code == 200 and "default-src 'none'" in answer.headers["content-security-policy"]
    assert "https://" not in answer.text and "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")


async def test_a_mail_is_shown_without_scripts(cloud: Cloud, http: httpx.AsyncClient) -> None:
    """The HTML of a mail comes in a sandbox; its webhook can be asked for; the box can be emptied."""
    assert cloud.mailgun is not None
    mail = {"from": "a@mail.anchor.test", "to": "Ada <ada@example.com>", "subject": "S", "html": "<script>1</script>"}
    async with httpx.AsyncClient(auth=("api", cloud.mailgun.api_key)) as sender:
        await sender.post(f"{cloud.mailgun.url}/v3/mail.anchor.test/messages", data=mail)
    [shown] = (await http.get("/mail", params={"to": "ADA@example.com"})).json()["mails"]
    assert {"id", "to", "subject", "text", "html", "tags", "time"} <= set(shown)
    page = await http.get(f"/mail/{shown['id']}/html")
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    event = await http.post(f"/mail/{shown['id']}/events", json={"event": "opened", "ip": "203.0.113.1"})
    assert (event.status_code, event.json()["event"], event.json()["ip"]) == (202, "opened", "203.0.113.1")
    assert (await http.get("/mail", params={"to": "bob@example.com"})).json()["mails"] == []
    await http.delete("/mail")
    assert (await http.get("/mail")).json()["mails"] == []


async def test_ctm_calls_are_added_and_listed(http: httpx.AsyncClient) -> None:
    """The first call opens the account; several come at once; an unknown account is a 404."""
    assert (await http.get("/ctm/77/calls")).status_code == 404
    one = await http.post("/ctm/77/calls", json={"caller_number": "+15550100001", "transcription": {"text": "Hi"}})
    many = await http.post("/ctm/77/calls", json={"calls": [{"name": "A"}, {"name": "B"}]})
    assert (one.status_code, len(many.json()["calls"])) == (201, 2)
    assert len((await http.get("/ctm/77/calls")).json()["calls"]) == 3
    account = (await http.put("/ctm/77", json={"api_key": "k", "reactors": ["FRTX"]})).json()
    assert account["api_key"] == "k" and account["reactors"] == ["FRT77", "FRTX"]


async def test_monday_is_changed_as_by_a_person(http: httpx.AsyncClient) -> None:
    """Boards and items are made, read and changed."""
    columns = [{"id": "status", "title": "Status", "type": "status", "labels": ["Open", "Done"]}]
    await http.put("/monday/boards/9", json={"name": "B", "groups": {"g": "G", "h": "H"}, "columns": columns})
    item = (await http.post("/monday/items", json={"board_id": "9", "name": "T"})).json()
    change = {"column_values": {"status": "Done"}, "group_id": "h", "update": "Hello"}
    changed = (await http.patch(f"/monday/items/{item['id']}", json=change)).json()
    assert (changed["column_values"], changed["group_id"]) == ({"status": "Done"}, "h")
    assert (await http.get("/monday/items", params={"board_id": "9"})).json()["items"] == [changed]
    assert (
        await http.patch(f"/monday/items/{item['id']}", json={"column_values": {"status": "No"}})
    ).status_code == 400


async def test_google_reviews_are_written_and_read(http: httpx.AsyncClient) -> None:
    """A review goes to a location."""
    assert (await http.post("/google/reviews", json={"rating": 5})).status_code == 404
    await http.post("/google/locations", json={"account": "1", "location": "2", "title": "Downtown"})
    made = await http.post("/google/reviews", json={"rating": 2, "comment": "Meh", "reviewer": "Sam"})
    assert (made.status_code, made.json()["starRating"]) == (201, "TWO")
    assert (await http.get("/google/reviews")).json()["reviews"] == [made.json()]


async def test_vertex_is_shown_and_set(http: httpx.AsyncClient) -> None:
    """Prompts come out, canned answers go in, nonsense is refused."""
    assert (await http.get("/vertex")).json()["prompts"] == [{"text": "hello"}]
    assert (await http.put("/vertex", json={"answers": {"a": "b"}})).json()["answers"] == {"a": "b"}
    assert (await http.put("/vertex", json={"nope": 1})).status_code == 400


async def test_faults_are_set_counted_and_ended(cloud: Cloud, http: httpx.AsyncClient) -> None:
    """What is put strikes, is listed, and ends."""
    assert cloud.ctm is not None
    put = await http.put("/faults/ctm", json={"status": 503, "times": 2})
    assert put.json()["fault"] == {"status": 503, "latency_ms": 0, "times": 2, "drop": False}
    async with httpx.AsyncClient() as caller:
        assert (await caller.get(f"{cloud.ctm.url}/api/v1/accounts/1/calls")).status_code == 503
    assert (await http.get("/faults")).json()["faults"]["ctm"]["times"] == 1
    assert (await http.delete("/faults/ctm")).json()["fault"] is None
    assert (await http.get("/faults/ctm")).json()["fault"] is None
    assert {"instagram", "vertex"} <= set((await http.get("/faults")).json()["components"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/faults/nobody", {"status": 500}, 404),
        ("PUT", "/faults/ctm", {}, 400),
        ("PUT", "/faults/ctm", {"status": 200}, 400),
        ("PUT", "/faults/ctm", {"status": True}, 400),
        ("PUT", "/faults/ctm", {"latency_ms": -1}, 400),
        ("PUT", "/faults/ctm", {"status": 500, "times": 0}, 400),
        ("PUT", "/faults/ctm", {"drop": "yes"}, 400),
        ("PUT", "/faults/ctm", {"status": 500, "colour": "red"}, 400),
        ("PUT", "/faults/ctm", [1], 400),
        ("POST", "/mail/none/events", {"event": "opened"}, 404),
        ("POST", "/schedules/none/run", {}, 404),
        ("POST", "/google/locations", {"account": "x", "location": "1"}, 400),
        ("POST", "/ctm/5/calls", {"calls": "x"}, 400),
        ("POST", "/ctm/5/calls", {"unix_time": "x"}, 400),
        ("PUT", "/monday/boards/1", {"columns": [{"id": "x"}]}, 400),
        ("PATCH", "/monday/items/1", {"name": "x"}, 404),
        ("POST", "/monday/items", {"board_id": "none"}, 404),
        ("GET", "/nothing", None, 404),
        ("POST", "/status", {}, 405),
        ("GET", "/queues", None, 503),
        ("GET", "/dead", None, 503),
    ],
)
async def test_bad_input_is_named(http: httpx.AsyncClient, method: str, path: str, body: object, status: int) -> None:
    """Whatever is wrong is a 4xx in the one error shape; a part that does not run is a 503."""
    answer = await http.request(method, path, json=body)
    assert answer.status_code == status and set(answer.json()) == {"message", "code"}


async def test_a_body_that_is_no_json_is_refused(http: httpx.AsyncClient) -> None:
    """So is a form, which another page could post."""
    assert (await http.put("/faults/ctm", content=b"{")).status_code == 400
    assert (await http.put("/faults/ctm", data={"status": "500"})).status_code == 400


async def test_functions_events_and_schedules_are_listed(http: httpx.AsyncClient) -> None:
    """The manifest can be read by tools, and a schedule can be run."""
    functions = (await http.get("/functions")).json()["functions"]
    assert len(functions) == len(FUNCTIONS) and {"name", "trigger", "routes", "access"} <= set(functions[0])
    assert "emails_track" in (await http.get("/events")).json()["topics"]["mail-event"]["listeners"]
    run = (await http.post("/schedules/jobs_sweep_outbox/run")).json()
    assert run["status"] == 200
    last = {one["name"]: one["last"] for one in (await http.get("/schedules")).json()["schedules"]}
    assert last["jobs_sweep_outbox"]["forced"] is True
