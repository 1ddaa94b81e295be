"""The local gateway treats requests as API Gateway does."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.responses import Response

from emulators.gateway import Gateway
from emulators.serving import AsgiServer, free_port
from shared.manifest import PUBLIC, http

FUNCTIONS = (
    http("reviews_get", "GET /api/reviews/{review_id}", "DELETE /api/reviews/{review_id}", access=PUBLIC),
    http("reviews_stats", "GET /api/reviews/stats", access=PUBLIC),
    http("notes_add", "POST /api/notes", access=PUBLIC),
    http("jobs_slow", "GET /api/slow", "GET /api/half", access=PUBLIC, timeout_s=1),
    http("jobs_cookies", "GET /api/cookies", access=PUBLIC),
)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def caller(functions_host: AsgiServer) -> AsyncIterator[httpx.AsyncClient]:
    gateway = Gateway(FUNCTIONS, lambda: functions_host.url)
    server = AsgiServer(gateway)
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http_client:
        yield http_client
    await server.stop()
    await gateway.close()


async def test_authorization_moves_and_the_gateway_shows_its_own(caller: httpx.AsyncClient) -> None:
    """A function finds the caller's token in X-Forwarded-Authorization and the gateway's identity in Authorization."""
    answer = await caller.get("/api/reviews/7", headers={"Authorization": "Bearer mine"})

    headers = answer.json()["headers"]
    assert headers["x-forwarded-authorization"] == "Bearer mine"
    claims = headers["authorization"].removeprefix("Bearer ").split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["email"].startswith("gateway@")


async def test_a_caller_cannot_claim_to_be_forwarded(caller: httpx.AsyncClient) -> None:
    """Headers that only the gateway may write are dropped."""
    forged = {"X-Forwarded-Authorization": "Bearer forged", "X-Apigateway-Api-Userinfo": "forged"}
    headers = (await caller.get("/api/reviews/7", headers=forged)).json()["headers"]
    assert "x-forwarded-authorization" not in headers
    assert "x-apigateway-api-userinfo" not in headers


async def test_the_peer_is_appended_and_the_trace_goes_on(caller: httpx.AsyncClient) -> None:
    """X-Forwarded-For ends with the real peer; the trace id of the caller is kept with a new span."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = {"X-Forwarded-For": "203.0.113.5", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    headers = (await caller.get("/api/reviews/7", headers=given)).json()["headers"]
    assert headers["x-forwarded-for"] == "203.0.113.5, 127.0.0.1"
    assert headers["x-cloud-trace-context"].startswith(f"{trace}/")
    assert headers["traceparent"].split("-")[1] == trace
    assert "b7ad6b7169203331" not in headers["traceparent"]


@pytest.mark.parametrize("path", ["/api/nothing", "/api/reviews", "/other", "/api/reviews/7/", "/_functions/x"])
async def test_an_unknown_path_is_a_json_404(caller: httpx.AsyncClient, path: str) -> None:
    """What the manifest does not list is answered by the gateway, in the one error shape."""
    answer = await caller.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_another_method_is_a_json_405_that_names_the_right_ones(caller: httpx.AsyncClient) -> None:
    """Allow lists what the path answers."""
    answer = await caller.put("/api/reviews/7")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


async def test_a_preflight_reaches_the_function(caller: httpx.AsyncClient) -> None:
    """CORS is the function's own business, so OPTIONS passes."""
    answer = await caller.options("/api/notes", headers={"Access-Control-Request-Method": "POST"})
    assert (answer.status_code, answer.json()["method"]) == (200, "OPTIONS")
    assert (await caller.options("/api/nothing")).status_code == 404


async def test_the_path_arrives_as_it_was_sent(caller: httpx.AsyncClient) -> None:
    """Percent-encoding and query are not touched on the way."""
    target = b"/api/reviews/a%2Fb%20c%C3%A9?x=%2B&y=[1]&y=2"
    answer = await caller.request("GET", "/", extensions={"target": target})
    assert answer.json()["path"] == "/api/reviews/a%2Fb%20c%C3%A9"
    assert answer.json()["query"] == "x=%2B&y=[1]&y=2"


