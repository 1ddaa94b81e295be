"""Who may call what: every HTTP function of the manifest, called by everybody.

Derived from the manifest, so that a new function is in the table the moment it exists. What a function does with a call
that it admits is its area's business; here an admitted call must only not be refused as a stranger's, and not crash.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared import manifest
from shared.manifest import (
    ADMIN,
    AUTH,
    LINK,
    PORTAL,
    PORTAL_ADMIN,
    PORTAL_SUPER,
    PUBLIC,
    STAFF,
    SUPER,
    Function,
)
from tests.functions.conftest import World, access_token

ROLES = {
    PUBLIC: ("client", "team", "admin", "superadmin"),
    LINK: ("client", "team", "admin", "superadmin"),
    AUTH: ("client", "team", "admin", "superadmin"),
    PORTAL: ("client", "team", "admin", "superadmin"),
    PORTAL_ADMIN: ("admin", "superadmin"),
    PORTAL_SUPER: ("superadmin",),
    STAFF: ("team", "admin", "superadmin"),
    ADMIN: ("admin", "superadmin"),
    SUPER: ("superadmin",),
}
OPEN = (PUBLIC, LINK)
REFUSED_CODES = {"NO_TOKEN", "TOKEN_INVALID", "TOKEN_EXPIRED_OR_INVALID", "SESSION_INVALID", "USER_NOT_FOUND"}
HTTP = tuple(manifest.by_trigger("http"))


@dataclass(frozen=True, slots=True)
class Expected:
    """``status`` and ``code`` of a refusal; both None: the call is admitted."""

    status: int | None = None
    code: str | None = None

    def holds(self, answer: httpx.Response) -> bool:
        if self.status is not None:
            return answer.status_code == self.status and answer.json()["code"] == self.code
        if answer.status_code >= 500:
            return False
        refused = answer.status_code == 401 and answer.json().get("code") in REFUSED_CODES
        return not refused and not (answer.status_code == 403 and "You do not have access" in answer.text)


ADMITTED = Expected()


def expected(function: Function, caller: str) -> Expected:
    """What *caller* must get from a function, by its access level."""
    access = function.access
    if access in OPEN or caller in ROLES[access]:
        return ADMITTED
    match caller:
        case "nobody":
            return Expected(401, "NO_TOKEN")
        case "revoked session":
            return Expected(401, "SESSION_INVALID")
        case "expired token" | "forged token":
            return Expected(401, "TOKEN_EXPIRED_OR_INVALID")
        case "other client":  # a client who names another one as the person to act for
            admitted = "client" in ROLES[access]
            return (
                (Expected(403, "FORBIDDEN") if access is PORTAL else ADMITTED)
                if admitted
                else Expected(403, "FORBIDDEN")
            )
        case _:
            return Expected(403, "FORBIDDEN")


CALLERS = (
    *("nobody", "client", "other client", "team", "admin", "superadmin"),
    *("revoked session", "expired token", "forged token"),
)


async def headers_of(world: World, caller: str) -> dict[str, str]:
    if caller == "nobody":
        return {}
    if caller in ("client", "team", "admin", "superadmin"):
        return await world.sign_in(await world.user(caller))
    user_id = await world.user("superadmin" if "token" in caller or "session" in caller else "client")
    headers = await world.sign_in(user_id)
    if caller == "other client":
        return {**headers, "X-Acting-User": str(await world.client())}
    if caller == "revoked session":
        await world.db.execute("update user_sessions set revoked_at = now() where user_id = $1", user_id)
        return headers
    if caller == "forged token":
        return {"Authorization": f"{headers['Authorization'][:-4]}AAAA"}
    session_id = await world.db.fetchval("select id from user_sessions where user_id = $1", user_id)
    return {"Authorization": f"Bearer {access_token(user_id, session_id, lifetime=timedelta(seconds=-1))}"}


def some_path(pattern: str) -> str:
    """The pattern with ids that nothing has."""
    return re.sub(r"{\w+}", lambda _: str(uuid4()), pattern)


@pytest.mark.parametrize("function", HTTP, ids=lambda function: function.name)
async def test_a_function_admits_whom_the_manifest_names(world: World, function: Function) -> None:
    """Each route × each kind of caller has the status that the function's access level says."""
    wrong = []
    for caller in CALLERS:
        for route in function.routes:
            headers = await headers_of(world, caller)  # anew: a call may end its session
            method, _, pattern = route.partition(" ")
            body: dict[str, Any] = {} if method in ("GET", "HEAD", "DELETE") else {"json": {}}
            answer = await world.call(method, some_path(pattern), headers=headers, **body)
            want = expected(function, caller)
            if not want.holds(answer):
                wrong.append(f"{caller}: {route} → {answer.status_code} {answer.text[:120]}, wanted {want}")
    assert wrong == []


