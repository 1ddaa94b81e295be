"""A person's rating, from the dashboard to CTM, whenever CTM can take it.

The rating and the work to post it are one commit. Posting holds a lease on the call, so that two ratings never overtake
each other; until CTM has it, it is pending, and no sync takes it away. The rule: docs/decisions, "Whose rating counts".
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from shared.areas.leads import rules, store
from shared.areas.leads.models import PushRating
from shared.areas.leads.outside import Outside, cool_down, is_connected, open_account, require_warm
from shared.db.database import Record, Transaction
from shared.errors import Invalid, NotFound, Park, TryLater

LEASE = timedelta(seconds=60)  # longer than CTM may take for the question and the answer
NO_CALL = "There is no such call."


async def rate(tx: Transaction, owner: UUID, call_id: str, score: int) -> None:
    """Give *score* stars (0 takes them away), with the category they mean, and have them posted to CTM."""
    account = await store.account(tx, owner)
    connected = is_connected(account)
    before = await store.set_rating(tx, owner, call_id, score, connected=connected)
    if before is None:
        raise NotFound(NO_CALL)
    if score:
        await store.set_category(tx, owner, call_id, rules.category_of_rating(score, before["category"]), "rating")
    else:
        by, change = rules.category_without_rating(before["category_by"], before["classification"])
        await store.set_category(tx, owner, call_id, change.get("category"), by)
    if connected:
        await tx.enqueue("leads_push_rating", PushRating(owner_id=owner, call_id=call_id).model_dump(mode="json"))


async def resend_forgotten(tx: Transaction, owner: UUID) -> None:
    """Enqueue anew what has waited for an hour: no outage of CTM, however long, loses a rating."""
    for row in await store.take_forgotten_ratings(tx, owner):
        work = PushRating(owner_id=owner, call_id=row["call_id"])
        await tx.enqueue("leads_push_rating", work.model_dump(mode="json"))


async def post(outside: Outside, work: PushRating) -> None:
    """Post the call's rating as it is now, until CTM has the latest; nothing when CTM has it already.

    A sale's value stays what CTM says it is. TryLater when CTM, or another run of the same, asks to wait.
    """
    while True:
        row = await store.take_rating_to_post(outside.db, work.owner_id, work.call_id, LEASE)
        if row is None:
            if await store.is_rating_pending(outside.db, work.owner_id, work.call_id):
                raise TryLater("ctm", reason="another run is posting")
            return
        try:
            settled = await _post(outside, work, row["score"], row)
        except BaseException:
            await store.end_posting(outside.db, work.owner_id, work.call_id)
            raise
        if settled:
            return


async def _post(outside: Outside, work: PushRating, score: int, row: Record) -> bool:
    try:
        account = await open_account(outside, work.owner_id)
    except Invalid as error:
        raise Park(error.message) from error
    await require_warm(outside, account.number)
    try:
        held = await account.ctm.sale(work.call_id)
        if not rules.may_post(row["score_by"], row["ctm_score"], held.score):
            return await _give_way(outside, work, row["rating_rev"], held.score)
        if held.score != score:
            day = date.fromisoformat(held.day) if held.day else (row["started_at"] or datetime.now(UTC)).date()
            await account.ctm.rate(work.call_id, score=score, conversion=int(score == 5), value=held.value, on=day)
    except TryLater as error:
        await cool_down(outside, account.number, error)
        raise
    return await store.rating_posted(outside.db, work.owner_id, work.call_id, row["rating_rev"], score)


async def _give_way(outside: Outside, work: PushRating, rev: int, held: int) -> bool:
    """A person rated the call in CTM before our automatic stars got there: theirs count."""
    async with outside.transaction() as tx:
        row = await store.yield_rating(tx, work.owner_id, work.call_id, rev, held)
        if row is None:
            await store.end_posting(tx, work.owner_id, work.call_id)
            return False
        await store.set_category(
            tx, work.owner_id, work.call_id, rules.category_of_rating(held, row["category"]), "rating"
        )
    return True
