"""Signing in against bare Argon2id verifications; who-am-I and refreshing against the framework and one statement.

Goals: signing in at 85 % of what the processor can verify, the other two at 70 % of their floor. A floor is the
framework, asked at the same address, with the one statement that the call cannot do without (the session's row read;
its refresh token exchanged) and an answer of two fields: no token is checked or signed, no cookie or header set. A
function and its floor are measured in turns, so that whatever else the machine does meets both; the median turn counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse

from shared.areas.accounts import store
from shared.runtime import identity
from tests.bench import load
from tests.bench.floor import pool

PEOPLE = 200
SESSIONS = 250_000  # each is refreshed once
AT_ONCE = 4  # sign-ins: more only wait for the processor
PASSWORD = "Anchor-Demo-2026!"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def _floor(statement: str, *values: object) -> JSONResponse:
    row = await (await pool()).fetchrow(statement, *values)
    return JSONResponse({"user": {"id": str(row["id"]), "email": row["email"]}})


async def one_query(request: Request) -> JSONResponse:
    """Read a session with its person, answer who it is."""
    return await _floor(identity.WHO, UUID(request.headers["x-session"]), UUID(request.headers["x-user"]), None)


async def one_exchange(request: Request) -> JSONResponse:
    """Exchange a refresh token's hash for another, answer whose it is."""
    old = request.headers["x-hash"]
    now, month = datetime.now(UTC), timedelta(days=30)
    return await _floor(store.ROTATE, old, old[::-1], now, month, "10.0.0.1", request.headers["user-agent"])


async def main() -> None:
    from tests.bench.framework import function_env

    with function_env() as env:
        people = await _people(env["DATABASE_URL"])
        await _signing_in(env, people)
        await _reading_and_refreshing(env, people)


async def _people(url: str) -> list[UUID]:
    """People with a password, a trusted device each, and sessions."""
    import asyncpg

    from shared.areas.accounts import passwords, rules

    people = [uuid4() for _ in range(PEOPLE)]
    now = datetime.now(UTC)
    database = await asyncpg.connect(url)
    await database.execute(
        """
        insert into users (id, first_name, last_name, email, role, password_hash, email_verified_at)
        select id, 'Bench', 'Person', id || '@bench.test', 'client', $2, now() from unnest($1::uuid[]) id
        """,
        people,
        await passwords.make_hash(PASSWORD),
    )
    await database.execute("insert into client_profiles (user_id) select id from users")
    await database.executemany(
        """
        insert into user_trusted_devices (user_id, device_id, token_hash, device_fingerprint, expires_at)
        values ($1, $1, $2, $3, $4)
        """,
        [
            (one, rules.token_hash(f"{one}:{one}:{'s' * 43}"), rules.fingerprint(AGENT, "en"), now + timedelta(days=30))
            for one in people
        ],
    )
    await database.execute(
        """
        insert into user_sessions (id, user_id, refresh_token_hash, refresh_token_family, device_id,
                                   absolute_expiry_at, refresh_expiry_at)
        select id, owner, hash, id, owner, now() + interval '9 days', now() + interval '9 days'
        from unnest($1::uuid[], $2::uuid[], $3::text[]) as t (id, owner, hash)
        """,
        [UUID(int=number) for number in range(SESSIONS)],
        [people[number % PEOPLE] for number in range(SESSIONS)],
        [hashlib.sha256(_refresh_token(number).encode()).hexdigest() for number in range(SESSIONS)],
    )
    await database.execute("analyze")
    await database.close()
    return people


def _refresh_token(number: int) -> str:
    return f"{number:043d}"


async def _signing_in(env: dict[str, str], people: list[UUID]) -> None:
    from tests.bench.framework import serving

    def sign_in(number: int) -> bytes:
        who = people[number % PEOPLE]
        return load.request(
            "POST",
            "/api/auth/login",
            body=json.dumps({"email": f"{who}@bench.test", "password": PASSWORD}).encode(),
            headers={
                "User-Agent": AGENT,
                "Accept-Language": "en",
                "Cookie": f"device={who}.{'s' * 43}",
                "X-Forwarded-For": _ip(number),
            },
        )

    with serving("accounts_sign_in", env) as (port, _):

        async def signed_in() -> float:
            rate = await load.run(port, sign_in, seconds=4, connections=AT_ONCE)
            assert set(rate.statuses) == {200}, rate.statuses
            return rate.per_second

        print(f"Signing in from a trusted device, {AT_ONCE} at once (goal 85 %)")
        await load.compare("Argon2id verifications, nothing else", _bare_verifications, "accounts_sign_in", signed_in)


async def _bare_verifications(seconds: float = 4) -> float:
    from shared.areas.accounts import passwords

    stored, done = await passwords.make_hash(PASSWORD), 0
    began = time.perf_counter()

    async def verify() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await passwords.check(PASSWORD, stored)
            done += 1

    await asyncio.gather(*(verify() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - began)


async def _reading_and_refreshing(env: dict[str, str], people: list[UUID]) -> None:
    from shared import tokens
    from tests.bench.framework import serving

    bearers = [
        tokens.sign(
            env["JWT_SECRET"],
            user_id=people[number % PEOPLE],
            session_id=UUID(int=number),
            role="client",
            effective_role="client",
            lifetime=timedelta(hours=1),
            now=datetime.now(UTC),
        )
        for number in range(PEOPLE)
    ]

    def who(number: int) -> bytes:
        one = number % PEOPLE
        return load.request(
            "GET", "/api/auth/me", headers={"X-Session": str(UUID(int=one)), "X-User": str(people[one])}
        )

    def me(number: int) -> bytes:
        headers = {"Authorization": f"Bearer {bearers[number % PEOPLE]}"}
        return load.request("GET", "/api/auth/me", headers=headers)

    fresh = itertools.count()

    def exchange(number: int) -> bytes:
        stored = hashlib.sha256(_refresh_token(next(fresh)).encode()).hexdigest()
        return load.request("POST", "/api/auth/refresh", headers={"X-Hash": stored, "User-Agent": AGENT})

    def refresh(number: int) -> bytes:
        headers = {"Cookie": f"refresh_token={_refresh_token(next(fresh))}", "User-Agent": AGENT}
        return load.request("POST", "/api/auth/refresh", headers={**headers, "X-Forwarded-For": _ip(number % PEOPLE)})

    print("Who am I, and refreshing, 32 at once (goal 70 %)")
    for floor_name, least, target, make in (
        ("one_query", who, "accounts_show_me", me),
        ("one_exchange", exchange, "accounts_refresh", refresh),
    ):
        with (
            serving(floor_name, env, source="tests/bench/bench_accounts.py") as (floor_port, _),
            serving(target, env) as (port, _),
        ):

            async def one(port: int, make: Callable[[int], bytes]) -> float:
                rate = await load.run(port, make, seconds=1.5)
                assert set(rate.statuses) == {200}, rate.statuses
                return rate.per_second

            await load.compare(
                f"the framework and {floor_name}",
                lambda port=floor_port, make=least: one(port, make),  # type: ignore[misc]
                target,
                lambda port=port, make=make: one(port, make),  # type: ignore[misc]
            )


def _ip(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


if __name__ == "__main__":
    asyncio.run(main())
