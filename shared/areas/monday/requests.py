"""What clients ask the agency for: stored first, then made an item at monday.com, exactly once.

Whoever submits waits some seconds for the item; where monday.com takes longer or fails, the request is pending and its
task goes on. Every step after the creation is noted when it is done, and one that monday.com refuses is left out, with
the reason. Source: spec api-leads §3 (M7, M8), seeds DATA_FLOWS §5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.files import service as files
from shared.areas.files.models import Kept, Place, Upload
from shared.areas.files.rules import DOCUMENTS, MEBIBYTE, read_url
from shared.areas.monday import links, request_store, rules, service, store
from shared.areas.monday.models import FinishRequest, Item, Monday, MondaySettings, SubmitRequest
from shared.areas.monday.outside import Outside
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.db.counters import Limit, spend
from shared.db.database import Record, Transaction
from shared.errors import Park, Rejected, TooManyRequests, TryLater, VendorError

MAX_FILE_BYTES = 15 * MEBIBYTE
LISTS = Limit("monday_lists", 60, window_s=3600)  # of one client: all share the calls that a day allows
_HEAD_START = timedelta(seconds=15)  # of whoever submits, before the task
_UNTITLED = "Request"


async def keep(outside: Outside, uploads: Sequence[Upload], *, owner_id: UUID, by: UUID) -> Kept | None:
    """Put a request's attachment into our bucket, where it stays whatever monday.com does; Invalid or TooLarge."""
    checked = files.checked(uploads, "attachment", DOCUMENTS, max_bytes=MAX_FILE_BYTES)
    place = Place(folder="requests", audience="owner", owner_id=owner_id, created_by=by)
    kept = await files.keep(outside.db, outside.bucket, checked, place)
    return kept[0] if kept else None


async def submit(outside: Outside, owner: UUID, given: SubmitRequest, attachment: Kept | None) -> dict[str, Any]:
    """Store the request and try to make its item at once: the request, and the item or None while it is pending."""
    async with outside.transaction() as tx:
        client = await store.client(tx, owner)
        on_board = client is not None and bool(client["monday_board_id"] and client["monday_group_id"])
        if attachment:
            await files.attach(tx, [attachment])
        request_id = await request_store.insert(tx, owner, given, attachment.url if attachment else None)
        if client is not None and on_board:
            await request_store.link(
                tx, owner, request_id, client["monday_board_id"], client["monday_group_id"], given.title or _UNTITLED
            )
        if on_board or given.rush:
            work = FinishRequest(request_id=request_id).model_dump(mode="json")
            later = datetime.now(UTC) + _HEAD_START if on_board else None
            await tx.enqueue("monday_finish_request", work, not_before=later)
    if on_board:
        try:
            async with asyncio.timeout(outside.submit_timeout_s):
                await _create(outside, request_id)
        except (VendorError, TimeoutError) as error:  # its task goes on
            outside.warn("request_waits", request_id=request_id, reason=str(error) or type(error).__name__)
    request = await request_store.shown(outside.db, owner, request_id)
    item_id = request["monday_item_id"]
    return {
        "request": request,
        "monday_item": {"id": item_id, "name": given.title or _UNTITLED} if item_id else None,
    }


async def finish(outside: Outside, work: FinishRequest) -> None:
    """Tell of a rush job, make the item if there is none yet, and bring to it what it lacks. Run again, it goes on."""
    request = await request_store.find(outside.db, work.request_id)
    if request is None:
        raise Park("the request is gone")
    try:
        if request["link_id"]:
            await _create(outside, work.request_id)
    except TryLater:
        await _tell_rush(outside, work.request_id)  # people need not wait for monday.com
        raise
    except VendorError as error:
        await request_store.note_trouble(outside.db, work.request_id, str(error))
        await _tell_rush(outside, work.request_id)
        raise
    await _tell_rush(outside, work.request_id)
    if request["link_id"]:
        await _complete(outside, work.request_id)


