"""What every endpoint promises: who may call, what browsers are told, and one shape for what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from starlette.requests import Request

from shared.manifest import by_trigger
from shared.runtime.identity import client_ip
from tests.functions.conftest import World, access_token

PROBE = "/api/webhooks/mailgun/test"  # staff may call it, and it does little


@pytest.mark.parametrize(
    ("role", "status"), [("superadmin", 200), ("admin", 200), ("editor", 200), ("team", 200), ("client", 403)]
)
async def test_roles(world: World, role: str, status: int) -> None:
    """Staff functions admit staff (an editor counts as an admin), and tell a client 403."""
    headers = await world.sign_in(await world.user(role))
    assert (await world.call("GET", PROBE, headers=headers)).status_code == status


async def test_tokens_that_are_not_good(world: World) -> None:
    """No, broken, expired, foreign, or otherwise meant tokens are 401 with their code; a session's end is named."""
    user, session = await world.user("team"), uuid4()
    good = await world.sign_in(user)
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "NO_TOKEN"),
        ({"Authorization": "Bearer "}, "NO_TOKEN"),
        ({"Authorization": "Basic YTpi"}, "NO_TOKEN"),
        ({"Authorization": "Bearer nonsense"}, "TOKEN_EXPIRED_OR_INVALID"),
        ({"Authorization": good["Authorization"][:-2] + "xx"}, "TOKEN_EXPIRED_OR_INVALID"),
        (_bearer(access_token(user, session, lifetime=timedelta(seconds=-1))), "TOKEN_EXPIRED_OR_INVALID"),
        (_bearer(access_token(user, session, type="refresh")), "TOKEN_EXPIRED_OR_INVALID"),
        (_bearer(access_token(user, session, sub="nobody")), "TOKEN_EXPIRED_OR_INVALID"),
        (_bearer(access_token(user, session)), "SESSION_INVALID"),
        (_bearer(access_token(uuid4(), session)), "USER_NOT_FOUND"),
    ]
    for headers, code in cases:
        answer = await world.call("GET", PROBE, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code), headers
        assert answer.json()["message"]


@pytest.mark.parametrize(
    ("column", "reason"),
    [("revoked_at", "revoked"), ("refresh_expiry_at", "expired"), ("absolute_expiry_at", "absolute_expiry")],
)
async def test_an_ended_session_says_why(world: World, column: str, reason: str) -> None:
    """A token outlives its session by at most its signature: the session is looked up at each call."""
    user = await world.user("team")
    headers = await world.sign_in(user)
    await world.db.execute(f"update user_sessions set {column} = now() - interval '1 s' where user_id = $1", user)

    answer = await world.call("GET", PROBE, headers=headers)

    assert (answer.status_code, answer.json()["reason"]) == (401, reason)


async def test_the_session_cookie_carries_links_but_not_foreign_writes(world: World) -> None:
    """The cookie is enough for a link; a write with it must come from one of our own pages."""
    headers = await world.sign_in(await world.user("superadmin"))
    cookie = {"Cookie": f"session={headers['Authorization'].removeprefix('Bearer ')}"}
    write = f"/api/jobs/dead/{uuid4()}/resend"

    async def statuses(**more: str) -> int:
        return (await world.call("POST", write, headers={**cookie, **more})).status_code

    assert (await world.call("GET", PROBE, headers=cookie)).status_code == 200
    assert await statuses(Origin="https://evil.test") == 401
    assert await statuses() == 401
    assert await statuses(Origin="http://localhost:8080") == 404
    assert await statuses(**{"Sec-Fetch-Site": "same-origin"}) == 404


async def test_cors_admits_our_own_origins_only(world: World) -> None:
    """Our dashboard gets credentials; a foreign origin gets an answer without CORS headers, never an error."""
    ours = await world.call("GET", "/api/health", headers={"Origin": "http://localhost:8080"})
    foreign = await world.call("GET", "/api/health", headers={"Origin": "https://evil.test"})
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-acting-user"}
    preflight = await world.call("OPTIONS", "/api/health", headers={"Origin": "http://localhost:8080", **asked})

    assert ours.headers["access-control-allow-origin"] == "http://localhost:8080"
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert foreign.status_code == 200
    assert "access-control-allow-origin" not in foreign.headers
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "authorization,x-acting-user"
    assert preflight.headers["access-control-max-age"] == "600"


async def test_every_answer_is_protected(world: World) -> None:
    """Good and bad answers carry the protecting headers; the policy is strict where nothing needs more."""
    for path in ("/api/health", "/api/nothing"):
        answer = await world.call("GET", path)
        policy = answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        for directive in ("base-uri 'none'", "object-src 'none'", "form-action 'self'", "frame-ancestors 'self'"):
            assert directive in policy
        assert "unsafe-eval" not in policy


