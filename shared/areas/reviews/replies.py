"""A reply, from the dashboard or a rule to Google: stored with its work in one commit, and posted once.

Posting holds a lease on the reply, and looks at Google's current one first: what is there already is not posted again,
and what somebody else has written meanwhile is not lost. A person waits for one try; when Google is out, the queue goes
on by itself. Source: seeds DATA_FLOWS §7, INTEGRATIONS §5; spec api-reviews "Sending".
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.reviews import locations, reply_store, rules, store, sync_store
from shared.areas.reviews.models import Google, SendReply
from shared.areas.reviews.outside import Outside, ask
from shared.db.database import Record, Transaction
from shared.errors import Conflict, Invalid, Reconnect, Rejected, TryLater, VendorError

LEASE = timedelta(seconds=60)  # longer than Google may take for the question and the answer
PERSON_FIRST = timedelta(seconds=15)  # the queue waits while a person's own request tries; the lease does the rest
LOST_AFTER = timedelta(hours=6)  # longer than the queue tries
PORTAL = "/portal?tab=reviews"
_HOURS = "Google could not be reached for hours. Please send it again."


class ReplyFailed(Conflict):
    """This reply will not be posted; a person may try again."""

    code = "REPLY_FAILED"


async def want(
    tx: Transaction,
    owner: UUID,
    review: Record,
    text: str,
    *,
    draft_id: UUID | None = None,
    by: UUID | None = None,
    rule_id: UUID | None = None,
) -> None:
    """Have *review* (locked) answered with *text*. *by*: who asked and tries at once; None: a rule did."""
    if rules.too_long(text):
        raise Invalid.field("text", f"is longer than {rules.LONGEST_REPLY} bytes")
    if review["platform"] != "google" or review["oauth_resource_id"] is None:
        raise Conflict("Only reviews of a connected Google location can be answered.", code="NOT_CONNECTED")
    if review["has_response"] and rules.same_words(review["response_text"] or "", text):
        return
    if await reply_store.want(
        tx, owner, review["id"], text, shown=review["response_text"], draft_id=draft_id, by=by, rule_id=rule_id
    ):
        work = SendReply(client_id=owner, review_id=review["id"]).model_dump(mode="json")
        not_before = datetime.now(UTC) + PERSON_FIRST if by is not None else None
        await tx.enqueue("reviews_send_reply", work, not_before=not_before)


async def send(outside: Outside, owner: UUID, review_id: UUID) -> None:
    """Post the review's reply as it is now, until Google has the latest; nothing when Google has it already.

    Raises TryLater when Google, or another run of the same, asks to wait; ReplyFailed when it will never work.
    """
    while True:
        row = await reply_store.take(outside.db, owner, review_id, LEASE)
        if row is None:
            if await reply_store.waiting(outside.db, owner, review_id) is not None:
                raise TryLater("google business", reason="another run is posting")
            return
        try:
            if await _post(outside, owner, review_id, row):
                return
        except (Reconnect, Rejected) as error:
            reason = _why(error)
            await fail(outside, owner, review_id, row["rev"], reason)
            raise ReplyFailed(reason, requiresReconnect=isinstance(error, Reconnect)) from error
        except BaseException:
            await asyncio.shield(reply_store.end_lease(outside.db, review_id, row["lease_id"]))
            raise


async def _post(outside: Outside, owner: UUID, review_id: UUID, row: Record) -> bool:
    """Whether the reply is settled; False when another one is wanted meanwhile."""
    location = await locations.find(outside, owner, row["location_id"])
    if location is None:
        raise Reconnect("google business", reason="not in use")
    name: str = row["name"]
    found = (
        None
        if row["removed_at"]
        else await ask(outside, owner, location["connection_id"], lambda google: google.review(name))
    )
    if found is None:
        async with outside.transaction() as tx:
            await sync_store.remove(tx, owner, review_id)
        raise Rejected("google business", status=404, reason="the review was removed")
    match rules.next_step(found.reply, row["reply_text"], row["replaces"]):
        case "taken":
            await reply_store.seen_elsewhere(outside.db, owner, review_id, found.reply or "")
            raise Rejected("google business", status=409, reason="answered by somebody else")
        case "put":

            async def put(google: Google) -> None:
                await google.reply(name, row["reply_text"])

            await ask(outside, owner, location["connection_id"], put)
    async with outside.transaction() as tx:
        settled = await reply_store.sent(tx, owner, review_id, row["lease_id"], row["rev"], row["reply_text"])
        if settled:
            await store.log(
                tx, owner, review_id, "response_sent", "executed",
                by=row["requested_by"], rule_id=row["rule_id"], draft_id=row["draft_id"],
            )  # fmt: skip
    if not settled:
        await reply_store.end_lease(outside.db, review_id, row["lease_id"])
    return settled


async def give_up(outside: Outside, owner: UUID, review_id: UUID) -> None:
    """Google was out for too long: say so where it is seen, and let a person try again."""
    rev = await reply_store.waiting(outside.db, owner, review_id)
    if rev is not None:
        await fail(outside, owner, review_id, rev, _HOURS)


async def give_up_lost(outside: Outside) -> None:
    """Say the same of replies whose work is no more: it crashed at every try, or its queue was emptied."""
    for row in await reply_store.lost(outside.db, LOST_AFTER):
        outside.warn("reply_lost", review_id=row["review_id"])
        await fail(outside, row["client_id"], row["review_id"], row["rev"], _HOURS)


async def fail(outside: Outside, owner: UUID, review_id: UUID, rev: int, reason: str) -> None:
    async with outside.transaction() as tx:
        row = await reply_store.failed(tx, owner, review_id, rev, reason)
        if row is None:
            return
        await store.log(
            tx, owner, review_id, "response_sent", "failed",
            by=row["requested_by"], rule_id=row["rule_id"], draft_id=row["draft_id"], error=reason,
        )  # fmt: skip
        notice = Notice(
            title="A reply could not be posted", body=reason, link=PORTAL, meta={"review_id": str(review_id)}
        )
        await notifications.notify(tx, [owner], notice, site=outside.site, key_ring=outside.key_ring)


def _why(error: VendorError) -> str:
    """Why a reply was not posted, as people read it."""
    match error:
        case Reconnect(reason="not in use"):
            return "This location is not connected to Google any more."
        case Reconnect(status=403):
            return "Google refuses replies for this location. Is it verified, and is this account still its manager?"
        case Reconnect():
            return "Google asks for a new consent. Please reconnect the account."
        case Rejected(status=409):
            return "Somebody else has answered this review at Google meanwhile."
        case Rejected(status=404):
            return "This review is no longer at Google."
    return "Google does not accept this reply."
