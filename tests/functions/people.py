"""People who sign in, for the tests of accounts: a browser with its own cookies, accounts, and what was mailed."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from argon2 import PasswordHasher

from tests.functions.conftest import World, new_ip

PASSWORD = "Anchor-Demo-2026!"
ORIGIN = "http://localhost:8080"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@functools.cache
def hashed(password: str = PASSWORD) -> str:
    return PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4).hash(password)


@dataclass(slots=True)
class Person:
    """An account and its password."""

    id: UUID
    email: str
    password: str = PASSWORD


async def person(
    world: World, role: str = "client", *, password_hash: str | None = None, verified: bool = True, **columns: Any
) -> Person:
    """Somebody with an account; further columns of ``users`` by name."""
    user_id = uuid4()
    given = {
        "id": user_id,
        "first_name": "Robin",
        "last_name": "Sample",
        "email": f"{user_id.hex[:12]}@mailbox.test",
        "role": role,
        "password_hash": hashed() if password_hash is None else password_hash,
        **columns,
    }
    places = ", ".join(f"${n}" for n in range(1, len(given) + 1))
    await world.db.execute(f"insert into users ({', '.join(given)}) values ({places})", *given.values())
    if verified:
        await world.db.execute("update users set email_verified_at = now() where id = $1", user_id)
    if role == "client":
        await world.db.execute("insert into client_profiles (user_id) values ($1)", user_id)
    return Person(user_id, str(given["email"]))


@dataclass(slots=True)
class Browser:
    """A browser: keeps cookies, has an address and a look of its own, and sends the Origin of our pages."""

    world: World
    ip: str = field(default_factory=new_ip)
    user_agent: str = FIREFOX
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {
            "X-Forwarded-For": self.ip,
            "User-Agent": self.user_agent,
            "Accept-Language": "en",
            **({"Origin": ORIGIN} if method != "GET" else {}),
            **(options.pop("headers", None) or {}),
        }
        crumbs = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies.jar)
        if crumbs:
            headers["Cookie"] = crumbs
        self.world.http.cookies.clear()
        answer = await self.world.http.request(method, path, headers=headers, **options)
        self.cookies.extract_cookies(answer)
        self.world.http.cookies.clear()
        return answer

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.send("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.send("POST", path, json=json, **options)

    async def login(self, who: Person, **more: Any) -> httpx.Response:
        return await self.post("/api/auth/login", {"email": who.email, "password": who.password, **more})

    async def sign_in(self, who: Person, *, trust: bool = True) -> dict[str, Any]:
        """All of signing in, with the mailed code where one is asked for; the last answer."""
        answer = (await self.login(who, trustDevice=trust)).json()
        if "challengeId" in answer:
            code = await mailed_code(self.world, who)
            form = {"challengeId": answer["challengeId"], "code": code, "trustDevice": trust}
            answer = (await self.post("/api/auth/mfa/verify", form)).json()
        assert "accessToken" in answer, answer
        return answer  # type: ignore[no-any-return]

    def bearer(self, answer: dict[str, Any]) -> dict[str, str]:
        return {"Authorization": f"Bearer {answer['accessToken']}"}


async def run_tasks(world: World) -> None:
    """Run what was enqueued, and what that enqueues, until nothing is left."""
    done = 0
    while done < len(world.sent.tasks):
        task = world.sent.tasks[done]
        done += 1
        key = UUID(task["headers"]["X-Outbox-Id"])
        answer = await world.deliver_task(task["function"], task["payload"], key=key)
        assert answer.status_code == 204, answer.text
    world.sent.tasks.clear()


async def mails_to(world: World, who: Person) -> list[Any]:
    await run_tasks(world)
    return [mail for mail in world.mailgun.mails if any(who.email in to for to in mail.recipients)]


async def mailed_code(world: World, who: Person) -> str:
    """The code in the newest mail."""
    mails = await mails_to(world, who)
    found = re.search(r"^\d{6}$", mails[-1].text, re.MULTILINE)
    assert found, mails[-1].text
    return found[0]


async def mailed_token(world: World, who: Person) -> str:
    """The token of the link in the newest mail."""
    mails = await mails_to(world, who)
    found = re.search(r"token=([0-9a-f]{64})", mails[-1].text)
    assert found, mails[-1].text
    return found[1]


async def events(world: World, who: Person) -> list[str]:
    """The audit trail of somebody, oldest first."""
    rows = await world.db.fetch(
        "select event_type from security_audit_log where user_id = $1 order by created_at", who.id
    )
    return [row["event_type"] for row in rows]
