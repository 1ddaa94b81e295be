"""Runs automations: each rule once for each change, and once for each item and due date, however often it is sent.

Everything an action does is a row (a status, an update, a notice, a mail in its log), so the run and its effect are one
commit, and the run's unique fingerprint keeps a second delivery from having a second effect. What an automation does
to an item starts no further automation. Source: spec api-tasks §9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from shared.areas.emails.telling import Telling
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.tasks import automation_rules as rules
from shared.areas.tasks import items
from shared.areas.tasks.automation_rules import Notify, OnDueDate, OnStatusChange
from shared.areas.tasks.changes import Actor, Change, ItemChanged
from shared.areas.tasks.telling import NOTICES, link
from shared.db import counters
from shared.db.database import Executor, Record, Transaction
from shared.errors import Invalid, TooManyRequests

NOBODY: Final = "There is nobody to tell."
NO_DIFFERENCE: Final = "The item is so already."
ENOUGH: Final = "This rule told people too often in the last minute."
_TITLES: Final = {
    rules.STATUS_CHANGE: "A task changed its status",
    rules.ASSIGNEE_ADDED: "A task was assigned",
    rules.DUE_DATE: "A task's due date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What a rule reacts to. ``facts`` go into the run and the notice; ``fingerprint`` makes the run the only one."""

    trigger_type: str
    facts: dict[str, Any]
    fingerprint: str
    actor_id: UUID | None = None
    assignee_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    reason: str | None = None


DONE: Final = Outcome("success")


