"""Functions as they are called: HTTP in, rows and outbox out.

The functions-framework's own applications on a real database, with vendors' stand-ins on loopback. What would go to
Cloud Tasks and Pub/Sub is held in ``sent`` instead of being delivered, so that a test says itself when work arrives.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest

from emulators.faults import Faults
from emulators.firestore_stand_in import FirestoreStandIn
from emulators.functions_host import FunctionsHost
from emulators.identity import identity_token
from emulators.storage import Storage
from emulators.vendors.ctm import Ctm
from emulators.vendors.mailgun import Mailgun
from emulators.vendors.monday import Monday
from emulators.vertex import Vertex
from shared.config import Settings
from shared.crypto import KeyRing, column_context
from shared.db.database import Database
from shared.gcp.secrets import Secrets
from shared.runtime import services as runtime_services
from shared.runtime.services import Services
from tests.conftest import MakeDatabase

SECRETS = {
    "JWT_SECRET": "a-secret-of-the-tests-with-32-bytes-or-more",
    "ENCRYPTION_KEYS": json.dumps({"current": "t1", "keys": {"t1": base64.b64encode(b"k" * 32).decode()}}),
    "HASH_KEY": "the-tests-hash-key",
    "MAILGUN_API_KEY": "key-local",
    "MAILGUN_WEBHOOK_SIGNING_KEY": "signing-key-local",
    "MONDAY_API_KEY": "monday-token-local",
}


@dataclass
class Sent:
    """What left for Cloud Tasks and Pub/Sub; ``down`` makes both refuse."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    async def create(self, **task: Any) -> None:
        self._require_up()
        if all(task["name"] != known["name"] for known in self.tasks):
            self.tasks.append(task)

    async def publish(self, topic: str, payload: dict[str, Any], *, attributes: dict[str, str]) -> None:
        self._require_up()
        self.messages.append({"topic": topic, "payload": payload, "attributes": attributes})

    async def close(self) -> None:
        """Nothing is open."""

    def _require_up(self) -> None:
        from shared.errors import TryLater

        if self.down:
            raise TryLater("cloud tasks", status=503)


class MountedSecrets(Secrets):
    """There is no Secret Manager here: the newest version is the mounted one."""

    async def reload(self, name: str) -> str:
        return await self.get(name)


@dataclass
class World:
    """Everything outside of the functions, for a test to arrange and to look at."""

    services: Services
    sent: Sent
    faults: Faults
    mailgun: Mailgun
    ctm: Ctm
    vertex: Vertex
    monday: Monday
    http: httpx.AsyncClient

    @property
    def db(self) -> Database:
        return self.services.db

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call a public route, from an address of its own so that no test spends another one's limit."""
        headers = {"X-Forwarded-For": new_ip(), **(options.pop("headers", None) or {})}
        self.http.cookies.clear()  # what an earlier answer had a browser keep
        return await self.http.request(method, path, headers=headers, **options)

    async def deliver_task(
        self, name: str, payload: Any, *, key: UUID | None = None, retries: int = 0
    ) -> httpx.Response:
        """Deliver work to a task function as Cloud Tasks does."""
        return await self.http.post(
            f"/_functions/{name}",
            json=payload,
            headers={
                **self.google(),
                "X-Outbox-Id": str(key or uuid4()),
                "X-CloudTasks-TaskName": uuid4().hex,
                "X-CloudTasks-TaskRetryCount": str(retries),
            },
        )

    async def deliver_event(self, name: str, payload: Any, *, key: UUID | None = None) -> httpx.Response:
        """Deliver a message to a listener as a Pub/Sub push subscription does."""
        message = {
            "data": base64.b64encode(json.dumps(payload).encode()).decode(),
            "attributes": {"outbox_id": str(key or uuid4())},
            "messageId": uuid4().hex,
        }
        return await self.http.post(f"/_functions/{name}", json={"message": message}, headers=self.google())

    async def run_schedule(self, name: str, *, at: str | None = None) -> httpx.Response:
        headers = {**self.google(), **({"X-CloudScheduler-ScheduleTime": at} if at else {})}
        return await self.http.post(f"/_functions/{name}", json={}, headers=headers)

    def google(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {identity_token(self.services.settings.invoker_email, '')}"}

    async def outbox(self, target: str, **payload: Any) -> list[Any]:
        return await self.db.fetch(
            "select * from outbox where target = $1 and payload @> $2 order by created_at", target, payload
        )

    async def user(self, role: str = "client", **columns: Any) -> UUID:
        user_id = uuid4()
        await self.db.execute(
            "insert into users (id, first_name, last_name, email, role) values ($1, 'Pat', 'Example', $2, $3)",
            user_id,
            columns.get("email", f"{user_id.hex}@example.test"),
            role,
        )
        return user_id

    async def client(self, *, ctm: bool = False) -> UUID:
        """A client of the agency; with *ctm*, connected to an account of its own at the stand-in."""
        client_id = await self.user("client")
        number = str(client_id.int % 10**9)
        await self.db.execute("insert into client_profiles (user_id) values ($1)", client_id)
        if ctm:
            account = self.ctm.open_account(number, reactors=(f"FRT-{number}",))
            ring = KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])
            sealed = {
                name: ring.seal_text(value, context=column_context("client_profiles", name, client_id))
                for name, value in (("ctm_api_key", account.key), ("ctm_api_secret", account.secret))
            }
            await self.db.execute(
                """update client_profiles set ctm_account_number = $2, ctm_api_key = $3, ctm_api_secret = $4,
                   ctm_credentials_key_id = 't1' where user_id = $1""",
                client_id, number, sealed["ctm_api_key"], sealed["ctm_api_secret"],
            )  # fmt: skip
        return client_id

    async def sign_in(self, user_id: UUID) -> dict[str, str]:
        """A session of the user's, as the header that carries its access token."""
        session_id, now = uuid4(), datetime.now(UTC)
        await self.db.execute(
            """insert into user_sessions (id, user_id, refresh_token_hash, refresh_token_family, device_id,
               absolute_expiry_at, refresh_expiry_at) values ($1, $2, $3, $4, $5, $6, $6)""",
            session_id, user_id, uuid4().hex, uuid4(), uuid4(), now + timedelta(days=30),
        )  # fmt: skip
        return {"Authorization": f"Bearer {access_token(user_id, session_id)}"}

    async def form(
        self,
        *,
        type: str = "conversion",
        fields: list[dict[str, Any]] | None = None,
        status: str = "published",
        client_id: UUID | None = None,
        code: str = '<form data-anchor-form><input name="name"></form>',
        **settings: Any,
    ) -> UUID:
        form_id, version_id = uuid4(), uuid4()
        async with self.db.transaction() as tx:
            await tx.execute(
                """insert into forms (id, name, form_type, status, settings_json, embed_token, client_id)
                   values ($1, 'Ask us', $2, $3, $4, $5, $6)""",
                form_id, type, status, settings, form_id.hex * 2, client_id,
            )  # fmt: skip
            await tx.execute(
                """insert into form_versions (id, form_id, version_number, react_code, schema_json, published_at)
                   values ($1, $2, 1, $3, $4, now())""",
                version_id, form_id, code, {"fields": fields or []},
            )  # fmt: skip
            await tx.execute(
                "update forms set active_version_id = $2, published_version_id = $2 where id = $1", form_id, version_id
            )
        return form_id


