"""SQL over clients' requests."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from shared.areas.monday.models import SubmitRequest
from shared.db.database import Executor, Record

_SHOWN = """
    json_build_object(
        'id', id, 'user_id', user_id, 'title', title, 'description', description, 'due_date', due_date, 'rush', rush,
        'person_override', person_override, 'monday_item_id', monday_item_id, 'monday_board_id', monday_board_id,
        'status', coalesce(status, 'pending'), 'created_at', iso(created_at), 'attachment_url', attachment_url)"""


async def insert(db: Executor, owner: UUID, given: SubmitRequest, attachment_url: str | None) -> UUID:
    request_id: UUID = await db.fetchval(
        """
        insert into requests (user_id, title, description, due_date, rush, person_override, status, attachment_url)
        values ($1, $2, $3, $4, $5, $6, 'pending', $7) returning id
        """,
        owner, given.title, given.description, given.due_date, given.rush, given.person_override, attachment_url,
    )  # fmt: skip
    return request_id


async def link(db: Executor, owner: UUID, request_id: UUID, board_id: str, group_id: str, name: str) -> None:
    """Say that the request is to be an item."""
    await db.execute(
        "insert into monday_links (client_id, request_id, board_id, group_id, name) values ($1, $2, $3, $4, $5)",
        owner, request_id, board_id, group_id, name,
    )  # fmt: skip


async def shown(db: Executor, owner: UUID, request_id: UUID) -> dict[str, Any]:
    """A request as its client sees it."""
    row: dict[str, Any] = await db.fetchval(
        f"select {_SHOWN} from requests where user_id = $1 and id = $2",  # noqa: S608
        owner, request_id,
    )  # fmt: skip
    return row


async def page(db: Executor, owner: UUID) -> list[dict[str, Any]]:
    """The client's newest two hundred."""
    rows: list[dict[str, Any]] = await db.fetchval(
        f"""
        select coalesce(json_agg({_SHOWN} order by created_at desc, id), '[]')
        from (select * from requests where user_id = $1 order by created_at desc, id limit 200) newest
        """,  # noqa: S608
        owner,
    )
    return rows


async def find(db: Executor, request_id: UUID) -> Record | None:
    """A request with its link and what its client's profile says of monday.com."""
    return await db.fetchrow(
        """
        select r.*, l.id as link_id, p.client_identifier_value, p.account_manager_person_id
        from requests r left join monday_links l on l.request_id = r.id
        left join client_profiles p on p.user_id = r.user_id
        where r.id = $1
        """,
        request_id,
    )


async def submitted(db: Executor, request_id: UUID, board_id: str, item_id: str, *, whole: bool) -> None:
    """``whole``: the item has every column already."""
    await db.execute(
        """
        update requests set status = 'submitted', monday_board_id = $2, monday_item_id = $3, trouble = null,
            monday_values_at = case when $4 then now() end
        where id = $1
        """,
        request_id, board_id, item_id, whole,
    )  # fmt: skip


async def note_trouble(db: Executor, request_id: UUID, reason: str) -> None:
    await db.execute("update requests set trouble = $2 where id = $1", request_id, reason[:500])


Step = Literal["monday_values_at", "monday_file_at"]
Tries = Literal["monday_update_tries", "monday_file_tries"]


async def step_done(db: Executor, request_id: UUID, step: Step) -> None:
    await db.execute(f"update requests set {step} = now() where id = $1", request_id)  # noqa: S608


async def count_try(db: Executor, request_id: UUID, tries: Tries) -> int:
    """How often a step was begun, this time included; kept before it is."""
    count: int = await db.fetchval(
        f"update requests set {tries} = {tries} + 1 where id = $1 returning {tries}",  # noqa: S608
        request_id,
    )
    return count


async def commented(db: Executor, request_id: UUID, update_id: str) -> None:
    await db.execute("update requests set monday_update_id = $2 where id = $1", request_id, update_id)


async def file(db: Executor, file_id: UUID) -> Record | None:
    return await db.fetchrow("select id, folder, name, content_type from stored_files where id = $1", file_id)


async def take_rush(db: Executor, request_id: UUID) -> Record | None:
    """A rush job that nobody was told of, which is told now; with its client's name and address."""
    return await db.fetchrow(
        """
        update requests r set rush_told_at = now() from users u
        where r.id = $1 and r.rush and r.rush_told_at is null and u.id = r.user_id
        returning r.*, u.email as client_email, trim(u.first_name || ' ' || u.last_name) as client_name
        """,
        request_id,
    )
