"""The labels that items' statuses are shown by: a board's own, the global ones, the default ones.

A board without labels of its own shows the global and the default ones. Items and automations hold a label's text, so
renaming a label renames it there too; deleting one leaves them as they are. Source: spec api-tasks §4.
"""

from __future__ import annotations

from uuid import UUID

from shared.areas.tasks import access, shapes
from shared.areas.tasks.audit import By, record
from shared.areas.tasks.models import ChangeLabel, CreateLabel
from shared.db.database import Executor, Record, Transaction
from shared.errors import Conflict, Forbidden, Invalid, NotFound

_UPDATE_OWN = """
    with l as (
        update task_board_status_labels
        set label = $2, color = $3, order_index = $4, is_done_state = $5 where id = $1 returning *
    ) select json_build_object('status_label', {board_label})::text from l
"""
_UPDATE_GLOBAL = """
    with l as (
        update task_global_status_labels
        set label = $2, color = $3, order_index = $4, is_done_state = $5 where id = $1 returning *
    ) select json_build_object('status_label', {global_label})::text from l
"""
# The boards that show a label of board $1, or for null a global one, by the text $2.
_SHOWN_BY = """board as (
        select b.id from task_boards b where b.id = $1 or $1::uuid is null and not exists (
            select from task_board_status_labels own
            where own.board_id = b.id and lower(btrim(own.label)) = lower(btrim($2)))
    )"""
_RENAME_STATUSES = " ".join(("with", _SHOWN_BY, """, renamed as (
        update task_items i set status = $3 from task_groups g join board on board.id = g.board_id
        where g.id = i.group_id and lower(btrim(i.status)) = lower(btrim($2))
    )
    update task_subitems s set status = $3
    from task_items i join task_groups g on g.id = i.group_id join board on board.id = g.board_id
    where i.id = s.parent_item_id and lower(btrim(s.status)) = lower(btrim($2))"""))  # fmt: skip
_RENAMED = """
    set trigger_config = case when lower(btrim(trigger_config ->> 'to_status')) = lower(btrim($2))
            then trigger_config || jsonb_build_object('to_status', $3::text) else trigger_config end,
        action_config = case when lower(btrim(action_config ->> 'status')) = lower(btrim($2))
            then action_config || jsonb_build_object('status', $3::text) else action_config end
    where lower(btrim($2)) in (lower(btrim(trigger_config ->> 'to_status')), lower(btrim(action_config ->> 'status')))
"""
_RENAME_IN_AUTOMATIONS = " ".join((
    "with", _SHOWN_BY, """, renamed as (
        update task_board_automations""", _RENAMED, """and board_id in (select id from board)
    )
    update task_global_automations""", _RENAMED, "and $1::uuid is null",
))  # fmt: skip


async def list_of_board(db: Executor, user_id: UUID, board_id: UUID) -> str:
    """``{"status_labels": […]}``: global ones first, a board's own of the same text in their place."""
    return await access.read(
        db, "board", user_id, board_id,
        """
        select json_build_object('status_labels', (
            select coalesce(json_agg({label} order by l.part, l.place, l.text_key), '[]')
            from task_labels l where l.board_id = seen.id))::text from seen
        """,
    )  # fmt: skip


async def create(tx: Transaction, user_id: UUID, board_id: UUID, wanted: CreateLabel) -> str:
    """``{"status_label": …}``, after the last one unless its place is given; Conflict for a text that is there."""
    await access.board(tx, user_id, board_id, manage=True, lock="change")
    await _refuse_second(tx, board_id, wanted.label)
    return await shapes.text(
        tx,
        """
        with l as (
            insert into task_board_status_labels (board_id, label, color, is_done_state, order_index)
            values ($1, $2, $3, $4, coalesce($5, (
                select coalesce(max(order_index) + 1, 0) from task_board_status_labels where board_id = $1)))
            returning *
        ) select json_build_object('status_label', {board_label})::text from l
        """,
        board_id, wanted.label, wanted.color, wanted.is_done_state, wanted.order_index,
    )  # fmt: skip


async def copy_defaults(tx: Transaction, user_id: UUID, board_id: UUID) -> str:
    """``{"status_labels": […]}``: the five default ones as the board's own; Invalid when it has some."""
    await access.board(tx, user_id, board_id, manage=True, lock="change")
    if await tx.fetchval("select true from task_board_status_labels where board_id = $1 limit 1", board_id):
        raise Invalid("This board has labels of its own already.", code="ALREADY_INITIALISED")
    return await shapes.text(
        tx,
        """
        with l as (
            insert into task_board_status_labels (board_id, label, color, order_index, is_done_state)
            select $1, label, color, order_index, is_done_state from task_default_labels returning *
        ) select json_build_object('status_labels', json_agg({board_label} order by l.order_index))::text from l
        """,
        board_id,
    )  # fmt: skip