async def test_unknown_paths_and_methods_are_json(world: World) -> None:
    """404 and 405 have the one error shape, and 405 names what the address answers."""
    missing = await world.call("GET", "/api/no/such/thing")
    method = await world.call("DELETE", "/api/health")

    assert (missing.status_code, missing.json()["code"]) == (404, "NOT_FOUND")
    assert (method.status_code, method.headers["allow"]) == (405, "GET, HEAD")
    assert (await world.call("HEAD", "/api/health")).status_code == 200


async def test_a_database_that_is_down_is_a_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the database people are told to try again, with a time; nothing of the inside is told."""
    from shared.db.database import Database

    monkeypatch.setitem(world.services.__dict__, "db", Database("postgresql://127.0.0.1:1/none", acquire_timeout_s=1))
    answer = await world.call("GET", "/api/health/ready")

    assert (answer.status_code, answer.json()["code"]) == (503, "TRY_LATER")
    assert int(answer.headers["retry-after"]) >= 1
    assert "127.0.0.1" not in answer.text


async def test_a_crash_tells_nothing(world: World, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """An unexpected error is a 500 without details; the log has its type and place, never its text."""
    from shared.areas.jobs import store

    async def broken(*_: Any, **__: Any) -> str:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(store, "list_dead", broken)
    headers = await world.sign_in(await world.user("superadmin"))
    answer = await world.call("GET", "/api/jobs/dead", headers=headers)

    assert (answer.status_code, answer.json()) == (
        500,
        {"message": "Something went wrong on our side.", "code": "INTERNAL"},
    )
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged and "secret inside" not in logged


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=abc", "offset=-1", "limit=1&limit=2"])
async def test_a_bad_query_names_the_field(world: World, query: str) -> None:
    """A query that cannot be read is a 400 that names the parameter."""
    headers = await world.sign_in(await world.user("superadmin"))
    answer = await world.call("GET", f"/api/jobs/dead?{query}", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in ("limit", "offset")


async def test_internal_functions_have_no_public_address(world: World) -> None:
    """No task, event or schedule has a route that the gateway could serve."""
    for trigger in ("task", "event", "schedule"):
        assert all(not function.routes for function in by_trigger(trigger))  # type: ignore[arg-type]


async def test_logs_are_one_json_object_a_line_with_their_trace(world: World, capsys: Any) -> None:
    """A request's line has severity, function, status, duration and the trace of Google's front end, never the path."""
    import json

    trace = uuid4().hex
    token = uuid4().hex
    await world.call("GET", f"/embed/{token}/json", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    line = json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    assert line["severity"] == "INFO"
    assert (line["function"], line["status"]) == ("forms_describe", 404)
    assert line["logging.googleapis.com/trace"].endswith(trace)
    assert token not in json.dumps(line)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("lines", "hops", "address"),
    [
        (["192.0.2.1, 198.51.100.7"], 1, "198.51.100.7"),
        (["192.0.2.1, 192.0.2.2", "198.51.100.7"], 1, "198.51.100.7"),
        (["192.0.2.1, 192.0.2.2", "198.51.100.7, 203.0.113.9"], 2, "198.51.100.7"),
        (["::ffff:198.51.100.7"], 1, "198.51.100.7"),
        (["nonsense"], 1, "127.0.0.1"),
        (["192.0.2.1"], 2, "127.0.0.1"),
        (["192.0.2.1"], 0, "127.0.0.1"),
    ],
)
def test_the_callers_address_is_what_a_trusted_proxy_saw(lines: list[str], hops: int, address: str) -> None:
    """Entries that the caller wrote, on the same line or on one of their own, are never its address."""
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "client": ("127.0.0.1", 1)})
    assert client_ip(request, hops) == address


@pytest.mark.parametrize("behind_gateway", [False, True])
async def test_a_long_list_comes_compressed(
    world: World, monkeypatch: pytest.MonkeyPatch, behind_gateway: bool
) -> None:
    """To a page that sends its token. A cookie alone, which another site's link could bring along, gets it as it is;
    also behind the gateway, whose own token is in every request."""
    headers = await world.sign_in(client := await world.user("client"))
    await world.db.execute(
        """insert into call_logs (owner_user_id, call_id, started_at, meta)
           select $1, 'c' || n, now(), '{}' from generate_series(1, 50) n""",
        client,
    )
    cookie = {"Cookie": f"session={headers['Authorization'].removeprefix('Bearer ')}"}
    if behind_gateway:
        monkeypatch.setattr(world.services, "settings", replace(world.services.settings, behind_gateway=True))
        own = {"Authorization": "Bearer the-gateways-own"}
        headers, cookie = {**own, "X-Forwarded-Authorization": headers["Authorization"]}, {**own, **cookie}

    asked = [await world.call("GET", "/api/hub/calls", headers=one) for one in (headers, cookie)]

    assert [answer.headers.get("content-encoding") for answer in asked] == ["gzip", None]
    assert len(asked[0].json()["calls"]) == 50 and asked[0].json() == asked[1].json()
