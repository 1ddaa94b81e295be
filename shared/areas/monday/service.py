"""Settings of monday.com, what an admin chooses from there, and who a client's account manager is.

Source: spec api-leads §3 (M1 to M6), seeds INTEGRATIONS §4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from shared.areas.monday import store
from shared.areas.monday.models import MondaySettings
from shared.areas.monday.outside import Outside
from shared.db.database import Executor
from shared.errors import NotFound, Problem, Reconnect, Rejected, TryLater, VendorError


class MondayFailed(Problem):
    """monday.com did not give what was asked; told in the words that the dashboard shows."""

    status, code = 502, "MONDAY_FAILED"

    def __init__(self, error: VendorError) -> None:
        super().__init__(_why(error), success=False)
        if isinstance(error, TryLater):
            self.status, self.code = 503, "TRY_LATER"


class NoBoard(NotFound):
    """There is no board of this id, or our token may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such board at Monday.com.", success=False)


def _why(error: VendorError) -> str:
    if isinstance(error, TryLater):
        return "Monday.com cannot be reached right now. Please try again shortly."
    if isinstance(error, Reconnect):
        return "Monday.com refuses our access. Please renew the API token."
    return "Monday.com did not accept this request."


async def settings(db: Executor) -> MondaySettings:
    """The settings, with defaults where nobody set one."""
    return MondaySettings.model_validate(_known(await store.settings(db)))


async def show_settings(db: Executor, account_url: str) -> dict[str, Any]:
    """The settings as superadmins see them; what else an old server stored there, such as a token, is not shown."""
    return {**(await settings(db)).model_dump(), "monday_account_url": account_url}


async def save_settings(db: Executor, given: MondaySettings, account_url: str) -> dict[str, Any]:
    """Change the settings that were given; all of them."""
    changes = given.model_dump(include=given.model_fields_set)
    saved = MondaySettings.model_validate(_known(await store.save_settings(db, changes)))
    return {**saved.model_dump(), "monday_account_url": account_url}


def _known(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if name in MondaySettings.model_fields}


async def boards(outside: Outside, search: str | None) -> list[dict[str, str]]:
    async with _told(outside) as monday:
        found = await monday.boards()
    wanted = (search or "").strip().casefold()
    return [{"id": one.id, "name": one.name} for one in found if wanted in one.name.casefold()]


async def groups(outside: Outside, board_id: str) -> list[dict[str, str]]:
    """A board's groups; NoBoard."""
    async with _told(outside) as monday, _of_board(board_id):
        return [{"id": one.id, "title": one.name} for one in await monday.groups(board_id)]


async def columns(outside: Outside, board_id: str) -> list[dict[str, str]]:
    """A board's columns; NoBoard."""
    async with _told(outside) as monday, _of_board(board_id):
        found = await monday.columns(board_id)
    return [{"id": one.id, "title": one.title, "type": one.type} for one in found]


async def people(outside: Outside) -> dict[str, Any]:
    """Who is there, which is also kept; where monday.com fails, nobody, with a warning."""
    try:
        async with outside.monday() as monday:
            found = await monday.people()
    except VendorError as error:
        return {"success": True, "people": [], "warning": _why(error)}
    await store.save_people(outside.db, found)
    shown = [{"id": one.id, "name": one.name, "email": one.email} for one in found]
    return {"success": True, "people": shown}


@asynccontextmanager
async def _of_board(board_id: str) -> AsyncIterator[None]:
    if not (board_id.isascii() and board_id.isdigit()):
        raise NoBoard
    try:
        yield
    except Rejected as error:
        raise NoBoard from error


@asynccontextmanager
async def _told(outside: Outside) -> AsyncIterator[Any]:
    try:
        async with outside.monday() as monday:
            yield monday
    except VendorError as error:
        outside.warn("monday_failed", reason=str(error))
        raise MondayFailed(error) from error


async def refresh_people(outside: Outside) -> None:
    """Ask once a day who is who, while somebody has an account manager."""
    if not await store.people_are_due(outside.db):
        return
    try:
        async with outside.monday() as monday:
            found = await monday.people()
    except VendorError as error:
        outside.warn("people_not_read", reason=str(error))
        return
    await store.save_people(outside.db, found)


async def account_manager(db: Executor, client_id: UUID) -> UUID | None:
    """The member of our staff whose address the client's account manager at monday.com has; asks the database only."""
    return await store.account_manager(db, client_id)


async def whom_to_tell(db: Executor, client_id: UUID) -> UUID | None:
    """The client's account manager, else the oldest admin. None where there is no staff at all."""
    return await store.account_manager(db, client_id) or await store.oldest_admin(db)