def access_token(user_id: UUID, session_id: UUID, *, lifetime: timedelta = timedelta(minutes=15), **claims: Any) -> str:
    now = datetime.now(UTC)
    given = {"sub": str(user_id), "sid": str(session_id), "type": "access", "iat": now, "exp": now + lifetime, **claims}
    return jwt.encode(given, SECRETS["JWT_SECRET"], algorithm="HS256")


def new_ip() -> str:
    octets = uuid4().bytes
    return f"10.{octets[0]}.{octets[1]}.{octets[2]}"


@asynccontextmanager
async def open_world(database_url: str, folder: Path, **chosen: Any) -> AsyncIterator[World]:
    """A world on a database that is there, with stand-ins of its own; *chosen* settings beside theirs."""
    faults = Faults()
    mailgun = Mailgun(faults)
    ctm = Ctm(faults)
    vertex = Vertex(faults)
    monday = Monday(faults)
    storage = Storage(Settings().uploads_bucket, folder)
    parts = (mailgun, ctm, vertex, monday, storage)
    for part in parts:
        await part.start()
    firestore = FirestoreStandIn(faults)
    firestore_port = await firestore.start()
    found = {name.lower(): value for part in parts for name, value in part.env.items()}
    settings = replace(
        Settings(),
        database_url=database_url,
        firestore_emulator_host=f"127.0.0.1:{firestore_port}",
        **{name: value for name, value in found.items() if hasattr(Settings(), name)},
        **chosen,
    )
    services = Services(settings)
    sent = Sent()
    services.__dict__.update(tasks=sent, topics=sent, secrets=MountedSecrets(settings, SECRETS))
    runtime_services.use(services)
    host = FunctionsHost()
    transport = httpx.ASGITransport(app=host, client=("127.0.0.1", 50000))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://anchor.test", timeout=300) as http:
        yield World(services, sent, faults, mailgun, ctm, vertex, monday, http)
    await services.close()
    for part in (*parts, firestore):
        await part.stop()
    runtime_services.use(None)


@pytest.fixture(scope="session")
async def _world(
    make_database: MakeDatabase, built: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with open_world(
        make_database(built), tmp_path_factory.mktemp("storage"), mailgun_events_delay_s=0.0
    ) as world:
        yield world


@pytest.fixture
async def world(_world: World) -> AsyncIterator[World]:
    """The world, with nothing failing and nothing held back from earlier tests."""
    _world.sent.tasks.clear()
    _world.sent.messages.clear()
    _world.sent.down = False
    from shared.runtime import outbox

    outbox._failed_at.clear()
    yield _world
    for name in list(_world.faults.as_json()):
        _world.faults.clear(name)


Deliver = Callable[..., Awaitable[httpx.Response]]