async def list_global(db: Executor) -> str:
    """``{"status_labels": […]}`` by place, then text."""
    return await shapes.text(
        db,
        """
        select json_build_object('status_labels', coalesce(
            json_agg({global_label} order by l.order_index, lower(l.label)), '[]'))::text
        from task_global_status_labels l
        """,
    )  # fmt: skip


async def create_global(tx: Transaction, user_id: UUID, wanted: CreateLabel) -> str:
    """``{"status_label": …}``, after the last one unless its place is given; Conflict for a text that is there."""
    await _lock_global(tx)
    await _refuse_second(tx, None, wanted.label)
    return await shapes.text(
        tx,
        """
        with l as (
            insert into task_global_status_labels (created_by, label, color, is_done_state, order_index)
            values ($1, $2, $3, $4, coalesce($5, (
                select coalesce(max(order_index) + 1, 0) from task_global_status_labels)))
            returning *
        ) select json_build_object('status_label', {global_label})::text from l
        """,
        user_id, wanted.label, wanted.color, wanted.is_done_state, wanted.order_index,
    )  # fmt: skip


async def change(tx: Transaction, by: By, label_id: UUID, wanted: ChangeLabel) -> str:
    """``{"status_label": …}`` of a board's label, or for admins of a global one; the trail tells of a new text."""
    label = await _find(tx, by, label_id)
    given = wanted.given
    text = str(given.get("label", label["label"]))
    if text != label["label"]:
        await _refuse_second(tx, label["board_id"], text, but=label_id)
        await _rename_everywhere(tx, label, text)
        await record(tx, by, "task_label_renamed", label_id, **_was(label), to=text)
    return await shapes.text(
        tx,
        _UPDATE_OWN if label["board_id"] else _UPDATE_GLOBAL,
        label_id, text, given.get("color", label["color"]), given.get("order_index", label["order_index"]),
        given.get("is_done_state", label["is_done_state"]),
    )  # fmt: skip


async def delete(tx: Transaction, by: By, label_id: UUID) -> None:
    """Delete a board's label, or for admins a global one; items keep their status."""
    label = await _find(tx, by, label_id)
    if label["board_id"]:
        await tx.execute("delete from task_board_status_labels where id = $1", label_id)
    else:
        await tx.execute("delete from task_global_status_labels where id = $1", label_id)
    await record(tx, by, "task_label_deleted", label_id, **_was(label))


def _was(label: Record) -> dict[str, str | None]:
    """Which label it was, for the trail."""
    return {"label": label["label"], "board_id": label["board_id"] and str(label["board_id"])}


async def _find(tx: Transaction, by: By, label_id: UUID) -> Record:
    """The label, for one who may change it, with its board (or the global ones) locked."""
    find = """
        select id, board_id, label, color, order_index, is_done_state from task_board_status_labels where id = $1
        union all
        select id, null, label, color, order_index, is_done_state from task_global_status_labels where id = $1
    """
    label = await tx.fetchrow(find, label_id)
    if label is not None and label["board_id"]:
        await access.board(tx, by.user.id, label["board_id"], manage=True, lock="change")
    elif label is not None:
        if not by.user.is_admin:
            raise Forbidden("Only admins may change the labels of all boards.")
        await _lock_global(tx)
    label = label and await tx.fetchrow(find, label_id)  # as it is now that nobody else changes it
    if label is None:
        raise NotFound("There is no such label.")
    return label


async def _lock_global(tx: Transaction) -> None:
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('global task labels', 0))")


async def _refuse_second(tx: Transaction, board_id: UUID | None, text: str, *, but: UUID | None = None) -> None:
    taken = await tx.fetchval(
        """
        select true from (
            select id, label from task_board_status_labels where board_id = $1
            union all select id, label from task_global_status_labels where $1::uuid is null
        ) l where lower(btrim(label)) = lower(btrim($2)) and id is distinct from $3 limit 1
        """,
        board_id, text, but,
    )  # fmt: skip
    if taken:
        raise Conflict("There is a label of this text already.", code="LABEL_EXISTS")


async def _rename_everywhere(tx: Transaction, label: Record, text: str) -> None:
    """Give items, subitems and automations that name the label its new text; where it is global, those of everybody and
    of boards without their own of the old one. Renaming is no change of an item: neither its place in a list nor its
    trail tells of it."""
    for statement in (_RENAME_STATUSES, _RENAME_IN_AUTOMATIONS):
        await tx.execute(statement, label["board_id"], label["label"], text)