async def _create(outside: Outside, request_id: UUID) -> None:
    """Make the request's item unless it has one: under its link's lease, looked for where an earlier try may have."""
    request = await request_store.find(outside.db, request_id)
    if request is None or request["monday_item_id"]:
        return
    chosen = await service.settings(outside.db)
    async with links.leased(outside.db, request["link_id"]) as link:
        if link["monday_item_id"]:
            return
        link = await links.renewed(outside.db, link, request["title"] or _UNTITLED)
        async with outside.monday() as monday:
            item_id, whole = await links.create(outside.db, monday, link, rules.request_values(chosen, request))
        async with outside.transaction() as tx:
            await links.created(tx, link["id"], item_id)
            await request_store.submitted(tx, request_id, link["board_id"], item_id, whole=whole)


async def _complete(outside: Outside, request_id: UUID) -> None:
    request = await request_store.find(outside.db, request_id)
    if request is None or not request["monday_item_id"]:
        return
    chosen = await service.settings(outside.db)
    async with links.leased(outside.db, request["link_id"]), outside.monday() as monday:
        for step in (_set_values, _comment, _attach):
            try:
                await step(outside, monday, request, chosen)
            except Rejected as error:
                outside.warn("request_step_refused", request_id=request_id, reason=str(error))
                await request_store.note_trouble(outside.db, request_id, f"{step.__name__.strip('_')}: {error}")


async def _set_values(outside: Outside, monday: Monday, request: Record, chosen: MondaySettings) -> None:
    """Column by column: the item was made without them, because monday.com refused one."""
    if request["monday_values_at"]:
        return
    refused: Rejected | None = None
    for column_id, value in rules.request_values(chosen, request).items():
        try:
            await monday.change_values(request["monday_board_id"], request["monday_item_id"], {column_id: value})
        except Rejected as error:
            refused = error
    await request_store.step_done(outside.db, request["id"], "monday_values_at")
    if refused:
        raise refused


async def _comment(outside: Outside, monday: Monday, request: Record, chosen: MondaySettings) -> None:
    text = rules.request_update(request)
    if request["monday_update_id"] or not text:
        return
    tries = await request_store.count_try(outside.db, request["id"], "monday_update_tries")
    known = await monday.updates(request["monday_item_id"]) if tries > 1 else ()
    made = next((one.id for one in known if rules.same_text(one.text, text)), None)
    update_id = made or await monday.add_update(request["monday_item_id"], rules.as_html(text))
    await request_store.commented(outside.db, request["id"], update_id)


async def _attach(outside: Outside, monday: Monday, request: Record, chosen: MondaySettings) -> None:
    column = chosen.monday_client_files_column_id
    if not request["attachment_url"] or not column or request["monday_file_at"]:
        return
    file_id = read_url(request["attachment_url"])
    file = await request_store.file(outside.db, file_id) if isinstance(file_id, UUID) else None
    if file is None:
        return
    tries = await request_store.count_try(outside.db, request["id"], "monday_file_tries")
    items = await monday.items_by_id([request["monday_item_id"]]) if tries > 1 else ()
    if not any(name == file["name"] for item in items for _, name in item.files()):
        stream = await outside.bucket.open(f"{file['folder']}/{file['id']}")
        if stream is None:
            raise Rejected("cloud storage", reason="the attachment is gone")
        try:
            data = b"".join([chunk async for chunk in stream.chunks()])
        finally:
            await stream.close()
        await monday.add_file(request["monday_item_id"], column, file["name"], file["content_type"], data)
    await request_store.step_done(outside.db, request["id"], "monday_file_at")


async def _tell_rush(outside: Outside, request_id: UUID) -> None:
    """Tell the account manager of a rush job, once: in the dashboard and by its own mail."""
    async with outside.transaction() as tx:
        request = await request_store.take_rush(tx, request_id)
        manager = await service.whom_to_tell(tx, request["user_id"]) if request else None
        if request is None or manager is None:
            return
        await _tell(tx, outside, request, manager)


