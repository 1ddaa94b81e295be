"""Tasks here and items at monday.com, kept the same in both directions.

One path settles a task: under its link's lease both sides are read as they are *now*, compared with what both were last
known to have, and what differs is written, there first, then here. Events of our tasks and the poll only say which
tasks to look at, so a lost, repeated or late one does no harm; and nothing echoes, because once both sides have the
same there is nothing to write. The rule: docs/decisions, "Whose task counts". Source: seeds DATA_FLOWS §5 and
INTEGRATIONS §4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from shared.areas.monday import links, rules, service, store, sync_store
from shared.areas.monday.models import FinishRequest, Item, Monday, MondaySettings, SyncDue, SyncItem
from shared.areas.monday.outside import Outside
from shared.areas.monday.rules import State
from shared.areas.tasks import changes
from shared.areas.tasks import items as task_items
from shared.areas.tasks.changes import Actor, Change, ItemChanged
from shared.db.database import Record, Transaction
from shared.errors import Park, Reconnect, Rejected, TryLater, VendorError

TOPIC: Final = "monday-sync-due"
_ACTOR: Final = Actor(None, "monday")


async def news(outside: Outside) -> list[UUID]:
    """The clients whose items should be read: monday.com says that something was done on their board, or a look is due.

    One question for all boards. Each client's looks say since when it counts, so that one that failed, or that nobody
    took, is asked for again; and what monday.com's log leaves out is found by the look that is due every hour.
    """
    clients = await sync_store.clients_to_ask_for(outside.db, outside.look_every)
    newest = await _newest(outside, [one for one in clients if not one["due"]])
    return [
        one["user_id"]
        for one in clients
        if one["due"] or rules.has_changed(one["looked_at"], newest.get(one["board_id"]))
    ]


async def _newest(outside: Outside, clients: Sequence[Record]) -> Mapping[str, datetime]:
    """Board → when something was last done there; nothing where monday.com does not say."""
    boards = sorted({one["board_id"] for one in clients if one["board_id"].isascii() and one["board_id"].isdigit()})
    if not boards:
        return {}
    since = min(one["looked_at"] for one in clients) - rules.CLOCKS
    try:
        async with outside.monday() as monday:
            return await monday.activity(boards, since)
    except VendorError as error:
        outside.warn("monday_not_asked", reason=str(error))
        return {}


async def hand_out(tx: Transaction, clients: Sequence[UUID]) -> int:
    """Have these clients' items read, and everything brought to monday.com that still waits here; how much does."""
    for request_id in await sync_store.take_waiting_requests(tx):
        await tx.enqueue("monday_finish_request", FinishRequest(request_id=request_id).model_dump(mode="json"))
    waiting = [link["id"] for link in await sync_store.links_that_may_wait(tx) if _waits(link)]
    await _enqueue(tx, waiting)
    if clients:
        await tx.publish_all(TOPIC, [SyncDue(client_id=one).model_dump(mode="json") for one in clients])
    return len(waiting)


async def follow(tx: Transaction, fact: ItemChanged) -> None:
    """A task changed here: have it settled, and linked first where its board is a client's. Our own hand is no news."""
    if fact.origin == "monday":
        return
    client = await sync_store.client_of_board(tx, fact.board_id)
    link_id = (
        await sync_store.ensure_link(tx, client, fact.item_id) if client else await sync_store.link_of(tx, fact.item_id)
    )
    if link_id is not None:
        await _enqueue(tx, [link_id])


async def look(outside: Outside, due: SyncDue) -> int:
    """Read a client's items, adopt new ones, and have every task settled that differs; how many.

    Kept as a look only when all of that is done: until then every poll asks for it.
    """
    began = datetime.now(UTC)
    client = await store.client(outside.db, due.client_id)
    if client is None or not (client["monday_board_id"] and client["task_board_id"] and client["groups"]):
        return 0
    chosen = await service.settings(outside.db)
    known = await sync_store.links(outside.db, due.client_id)
    try:
        found = await _read(outside, client, known)
    except (Rejected, Reconnect):
        await sync_store.look_refused(outside.db, client)
        raise
    differing = [link["id"] for link in known if _differs(link, found.get(link["monday_item_id"]), chosen)]
    async with outside.transaction() as tx:
        await _enqueue(tx, await sync_store.take_unqueued(tx, differing))
    mine = [item for item in found.values() if item.is_active and rules.is_clients(item, chosen, client)]
    linked = await sync_store.known(outside.db, [item.id for item in mine])
    for item in mine:
        if item.id not in linked:
            await _adopt(outside, client, item, chosen)
    await sync_store.looked(outside.db, client, began)
    return len(differing)