Owned = Callable[[World, UUID], Awaitable[str]]


async def _session(world: World, owner: UUID) -> str:
    await world.sign_in(owner)
    return str(await world.db.fetchval("select id from user_sessions where user_id = $1", owner))


async def _device(world: World, owner: UUID) -> str:
    device_id = uuid4()
    await world.db.execute(
        """insert into user_trusted_devices (user_id, device_id, token_hash, device_fingerprint, expires_at)
           values ($1, $2, $3, 'f', now() + interval '1 day')""",
        owner,
        device_id,
        uuid4().hex,
    )
    return str(device_id)


async def _document(world: World, owner: UUID) -> str:
    return str(
        await world.db.fetchval("insert into documents (user_id, name, url) values ($1, 'a', '') returning id", owner)
    )


async def _notice(world: World, owner: UUID) -> str:
    return str(
        await world.db.fetchval("insert into notifications (user_id, title) values ($1, 'a') returning id", owner)
    )


async def _blog_post(world: World, owner: UUID) -> str:
    return str(
        await world.db.fetchval(
            "insert into blog_posts (user_id, title, content) values ($1, 'a', 'a') returning id", owner
        )
    )


async def _review(world: World, owner: UUID) -> str:
    return str(
        await world.db.fetchval(
            """insert into reviews (client_id, platform_review_id, reviewer_name, rating, review_created_at)
               values ($1, 'accounts/1/locations/2/reviews/3', 'Ada', 5, now()) returning id""",
            owner,
        )
    )


async def _journey(world: World, owner: UUID) -> str:
    return str(
        await world.db.fetchval(
            "insert into client_journeys (owner_user_id, client_name) values ($1, 'a') returning id", owner
        )
    )


async def _review_draft(world: World, owner: UUID) -> str:
    review_id = UUID(await _review(world, owner))
    return str(
        await world.db.fetchval(
            """insert into review_response_drafts (review_id, client_id, draft_text) values ($1, $2, 'Thanks')
               returning id""",
            review_id,
            owner,
        )
    )


async def _active_client(world: World, owner: UUID) -> str:
    return str(
        await world.db.fetchval(
            "insert into active_clients (owner_user_id, client_name) values ($1, 'a') returning id", owner
        )
    )


async def _review_request(world: World, owner: UUID) -> str:
    return str(
        await world.db.fetchval(
            """insert into review_requests (client_id, delivery_method, review_link) values ($1, 'link_only', '')
               returning id""",
            owner,
        )
    )


async def _service(world: World, owner: UUID) -> str:
    return str(await world.db.fetchval("insert into services (user_id, name) values ($1, 'a') returning id", owner))


# Functions whose path names a row of one person's: how to make such a row. An area adds its own.
OWNED: dict[str, Owned] = {
    "accounts_revoke_session": _session,
    "accounts_forget_device": _device,
    "documents_delete": _document,
    "documents_mark_viewed": _document,
    "notifications_mark_read": _notice,
    "blog_show_post": _blog_post,
    "blog_delete_post": _blog_post,
    "reviews_show": _review,
    "reviews_save_notes": _review,
    "reviews_approve_draft": _review_draft,
    "reviews_show_request": _review_request,
    "journeys_show": _journey,
    "journeys_archive": _journey,
    "journeys_restore": _journey,
    "journeys_apply_template": _journey,
    "journeys_archive_active_client": _active_client,
    "journeys_restore_active_client": _active_client,
    "clients_retire_service": _service,
}


@pytest.mark.parametrize("name", OWNED)
async def test_a_row_of_somebody_else_is_not_there(world: World, name: str) -> None:
    """A row that a path names is a 404 for everybody but its owner, and stays as it is for the owner to find."""
    function = manifest.BY_NAME[name]
    owner, stranger = await world.client(), await world.client()
    method, _, pattern = function.routes[0].partition(" ")
    path = re.sub(r"{\w+}", await OWNED[name](world, owner), pattern)

    body: dict[str, Any] = {"json": {}} if method in ("PUT", "POST") else {}
    refused = await world.call(method, path, headers=await world.sign_in(stranger), **body)
    allowed = await world.call(method, path, headers=await world.sign_in(owner), **body)

    assert (refused.status_code, allowed.status_code) == (404, 200)
