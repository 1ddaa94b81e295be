"""A person's rating, from the dashboard to CTM, whenever CTM can take it.

The rating and the work to post it are one commit. Posting holds a lease on the call, so that two ratings never overtake
each other; until CTM has it, it is pending, and no sync takes it away. While CTM is out, the queue's back-off would
double each rating's wait; instead one task for each client is the probe that asks again, and brings the others along.
The rule: docs/decisions, "Whose rating counts".
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.areas.leads import rules, store
from shared.areas.leads.models import PushRating
from shared.areas.leads.outside import Outside, is_connected, open_account
from shared.areas.leads.rules import By
from shared.areas.pauses import Pausing
from shared.db.database import Record, Transaction
from shared.errors import Invalid, NotFound, Reconnect, Rejected, TryLater

FIRST_PROBE_S = 2.0  # after the first failure; it doubles
LEASE = timedelta(seconds=60)  # longer than CTM may take for the question and the answer
LONGEST_PROBE_S = 10.0  # between two probes: what a rating waits at most after an outage, unless CTM names a time
NO_CALL = "There is no such call."
Finish = Callable[[], AbstractAsyncContextManager[Transaction]]  # of a job


async def rate(tx: Transaction, owner: UUID, call_id: str, score: int) -> None:
    """Give *score* stars (0 takes them away), with the category they mean, and have them posted to CTM.

    While the client is not connected, the rating waits for a sync after it is.
    """
    before = await store.set_rating(tx, owner, call_id, score)
    if before is None:
        raise NotFound(NO_CALL)
    if score:
        await store.set_category(tx, owner, call_id, rules.category_of_rating(score, before["category"]), "rating")
    else:
        by, change = rules.category_without_rating(before["category_by"], before["classification"])
        await store.set_category(tx, owner, call_id, change.get("category"), by)
    if is_connected(await store.account(tx, owner)):
        await send(tx, owner, call_id, "user")


async def send(tx: Transaction, owner: UUID, call_id: str, by: By) -> None:
    """Have the call's rating posted. Automatic ones have a queue of their own: a person's does not wait for a crowd."""
    function = "leads_push_auto_star" if by == "auto" else "leads_push_rating"
    await tx.enqueue(function, PushRating(owner_id=owner, call_id=call_id).model_dump(mode="json"))


async def resend_forgotten(tx: Transaction, owner: UUID) -> None:
    """Enqueue anew what has waited for an hour: no outage of CTM, however long, loses a rating."""
    for row in await store.take_waiting_ratings(tx, owner, store.RESEND_AFTER):
        await send(tx, owner, row["call_id"], row["score_by"])


async def push(outside: Outside, finish: Finish, work: PushRating) -> None:
    """Post, and with the commit that marks the work done, see to what must follow.

    While CTM is out, the rating waits, and one task for each client asks again every few seconds; when CTM answers that
    one, all the others follow.
    """
    try:
        await post(outside, work)
    except Pausing as pausing:
        async with finish() as tx:
            await _ask_again(tx, work, pausing)
        return
    except (Rejected, Reconnect):
        if work.call_id is not None:
            raise
    if work.call_id is None:
        async with finish() as tx:
            await _follow(tx, work.owner_id)


async def _ask_again(tx: Transaction, work: PushRating, pausing: Pausing) -> None:
    """Have one task ask CTM again after the pause, for all of the client's ratings, unless one is on its way."""
    guess = min(FIRST_PROBE_S * 2 ** min(work.failures, 10), LONGEST_PROBE_S)
    wait = timedelta(seconds=max(pausing.pause_s, guess))
    due = await store.take_retry(tx, work.owner_id, wait, work.due)
    if due is not None:
        probe = PushRating(owner_id=work.owner_id, due=due, failures=work.failures + 1)
        await tx.enqueue("leads_push_rating", probe.model_dump(mode="json"), not_before=due)


async def _follow(tx: Transaction, owner: UUID) -> None:
    """CTM answered the probe: the other ratings that wait are on their way at once."""
    for row in await store.take_waiting_ratings(tx, owner, timedelta()):
        await send(tx, owner, row["call_id"], row["score_by"])


async def post(outside: Outside, work: PushRating) -> None:
    """Post the call's rating as it is now, until CTM has the latest; nothing when CTM has it already.

    A sale's value stays what CTM says it is. A client that is not connected, or a call that CTM does not have, is no
    failure: there is nothing to post to. Pausing when CTM is out, TryLater when another run is posting.
    """
    call_id = work.call_id or await store.waiting_rating(outside.db, work.owner_id)
    if call_id is None:
        return
    while True:
        row = await store.take_rating_to_post(outside.db, work.owner_id, call_id, LEASE)
        if row is None:
            if await store.is_rating_pending(outside.db, work.owner_id, call_id):
                raise TryLater("ctm", reason="another run is posting")
            return
        try:
            settled = await _post(outside, work.owner_id, call_id, row)
        except BaseException:
            await store.end_posting(outside.db, work.owner_id, call_id)
            raise
        if settled:
            return


async def _post(outside: Outside, owner: UUID, call_id: str, row: Record) -> bool:
    try:
        account = await open_account(outside, owner)
    except Invalid as error:
        outside.warn("rating_not_posted", reason=error.code)
        await store.end_posting(outside.db, owner, call_id)
        return True
    await outside.pauses.require_none(account.number)
    score, rev = row["score"], row["rating_rev"]
    try:
        held = await account.ctm.sale(call_id)
        may_post = rules.may_post(row["score_by"], row["ctm_score"], held.score)
        if may_post and held.score != score:
            day = held.day or (row["started_at"] or datetime.now(UTC)).date()
            await account.ctm.rate(call_id, score=score, conversion=int(score == 5), value=held.value, on=day)
    except Rejected as error:
        if error.status != 404:
            raise
        return await store.rating_unwanted(outside.db, owner, call_id, rev)
    except TryLater as error:
        raise await outside.pauses.begin(account.number, error) from error
    if not may_post:
        return await _give_way(outside, owner, call_id, rev, held.score)
    return await store.rating_posted(outside.db, owner, call_id, rev, score)


async def _give_way(outside: Outside, owner: UUID, call_id: str, rev: int, held: int) -> bool:
    """A person rated the call in CTM before our automatic stars got there: theirs count."""
    async with outside.transaction() as tx:
        row = await store.yield_rating(tx, owner, call_id, rev, held)
        if row is None:
            await store.end_posting(tx, owner, call_id)
            return False
        await store.set_category(tx, owner, call_id, rules.category_of_rating(held, row["category"]), "rating")
    return True