async def _read(outside: Outside, client: Record, known: Sequence[Record]) -> dict[str, Item]:
    """A client's items by their ids: those in its groups, and those of its tasks that are elsewhere by now."""
    async with outside.monday() as monday:
        found = {item.id: item for item in await monday.items(client["monday_board_id"], client["groups"])}
        elsewhere = [
            link["monday_item_id"]
            for link in known
            if link["monday_item_id"]
            and link["monday_item_id"] not in found
            and not (link["base"] or {}).get("archived")
        ]
        found |= {item.id: item for item in await monday.items_by_id(elsewhere)} if elsewhere else {}
    return found


def _differs(link: Record, item: Item | None, chosen: MondaySettings) -> bool:
    """Whether there may be something to do, here or there."""
    if link["refused"] or link["monday_item_id"] is None:
        return _waits(link)
    ours, base = _ours(link, link["item_name"]), State.read(link["base"])
    theirs = rules.state_of(item, chosen, ours) if item else _gone(base or ours)
    return theirs != base or _has_new_comments(link, item) or _waits(link)


def _waits(link: Record) -> bool:
    """Whether a task has what its item has not got; one that monday.com refused waits for a change, or for a day."""
    if link["refused"]:
        return False
    ours = _ours(link, link["item_name"])
    if ours.archived:
        return link["monday_item_id"] is not None and ours != State.read(link["base"])
    return bool(link["comments_wait"]) or ours != State.read(link["base"])


def _has_new_comments(link: Record, item: Item | None) -> bool:
    return item is not None and item.is_active and item.last_update_id not in ("", link["last_update_id"])


def _gone(known: State) -> State:
    """A deleted item: as it was, and archived."""
    return State(known.name, known.status, known.due_date, True)


def _ours(row: Record, name: str) -> State:
    return State.of(name, row["status"], row["due_date"], row["archived"])


async def _enqueue(tx: Transaction, link_ids: Sequence[UUID]) -> None:
    await sync_store.queued(tx, link_ids)
    for link_id in link_ids:
        await tx.enqueue("monday_sync_item", SyncItem(link_id=link_id).model_dump(mode="json"))


async def _adopt(outside: Outside, client: Record, item: Item, chosen: MondaySettings) -> None:
    """An item that somebody made at monday.com becomes a task here; one of ours that is on its way does not."""
    state = rules.state_of(item, chosen)
    async with outside.transaction() as tx:
        if await sync_store.is_being_created(tx, item.board_id, item.name):
            return
        group_id = await sync_store.first_group(tx, client["task_board_id"])
        if group_id is None:
            return
        item_id = await sync_store.adopt(
            tx, client, group_id, item.id, item.group_id, state=state.as_json(), due=_day(state.due_date)
        )
        if item_id is not None:
            await changes.record(tx, _ACTOR, [(item_id, client["task_board_id"], [Change(what="created")])])


async def settle(outside: Outside, work: SyncItem) -> None:
    """Bring one task and its item to the same. TryLater when monday.com, or another run, asks to wait."""
    async with links.leased(outside.db, work.link_id) as link:
        task = await sync_store.task(outside.db, link["task_item_id"]) if link["task_item_id"] else None
        if task is None:
            raise Park("the task is gone")
        chosen = await service.settings(outside.db)
        try:
            async with outside.monday() as monday:
                item_id, newest = await _settle(outside, monday, link, task, chosen)
                if item_id is not None:
                    await _exchange_comments(outside, monday, link, item_id, newest)
        except Rejected as error:
            await sync_store.refused(outside.db, work.link_id, str(error))
            raise


