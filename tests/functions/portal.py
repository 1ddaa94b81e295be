"""What the portal's tests share: files as people send them, clients with a link, and who is signed in."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from uuid import UUID

from PIL import Image

from shared.crypto import KeyRing
from tests.functions.conftest import SECRETS, World

PASSWORD = "Correct-Horse-9-Battery"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def png(width: int = 40, height: int = 30) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (30, 60, 110)).save(out, "PNG")
    return out.getvalue()


async def admin(world: World) -> dict[str, str]:
    return await world.sign_in(await world.user("admin"))


async def create_client(world: World, headers: dict[str, str], **body: Any) -> tuple[UUID, str]:
    """A client made by an admin: id and address."""
    email = body.pop("email", None) or f"{UUID(int=id(body)).hex}@example.test"
    answer = await world.call("POST", "/api/hub/clients", json={"email": email, **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["client"]["id"]), email


async def mails(world: World, to: str, kind: str | None = None) -> list[dict[str, Any]]:
    """The mails that were logged for an address, oldest first, with what they say (sealed ones opened)."""
    rows = await world.db.fetch(
        """select * from email_logs where recipient_email = $1 and ($2::text is null or email_type = $2)
           order by created_at, id""",
        to,
        kind,
    )
    return [{**dict(row), "text": _text(row)} for row in rows]


def _text(row: Any) -> str:
    if row["sealed_content"] is None:
        return str(row["text_body"])
    from shared.crypto import Sealed

    ring = KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])
    box = Sealed(row["sealed_key_id"], row["sealed_content"])
    return str(json.loads(ring.open(box, context=f"email_logs.sealed_content:{row['id']}"))["text"])


async def link_of(world: World, email: str) -> str:
    """The token of the newest invitation mailed to an address."""
    text = (await mails(world, email, "onboarding_invite"))[-1]["text"]
    found = re.search(r"/onboarding/([0-9a-f-]{36})", text)
    assert found, text
    return found[1]


async def run_tasks(world: World, function: str) -> int:
    """Deliver what waits for a task function, and forget it; how many there were."""
    waiting = [task for task in world.sent.tasks if task["function"] == function]
    for task in waiting:
        world.sent.tasks.remove(task)
        key = UUID(task["headers"]["X-Outbox-Id"])
        answer = await world.deliver_task(function, task["payload"], key=key)
        assert answer.status_code == 204, answer.text
    return len(waiting)


async def exists(world: World, object_name: str) -> bool:
    """Whether the bucket has an object."""
    stream = await world.services.storage.open(object_name)
    if stream is None:
        return False
    await stream.read()
    return True
