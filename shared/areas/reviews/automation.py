"""What happens to a review by itself: its mood is judged, the client is told, and the first rule that matches acts.

A review is looked at once, after its mood is known, and only if it is news and nobody has answered it. What a rule is
to write is a piece of work of its own (rule_replies.py). Every step is logged, also the ones not taken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.reviews import (
    automation_store,
    replies,
    request_store,
    rules,
    service,
    settings_store,
    store,
    sync_store,
)
from shared.areas.reviews.models import CatchUp, Evaluate, RunRule
from shared.areas.reviews.outside import Outside
from shared.areas.reviews.writing import Mood, Unreadable
from shared.db.database import Record, Transaction
from shared.errors import Rejected, TryLater, VendorError

_HISTORY_AT_ONCE = 40  # moods judged by one run


@dataclass(frozen=True, slots=True)
class Judged:
    """That the AI was asked for a review's mood; None: it does not judge this review, now or later."""

    mood: Mood | None


async def judge_mood(outside: Outside, review: Record, *, last_attempt: bool) -> Judged | None:
    """What the AI says of a review's mood. None when that is known, when the review has too few words, and when the AI
    could not be asked for too long: then it is judged with the history, after a later sync."""
    if len((review["review_text"] or "").strip()) < rules.SENTIMENT_FROM or review["sentiment_analyzed_at"] is not None:
        return None
    try:
        return Judged(await service.judge(outside, review))
    except VendorError as error:
        if _withheld(error):
            outside.warn("mood_refused", review_id=review["id"], reason=str(error))
            return Judged(None)
        if not last_attempt:
            raise TryLater(error.vendor, status=error.status, reason=error.reason) from error
        outside.warn("mood_given_up", review_id=review["id"], reason=str(error))
    return None


def _withheld(error: VendorError) -> bool:
    """Whether the AI refuses this review; any other refusal is of our settings, and ends with them."""
    return isinstance(error, Rejected) and error.status is None


async def find(outside: Outside, work: Evaluate) -> Record | None:
    """The review that a message is about, as it was then; None when it is gone, or a newer message will come."""
    row = await store.find(outside.db, work.client_id, work.review_id)
    return row if row is not None and row["review_updated_at"] == work.version else None


async def keep(tx: Transaction, outside: Outside, work: Evaluate, judged: Judged | None) -> None:
    """Store the mood; of a review that is news, tell whom it concerns and let the rules look at it, once.

    Nothing is done about a review that was edited while the AI judged it: its next message is on the way.
    """
    review = await store.find(tx, work.client_id, work.review_id, lock=True)
    if review is None or review["review_updated_at"] != work.version:
        return
    if judged is not None:
        await store.set_mood(tx, work.client_id, work.review_id, work.version, judged.mood)
    row = await automation_store.take(tx, work.client_id, work.review_id)
    if row is None:
        return
    await request_store.complete(tx, work.client_id, work.review_id)
    wishes = await settings_store.wishes(tx, work.client_id)
    await _tell(tx, outside, work.client_id, row, wishes)
    if row["has_response"]:
        return
    if not await _first_rule(tx, outside, work, row):
        await _draft_by_settings(tx, work, row, wishes)


async def _tell(tx: Transaction, outside: Outside, owner: UUID, review: Record, wishes: Record) -> None:
    """A notice of a bad review, or of any new one, as the client wishes; bad ones are also mailed to the addresses."""
    negative = review["rating"] <= wishes["negative_at"]
    if not (wishes["notify_negative"] if negative else wishes["notify_new"]):
        return
    title = "A negative review arrived" if negative else "A new review arrived"
    await _notify(tx, outside, owner, review, title, wishes["emails"])


async def tell_fall(tx: Transaction, outside: Outside, owner: UUID, review_id: UUID, stars_before: int) -> None:
    """A notice of a good review that its author has turned into a bad one, if the client wishes to hear of bad ones."""
    review, wishes = await store.find(tx, owner, review_id), await settings_store.wishes(tx, owner)
    if review is None or not wishes["notify_negative"] or not review["rating"] <= wishes["negative_at"] < stars_before:
        return
    await _notify(tx, outside, owner, review, "A review became negative", wishes["emails"], stars_before=stars_before)


async def _notify(
    tx: Transaction,
    outside: Outside,
    owner: UUID,
    review: Record,
    title: str,
    addresses: Sequence[str],
    *,
    stars_before: int | None = None,
) -> None:
    where = f" for {review['resource_name']}" if review["resource_name"] else ""
    instead = f" instead of {stars_before}" if stars_before else ""
    body = f"{review['reviewer_name']} left {_stars(review['rating'])}{instead}{where}."
    meta = {"review_id": str(review["id"]), "rating": review["rating"]}
    notice = Notice(title=title, body=body, link=replies.PORTAL, meta=meta)
    await notifications.notify(tx, [owner], notice, site=outside.site, key_ring=outside.key_ring)
    content = templates.notification(title=title, body=body, link=replies.PORTAL, site=outside.site)
    for address in dict.fromkeys(addresses):
        mail = Mail(
            type="notification",
            to=address,
            subject=content.subject,
            text=content.text,
            html=content.html,
            client_id=owner,
            metadata={"review_id": str(review["id"])},
            message_key=f"review_{review['id']}_{review['review_updated_at']}_{title}_{address}",
        )
        await emails.queue(tx, mail, outside.key_ring)