@dataclass(slots=True)
class Ran:
    """How many runs ended how."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        self.counts[outcome.status] = self.counts.get(outcome.status, 0) + 1


def starts(fact: ItemChanged, change_id: str) -> list[Happened]:
    """What rules may react to in a change. Only what a person did starts any; nor does making an item."""
    if fact.origin != "person":
        return []
    return [found for change in fact.changes if (found := _happened(change, fact.by, change_id)) is not None]


def _happened(change: Change, by: UUID | None, change_id: str) -> Happened | None:
    match change:
        case Change(what="status", old=str(old), new=str(new)) if old != new:
            return Happened(
                trigger_type=rules.STATUS_CHANGE,
                facts={"from_status": old, "to_status": new},
                fingerprint=rules.change_fingerprint(rules.STATUS_CHANGE, change_id),
                actor_id=by,
            )
        case Change(what="assignee_added", new=str(added)):
            return Happened(
                trigger_type=rules.ASSIGNEE_ADDED,
                facts={"assignee_user_id": added},
                fingerprint=rules.change_fingerprint(rules.ASSIGNEE_ADDED, f"{change_id}:{added}"),
                actor_id=by,
                assignee_id=UUID(added),
            )
    return None


async def run_for_change(tx: Transaction, item_id: UUID, happened: Sequence[Happened], told: Telling) -> Ran:
    """Run the rules that a change of an item starts: the board's, then everybody's, each oldest first."""
    ran = Ran()
    item = await items.locked(tx, item_id) if happened else None  # one after the other where two change it
    if item is None:
        return ran
    for one in happened:
        for rule in await _active(tx, one.trigger_type, item["board_id"]):
            outcome = await _run_if_meant(tx, rule, item, one, told)
            if outcome is not None:
                ran.add(outcome)
    return ran


async def _run_if_meant(
    tx: Transaction, rule: Record, item: Record, happened: Happened, told: Telling
) -> Outcome | None:
    try:
        trigger = rules.trigger_of(rule["trigger_type"], rule["trigger_config"])
    except Invalid as problem:
        return await _run(tx, rule, item, happened, told, broken=problem.message)
    if isinstance(trigger, OnStatusChange) and not rules.status_matches(trigger, happened.facts["to_status"]):
        return None
    return await _run(tx, rule, item, happened, told)


async def due_rules(db: Executor) -> Sequence[Record]:
    """The active rules about due dates, in the order in which they run."""
    return await _active(db, rules.DUE_DATE, None)


async def run_due(tx: Transaction, rule: Record, today: date, told: Telling, ran: Ran, *, at_most: int) -> bool:
    """Run a due-date rule for some of the items it is about today; whether there may be more of them.

    An item somebody is changing at this moment is left to the next hour.
    """
    try:
        trigger = rules.trigger_of(rule["trigger_type"], rule["trigger_config"])
    except Invalid as problem:
        ran.add(await _note_broken(tx, rule, today, problem.message))
        return False
    assert isinstance(trigger, OnDueDate), "the rule was chosen by its type"
    day = rules.due_day(trigger, today)
    happened = Happened(
        trigger_type=rules.DUE_DATE,
        facts={"days_from_due": trigger.days_from_due, "due_date": day.isoformat()},
        fingerprint=rules.due_fingerprint(trigger.days_from_due, day),
    )
    due = await _due_items(tx, rule, day, happened.fingerprint, at_most)
    for item in due:
        ran.add(await _run(tx, rule, item, happened, told))
    return len(due) == at_most


async def _run(
    tx: Transaction, rule: Record, item: Record, happened: Happened, told: Telling, *, broken: str = ""
) -> Outcome:
    """One rule on one item: claimed first, acted on only if the claim is new."""
    run_id = await tx.fetchval(
        """
        insert into task_automation_runs (scope, automation_id, board_id, item_id, trigger_type, trigger_fingerprint,
                                          meta, ran_at)
        values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
        on conflict (scope, automation_id, item_id, trigger_fingerprint) where trigger_fingerprint is not null
        do nothing returning id
        """,
        rule["scope"], rule["id"], rule["board_id"], item["id"], happened.trigger_type, happened.fingerprint,
        happened.facts,
    )  # fmt: skip
    if run_id is None:
        return Outcome("repeated")
    outcome = Outcome("error", broken) if broken else await _act(tx, rule, item, happened, told)
    if outcome is not DONE:
        await tx.execute(
            "update task_automation_runs set status = $2, error = $3 where id = $1",
            run_id, outcome.status, outcome.reason,
        )  # fmt: skip
    return outcome


async def _act(tx: Transaction, rule: Record, item: Record, happened: Happened, told: Telling) -> Outcome:
    try:
        action = rules.action_of(rule["action_type"], rule["action_config"])
    except Invalid as problem:
        return Outcome("error", problem.message)
    match action:
        case Notify():
            return await _notify(tx, action, rule, item, happened, told)
        case rules.SetStatus():
            return await _set(tx, item["id"], status=action.status)
        case rules.SetNeedsAttention():
            return await _set(tx, item["id"], needs_attention=action.value)
        case rules.AddUpdate():
            await tx.execute(
                """
                insert into task_updates (item_id, user_id, content, created_at)
                values ($1, null, $2, clock_timestamp())
                """,
                item["id"],
                action.content,
            )
    return DONE


_BY_AUTOMATION: Final = Actor(None, "automation")


async def _set(tx: Transaction, item_id: UUID, **values: str | bool) -> Outcome:
    """Give an item another value, as any other change is made; automations do not listen to their own."""
    now = await items.locked(tx, item_id)  # an earlier rule may have changed it
    if now is None or not await items.apply(tx, now, values, _BY_AUTOMATION):
        return Outcome("skipped", NO_DIFFERENCE)
    return DONE


async def _notify(
    tx: Transaction, action: Notify, rule: Record, item: Record, happened: Happened, told: Telling
) -> Outcome:
    people = await _recipients(tx, rule["action_type"], item["id"], happened)
    if not people:
        return Outcome("skipped", NOBODY)
    if happened.actor_id is not None and not await _may_tell(tx, rule["id"]):
        return Outcome("skipped", ENOUGH)
    notice = Notice(
        title=action.title or _TITLES[happened.trigger_type],
        body=action.body or item["name"],
        link=action.link_url or link(item["board_id"], item["id"]),
        meta={
            "source": "tasks_automation",
            "scope": rule["scope"],
            "board_id": str(item["board_id"]),
            "item_id": str(item["id"]),
            "automation_id": str(rule["id"]),
            "actor_user_id": happened.actor_id and str(happened.actor_id),
            "event": {"type": happened.trigger_type, **happened.facts},
        },
    )
    await notifications.notify(tx, people, notice, site=told.site, key_ring=told.key_ring)
    return DONE


async def _may_tell(tx: Transaction, rule_id: UUID) -> bool:
    """Whether a rule that answers to people may mail once more; due dates come once for an item."""
    try:
        await counters.spend(tx, (NOTICES, str(rule_id)))
    except TooManyRequests:
        return False
    return True


async def _recipients(tx: Transaction, action_type: str, item_id: UUID, happened: Happened) -> list[UUID]:
    if action_type == rules.NOTIFY_ADMINS:
        rows = await tx.fetch("select id from users where role in ('superadmin', 'admin', 'editor') order by email")
        return [row["id"] for row in rows]
    if happened.trigger_type == rules.ASSIGNEE_ADDED:
        added = happened.assignee_id
        return [added] if added is not None and added != happened.actor_id else []
    rows = await tx.fetch(
        "select user_id from task_item_assignees where item_id = $1 and user_id is distinct from $2 order by user_id",
        item_id, happened.actor_id,
    )  # fmt: skip
    return [row["user_id"] for row in rows]


async def _active(db: Executor, trigger_type: str, board_id: UUID | None) -> list[Record]:
    """Active rules of a kind: those of a board (of all boards for None), then everybody's, each oldest first."""
    return await db.fetch(
        """
        select 'board' as scope, id, board_id, trigger_type, trigger_config, action_type, action_config, created_at
        from task_board_automations where is_active and trigger_type = $1 and ($2::uuid is null or board_id = $2)
        union all
        select 'global', id, null, trigger_type, trigger_config, action_type, action_config, created_at
        from task_global_automations where is_active and trigger_type = $1
        order by scope, created_at, id
        """,
        trigger_type, board_id,
    )  # fmt: skip


