"""What tests of the forms area share: a visitor's page, what it sends, and the staff who read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.forms import rules
from tests.functions.conftest import SECRETS, World

ASKED: list[dict[str, Any]] = [
    {"name": "name", "type": "text", "label": "Name", "required": True},
    {"name": "diagnosis", "type": "textarea", "label": "Diagnosis"},
]
ANSWERS = {"name": "Robin Roe", "phone": "+15555550123", "message": "I want to book an appointment for tomorrow."}


def page_token(form_id: UUID, version_id: UUID, *, origin: str | None = None, age_s: float = 60) -> str:
    issued = datetime.now(UTC) - timedelta(seconds=age_s)
    return rules.sign_page(rules.Page(form_id, version_id, origin, issued), SECRETS["JWT_SECRET"].encode())


async def token_for(world: World, form_id: UUID, **page: Any) -> str:
    version_id = await world.db.fetchval("select published_version_id from forms where id = $1", form_id)
    return page_token(form_id, version_id, **page)


async def submit(world: World, form_id: UUID, answers: Any = ANSWERS, **body: Any) -> Any:
    return await world.call("POST", f"/embed/{form_id}/submit", json={"payload": answers, **body})


async def process(world: World, submission_id: str, *, key: UUID | None = None) -> int:
    work = key or (await world.outbox("forms_process", submission_id=submission_id))[0]["id"]
    answer = await world.deliver_task("forms_process", {"submission_id": submission_id}, key=work)
    return answer.status_code


class Staff:
    """A member of staff at the builder."""

    def __init__(self, world: World, headers: dict[str, str], user_id: UUID) -> None:
        self.world, self.headers, self.id = world, headers, user_id

    async def __call__(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = await self.world.call(method, f"/api/forms{path}", headers=self.headers, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else answer

    async def create(self, name: str = "Ask us", **body: Any) -> dict[str, Any]:
        made: dict[str, Any] = (await self("POST", "", 201, json={"name": name, **body}))["form"]
        return made

    async def save(self, form_id: str, code: str = "<form data-anchor-form></form>", **body: Any) -> dict[str, Any]:
        body = {"react_code": code, "schema_json": {"fields": ASKED, "runtime_mode": "html"}, **body}
        saved: dict[str, Any] = (await self("POST", f"/{form_id}/versions", 201, json=body))["version"]
        return saved

    async def publish(self, form_id: str, version_id: str) -> dict[str, Any]:
        told: dict[str, Any] = await self("POST", f"/{form_id}/versions/{version_id}/publish")
        return told


async def staff(world: World, role: str = "team") -> Staff:
    user_id = await world.user(role)
    return Staff(world, await world.sign_in(user_id), user_id)


async def actions(team: Staff, form_id: str) -> list[str]:
    logs = await team.world.db.fetch(
        "select action from form_audit_logs where metadata_json ->> 'form_id' = $1 order by created_at, id", form_id
    )
    return [row["action"] for row in logs]