async def test_bodies_stream_both_ways(caller: httpx.AsyncClient) -> None:
    """A body without a length arrives whole; repeated headers and other statuses come back as they are."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 20_000

    assert (await caller.post("/api/notes", content=parts())).json()["size"] == 1_000_000
    assert (await caller.post("/api/notes", content=b"abc")).json()["headers"]["content-length"] == "3"
    answer = await caller.get("/api/cookies")
    assert (answer.status_code, len(answer.headers.get_list("set-cookie"))) == (201, 2)


async def test_no_header_of_the_gateways_own_client_is_added(caller: httpx.AsyncClient) -> None:
    """A function sees the caller's agent and encodings, not those of a proxy."""
    request = httpx.Request("GET", caller.base_url.join("/api/reviews/1"), headers={"Host": "localhost"})
    headers = (await caller.send(request)).json()["headers"]
    assert not {"user-agent", "accept-encoding", "accept"} & set(headers)


async def test_a_late_function_is_a_504(caller: httpx.AsyncClient) -> None:
    """The deadline is the function's own."""
    answer = await caller.get("/api/slow")
    assert (answer.status_code, answer.json()["code"]) == (504, "DEADLINE_EXCEEDED")


async def test_an_answer_cut_off_half_way_does_not_look_whole(caller: httpx.AsyncClient) -> None:
    """When the deadline strikes in the middle of a body, the connection is cut."""
    with pytest.raises(httpx.RemoteProtocolError):
        await caller.get("/api/half")


async def test_a_host_that_is_down_is_a_503() -> None:
    """While the functions restart, callers are told to come again."""
    gateway = Gateway(FUNCTIONS, lambda: f"http://127.0.0.1:{free_port()}")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://gateway") as http_client:
        answer = await http_client.get("/api/reviews/7")
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    await gateway.close()


async def test_head_has_no_body_and_does_not_wait_for_one(caller: httpx.AsyncClient) -> None:
    """HEAD is served by GET's function, and the next request is not confused by it."""
    answer = await caller.head("/api/reviews/7")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await caller.get("/api/reviews/8")).json()["path"] == "/api/reviews/8"


async def test_many_callers_at_once_get_their_own_answers(caller: httpx.AsyncClient) -> None:
    """Kept connections are never shared by two exchanges."""
    answers = await asyncio.gather(
        *(caller.post("/api/notes", content=f"n{n}".encode()) for n in range(60)),
        *(caller.get(f"/api/reviews/{n}") for n in range(60)),
    )
    assert [answer.json()["body"] for answer in answers[:60]] == [f"n{n}" for n in range(60)]
    assert [answer.json()["path"] for answer in answers[60:]] == [f"/api/reviews/{n}" for n in range(60)]


async def test_a_restarted_host_is_found_again() -> None:
    """A kept connection that died with the old host costs a reader nothing."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Response("here")(scope, receive, send)

    first = AsgiServer(app)
    await first.start()
    gateway = Gateway(FUNCTIONS, lambda: first.url)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://gateway") as http_client:
        assert (await http_client.get("/api/reviews/1")).text == "here"
        await first.stop()
        second = AsgiServer(app, port=first.port)
        await second.start()
        assert (await http_client.get("/api/reviews/1")).text == "here"
    await gateway.close()
    await second.stop()


async def test_a_large_answer_waits_for_a_slow_reader(caller: httpx.AsyncClient, functions_host: AsgiServer) -> None:
    """Eight megabytes arrive whole although they are read bit by bit."""
    async with caller.stream("GET", "/api/cookies?mb=8") as answer:
        size = 0
        async for chunk in answer.aiter_raw(65_536):
            size += len(chunk)
            await asyncio.sleep(0)
    assert size == 8 * 1024 * 1024