async def _settle(
    outside: Outside, monday: Monday, link: Record, task: Record, chosen: MondaySettings
) -> tuple[str | None, str]:
    """Settle what the two have; the item's id, None when there is none, and the id of its newest comment."""
    ours, base, item_id = _ours(task, task["name"]), State.read(link["base"]), link["monday_item_id"]
    if item_id is None:
        return None if ours.archived else await _create(outside, monday, link, ours, chosen), ""
    found = await monday.items_by_id([item_id])
    if not found:  # deleted, unless it is the board that we see no more: then nothing here may change
        await monday.groups(link["board_id"])
    theirs = rules.state_of(found[0], chosen, ours) if found else _gone(base or ours)
    both = rules.merge(base, ours, theirs)
    if theirs.archived and not both.archived:  # monday.com cannot bring it back
        async with outside.transaction() as tx:
            await sync_store.forget_item(tx, link, both.name)
        raise TryLater("link", reason="the item is made anew", retry_after_s=1)
    if not theirs.archived:
        await _write_there(monday, found[0], theirs, both, chosen)
    async with outside.transaction() as tx:
        await _write_here(tx, link, ours, both)
        await sync_store.settle(tx, link["id"], both.as_json())
    return (None, "") if both.archived else (item_id, found[0].last_update_id)


async def _create(outside: Outside, monday: Monday, link: Record, ours: State, chosen: MondaySettings) -> str:
    link = await links.renewed(outside.db, link, ours.name)
    values = rules.column_values(None, ours, chosen)
    client = await store.client(outside.db, link["client_id"])
    if client and client["client_identifier_value"] and chosen.monday_client_column_id:
        values[chosen.monday_client_column_id] = client["client_identifier_value"]
    item_id, whole = await links.create(outside.db, monday, link, values)
    async with outside.transaction() as tx:
        base = State(link["name"], ours.status, ours.due_date, False)
        # what it surely has: where a try may have made it with less, only its name is known
        await links.created(tx, link["id"], item_id, base=base.as_json() if whole else None)
        await sync_store.name_item(tx, link["task_item_id"], link["board_id"], item_id)
    if not whole or link["name"] != ours.name:
        raise TryLater("link", reason="the item has to be looked at", retry_after_s=1)
    return item_id


async def _write_there(monday: Monday, item: Item, theirs: State, both: State, chosen: MondaySettings) -> None:
    if both.archived:
        await monday.archive_item(item.id)
        return
    values: dict[str, Any] = rules.column_values(theirs, both, chosen)
    if both.name != theirs.name:
        values["name"] = both.name
    if values:
        await monday.change_values(item.board_id, item.id, values)


async def _write_here(tx: Transaction, link: Record, read: State, both: State) -> None:
    """Give the task what both should have; TryLater when somebody changed it since it was read."""
    row = await sync_store.lock(tx, link["task_item_id"])
    if row is None:
        raise Park("the task is gone")
    if _ours(row, row["name"]) != read:
        raise TryLater("link", reason="the task changed meanwhile", retry_after_s=1)
    given: dict[str, Any] = {
        **({"name": both.name} if both.name != read.name else {}),
        **({"status": both.status} if both.status != read.status else {}),
        **({"due_date": _day(both.due_date)} if both.due_date != read.due_date else {}),
    }
    await task_items.apply(tx, row, given, _ACTOR)
    if both.archived != read.archived:
        await sync_store.set_archived(tx, row["id"], both.archived)
        what = Change(what="archived" if both.archived else "restored")
        await changes.record(tx, _ACTOR, [(row["id"], row["board_id"], [what])])


async def _exchange_comments(outside: Outside, monday: Monday, link: Record, item_id: str, newest: str) -> None:
    """Comments made since the task is linked, each once on the other side."""
    waiting = await sync_store.comments_to_send(outside.db, link)
    if not waiting and newest in ("", link["last_update_id"]):
        return
    there = list(await monday.updates(item_id))
    known = await sync_store.known_updates(outside.db, link["id"])
    for comment in waiting:
        text = f"{comment['author']}: {comment['content']}"
        tries = await sync_store.count_comment_try(outside.db, link["id"], comment["id"])
        made = next((u.id for u in there if u.id not in known and rules.same_text(u.text, text)), None)
        sent = made if tries > 1 and made else await monday.add_update(item_id, rules.as_html(text))
        await sync_store.commented(outside.db, comment["id"], sent)
        known.add(sent)
    for update in reversed(there):
        if update.id not in known and update.text.strip() and update.created_at >= _iso(link):
            await sync_store.add_comment(outside.db, link, update.id, update.creator_id, update.text.strip())
    if there:
        await sync_store.looked_at_comments(outside.db, link["id"], there[0].id)


def _iso(link: Record) -> str:
    moment: str = link["created_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return moment


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