async def _tell(tx: Transaction, outside: Outside, request: Record, manager: UUID) -> None:
    title = request["title"] or _UNTITLED
    client = request["client_name"] or request["client_email"]
    item_url = None
    if request["monday_item_id"]:
        base = outside.account_url.rstrip("/")
        item_url = f"{base}/boards/{request['monday_board_id']}/pulses/{request['monday_item_id']}"
    notice = Notice(
        title=f"Rush job: {title}",
        body=f"{client} asks for a rush job.",
        link="/client-hub",
        meta={"request_id": str(request["id"]), "client_id": str(request["user_id"]), "monday_url": item_url},
    )
    await notifications.notify_silently(tx, [manager], notice)
    person = await store.person(tx, manager)
    if person is None:
        return
    content = templates.rush_job(
        client=client, title=title, due=str(request["due_date"] or ""), item_url=item_url, site=outside.site
    )
    mail = Mail(
        type="rush_job_notification",
        to=person["email"],
        to_name=person["name"],
        subject=content.subject,
        text=content.text,
        html=content.html,
        client_id=request["user_id"],
        triggered_by_id=request["user_id"],
        message_key=f"rush_job_{request['id']}",
    )
    await emails.queue(tx, mail, outside.key_ring)


async def list_all(outside: Outside, owner: UUID) -> dict[str, Any]:
    """A client's requests, and their tasks as monday.com has them; where it fails, as we have them, with a warning."""
    requests = await request_store.page(outside.db, owner)
    client = await store.client(outside.db, owner)
    told: dict[str, Any] = {
        "requests": requests,
        "tasks": [],
        "group_meta": {
            "active_group_id": client["monday_active_group_id"] if client else None,
            "completed_group_id": client["monday_completed_group_id"] if client else None,
        },
    }
    wanted = [] if client is None else [client["monday_active_group_id"], client["monday_completed_group_id"]]
    groups = [one for one in wanted if one]
    if client is None or not client["monday_board_id"] or not groups:
        return {**told, "tasks": [_local_task(one, None) for one in requests]}
    chosen = await service.settings(outside.db)
    try:
        await spend(outside.db, (LISTS, str(owner)))
        async with outside.monday() as monday:
            tasks = await _tasks(monday, client, groups, chosen)
    except (VendorError, TooManyRequests) as error:
        outside.warn("requests_without_monday", reason=str(error))
        local = [_local_task(one, client["monday_active_group_id"]) for one in requests]
        return {**told, "tasks": local, "warning": "Monday.com cannot be asked right now: these are your requests."}
    waiting = [_local_task(one, client["monday_active_group_id"]) for one in requests if not one["monday_item_id"]]
    return {**told, "tasks": [*waiting, *tasks]}


async def _tasks(monday: Monday, client: Record, groups: list[str], chosen: MondaySettings) -> list[dict[str, Any]]:
    items = [
        item for item in await monday.items(client["monday_board_id"], groups) if rules.is_clients(item, chosen, client)
    ]
    assets = [asset_id for item in items for asset_id, _ in item.files()]
    urls = await monday.asset_urls(assets) if assets else {}
    return [_task(item, chosen, urls) for item in items]


def _task(item: Item, chosen: MondaySettings, urls: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "group": item.group,
        "group_id": item.group_id,
        "status": item.text(chosen.monday_status_column_id or ""),
        "due_date": item.day(chosen.monday_due_date_column_id or ""),
        "files": [
            {"asset_id": asset_id, "name": name, "public_url": urls[asset_id]}
            for asset_id, name in item.files()
            if urls.get(asset_id)
        ],
    }


def _local_task(request: Mapping[str, Any], group_id: str | None) -> dict[str, Any]:
    """A request in the shape of a task, while monday.com cannot show it."""
    return {
        "id": request["monday_item_id"] or request["id"],
        "name": request["title"] or _UNTITLED,
        "group": "",
        "group_id": group_id or "",
        "status": "Submitted" if request["monday_item_id"] else "Pending",
        "due_date": request["due_date"] or "",
        "files": [],
    }