def _stars(rating: int) -> str:
    return "1 star" if rating == 1 else f"{rating} stars"


async def _first_rule(tx: Transaction, outside: Outside, work: Evaluate, review: Record) -> bool:
    """Let the first rule that matches, and whose limits leave room, act; whether one did."""
    facts = rules.Facts(
        rating=review["rating"],
        text=review["review_text"] or "",
        sentiment=review["sentiment_label"],
        location_id=str(review["oauth_resource_id"]) if review["oauth_resource_id"] else None,
    )
    for rule in await settings_store.active_rules(tx, work.client_id):
        if not rules.matches(rule, facts):
            continue
        if await settings_store.count_execution(tx, rule["id"]):
            await _act(tx, outside, work, review, rule)
            return True
        await _log(tx, work, rule, "skipped", error="The rule's limit is reached.")
    return False


async def _act(tx: Transaction, outside: Outside, work: Evaluate, review: Record, rule: Record) -> None:
    action = rule["action_type"]
    if action in ("draft", "auto_send"):
        log_id = await _log(tx, work, rule, "pending")
        await _write_later(tx, work, log_id, delay=timedelta(minutes=rule["delay_minutes"]))
    elif action == "flag":
        await store.flag(tx, work.client_id, work.review_id, flagged=True, reason=rule["name"], by=None)
        await _log(tx, work, rule, "executed")
    if action == "notify" or rule["notify_on_trigger"]:
        title = f"Review rule: {rule['name']}"
        await _notify(tx, outside, work.client_id, review, title, rule["notification_emails"] or ())
        if action == "notify":
            await _log(tx, work, rule, "executed")


async def _draft_by_settings(tx: Transaction, work: Evaluate, review: Record, wishes: Record) -> None:
    """No rule was meant for it: a draft, where the settings ask for one."""
    negative = review["rating"] <= wishes["negative_at"]
    if not (wishes["auto_negative"] if negative else wishes["auto_positive"]):
        return
    log_id = await store.log(
        tx, work.client_id, work.review_id, "ai_draft_generated", "pending", rule_key=f"{work.review_id}:settings"
    )
    await _write_later(tx, work, log_id, delay=timedelta())


async def _write_later(tx: Transaction, work: Evaluate, log_id: UUID | None, *, delay: timedelta) -> None:
    if log_id is None:
        return
    run = RunRule(client_id=work.client_id, review_id=work.review_id, log_id=log_id, version=work.version)
    not_before = datetime.now(UTC) + delay if delay else None
    await tx.enqueue("reviews_run_rule", run.model_dump(mode="json"), not_before=not_before)


async def _log(tx: Transaction, work: Evaluate, rule: Record, status: str, *, error: str | None = None) -> UUID | None:
    return await store.log(
        tx, work.client_id, work.review_id, f"rule_{rule['action_type']}", status,
        rule_id=rule["id"], error=error, rule_key=f"{work.review_id}:{rule['id']}",
        metadata={"rule_name": rule["name"]},
    )  # fmt: skip


# --- history ----------------------------------------------------------------------------------------------------------


async def catch_up(outside: Outside, work: CatchUp, *, within_s: float) -> None:
    """Judge the mood of older reviews, some at a time; what is left goes on by itself. TryLater when none succeeds."""
    rows = await sync_store.unread(outside.db, work.client_id, _HISTORY_AT_ONCE)
    until = time.monotonic() + within_s
    outcomes = await asyncio.gather(*(_judge_old(outside, work.client_id, row, until) for row in rows))
    if rows and not any(outcomes):
        raise TryLater("vertex", reason="no mood could be judged")


async def go_on(tx: Transaction, work: CatchUp) -> None:
    """What is left is the work of another run."""
    if await sync_store.keep_reading(tx, work.client_id):
        await tx.enqueue("reviews_catch_up", work.model_dump(mode="json"))


async def _judge_old(outside: Outside, owner: UUID, row: Record, until: float) -> bool:
    if time.monotonic() > until:
        return False
    mood = None
    try:
        mood = await service.judge(outside, row)
    except VendorError as error:
        if not (_withheld(error) or isinstance(error, Unreadable)):  # whose answer makes no sense is not asked again
            return False
    await store.set_mood(outside.db, owner, row["id"], row["review_updated_at"], mood)
    return True
