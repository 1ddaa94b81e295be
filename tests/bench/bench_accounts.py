"""Signing in against bare Argon2id verifications; who-am-I and refreshing against the framework and one statement.

Goals: signing in at 85 % of what the processor can verify, the other two at 70 % of their floor. The floors do the
least that any function must: read one row for a call that reads, write one row for a call that writes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse

PEOPLE = 200
SESSIONS = 120_000  # each is refreshed once
AT_ONCE = 4  # sign-ins: more only wait for the processor
PASSWORD = "Anchor-Demo-2026!"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

_pool: Any = None


async def _floor(statement: str, request: Request) -> JSONResponse:
    global _pool
    if _pool is None:
        import asyncpg

        _pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=0, max_size=4)
    row = await _pool.fetchrow(statement, UUID(request.headers["x-row"]))
    return JSONResponse({"user": {"id": str(row[0]), "email": row[1]}})


async def one_query(request: Request) -> JSONResponse:
    """Read one row by its key, answer it."""
    return await _floor("select id, email from users where id = $1", request)


async def one_update(request: Request) -> JSONResponse:
    """Write one row by its key, answer it."""
    return await _floor("update users set login_count = login_count + 1 where id = $1 returning id, email", request)


async def main() -> None:
    from emulators.postgres import create_database, server
    from shared.db.migrate import migrate

    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "data") as admin_url:
        url = create_database(admin_url, "bench_accounts")
        migrate(url)
        env = {
            "DATABASE_URL": url,
            "JWT_SECRET": "a-secret-of-the-bench-with-32-bytes-or-more",
            "HASH_KEY": "the-benchs-hash-key",
            "ENCRYPTION_KEYS": json.dumps({"current": "b1", "keys": {"b1": b64encode(b"k" * 32).decode()}}),
            "TRUSTED_PROXY_HOPS": "1",
        }
        people = await _people(url)
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
    from tests.bench import load
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

    bare = await _bare_verifications()
    with serving("accounts_sign_in", env) as (port, _):
        rate = await load.run(port, sign_in, seconds=10, connections=AT_ONCE)
    print(f"\nSigning in from trusted devices, {AT_ONCE} at once (goal 85 % of bare verifications)")
    print(f"  {'Argon2id verifications, nothing else':<56} {bare:8.1f}/s")
    _line("accounts_sign_in", rate, f"{100 * rate.per_second / bare:.0f} % of them")


async def _bare_verifications(seconds: float = 10) -> float:
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
    from tests.bench import load
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

    def floor(number: int) -> bytes:
        return load.request("GET", "/", headers={"X-Row": str(people[number % PEOPLE])})

    def me(number: int) -> bytes:
        headers = {"Authorization": f"Bearer {bearers[number % PEOPLE]}"}
        return load.request("GET", "/api/auth/me", headers=headers)

    def refresh(number: int) -> bytes:
        token = _refresh_token(number if number < SESSIONS // 4 else number % 1_000_000 + SESSIONS // 4)
        headers = {"Cookie": f"refresh_token={token}", "X-Forwarded-For": _ip(number), "User-Agent": AGENT}
        return load.request("POST", "/api/auth/refresh", headers=headers)

    rates = {}
    here = "tests/bench/bench_accounts.py"
    for target, source, make in (
        ("one_query", here, floor),
        ("accounts_show_me", "main.py", me),
        ("one_update", here, floor),
        ("accounts_refresh", "main.py", refresh),
    ):
        with serving(target, env, source=source) as (port, _):
            rates[target] = await load.run(port, make)
    print("\nWho am I, and refreshing; 32 at once (goal 70 % of their floors)")
    _line("the framework and one row read", rates["one_query"], "")
    _line("accounts_show_me", rates["accounts_show_me"], rates["accounts_show_me"].of(rates["one_query"]))
    _line("the framework and one row written", rates["one_update"], "")
    _line("accounts_refresh", rates["accounts_refresh"], rates["accounts_refresh"].of(rates["one_update"]))


def _ip(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _line(name: str, rate: Any, share: str) -> None:
    print(
        f"  {name:<56} {rate.per_second:8.1f}/s  p50 {rate.p50_ms:6.1f} ms  p95 {rate.p95_ms:6.1f} ms  {share}"
        f"  {rate.statuses}"
    )


if __name__ == "__main__":
    asyncio.run(main())