async def _due_items(tx: Transaction, rule: Record, day: date, fingerprint: str, at_most: int) -> list[Record]:
    """Live items that are due on *day* and not done, and for which the rule has not run."""
    return await tx.fetch(
        """
        select i.id, i.name, g.board_id
        from task_items i join task_groups g on g.id = i.group_id
        where i.archived_at is null and i.due_date = $1 and ($2::uuid is null or g.board_id = $2)
          and not coalesce((
              select l.is_done_state from task_labels l
              where l.board_id = g.board_id and l.text_key = lower(btrim(i.status))
          ), lower(btrim(i.status)) = 'done')
          and not exists (
              select from task_automation_runs r
              where r.scope = $3 and r.automation_id = $4 and r.item_id = i.id and r.trigger_fingerprint = $5
          )
        order by i.id limit $6 for no key update of i skip locked
        """,
        day, rule["board_id"], rule["scope"], rule["id"], fingerprint, at_most,
    )  # fmt: skip


async def _note_broken(tx: Transaction, rule: Record, today: date, reason: str) -> Outcome:
    """Say once a day that a rule cannot run."""
    noted = await tx.execute(
        """
        insert into task_automation_runs (scope, automation_id, board_id, trigger_type, trigger_fingerprint, status,
                                          error)
        select $1, $2, $3, $4, $5, 'error', $6 where not exists (
            select from task_automation_runs where scope = $1 and automation_id = $2 and trigger_fingerprint = $5
        )
        """,
        rule["scope"], rule["id"], rule["board_id"], rule["trigger_type"], f"{rules.DUE_DATE}:broken:{today}", reason,
    )  # fmt: skip
    return Outcome("error" if noted else "repeated", reason)
