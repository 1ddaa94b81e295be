"""What happens to a review by itself: its mood is judged, the client is told, and the first rule that matches acts.

A review is looked at once, after its mood is known, and only if it is news and nobody has answered it. What a rule is
to write is a piece of work of its own, after the rule's delay; it stops when the review was answered, changed or
removed meanwhile. Every step is logged, also the ones not taken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.reviews import (
    automation_store,
    replies,
    reply_store,
    request_store,
    rules,
    service,
    settings_store,
    store,
    sync_store,
    writing,
)
from shared.areas.reviews.models import CatchUp, Evaluate, RunRule
from shared.areas.reviews.outside import Outside
from shared.areas.reviews.writing import Asked, Mood, Unreadable
from shared.db.database import Record, Transaction
from shared.errors import Conflict, Rejected, TryLater, VendorError

_HISTORY_AT_ONCE = 40  # moods judged by one run
_CHANGED = "The review was changed or removed meanwhile."
_ANSWERED = "The review was answered meanwhile."


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


async def find(outside: Outside, work: Evaluate | RunRule) -> Record | None:
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


async def _notify(
    tx: Transaction, outside: Outside, owner: UUID, review: Record, title: str, addresses: Sequence[str]
) -> None:
    where = f" for {review['resource_name']}" if review["resource_name"] else ""
    body = f"{review['reviewer_name']} left {_stars(review['rating'])}{where}."
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
            message_key=f"review_{review['id']}_{title}_{address}",
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


# --- writing by itself ------------------------------------------------------------------------------------------------


async def pending(outside: Outside, work: RunRule) -> tuple[Record, Record | None] | str:
    """The review and the rule of work that still is to be done, or why it is not."""
    row = await automation_store.pending(outside.db, work.client_id, work.log_id)
    if row is None:
        return "done"
    review = await find(outside, work)
    if review is None:
        return _CHANGED
    if review["has_response"] or await reply_store.state(outside.db, work.client_id, work.review_id):
        return _ANSWERED
    rule = await settings_store.rule(outside.db, work.client_id, row["rule_id"])
    if rule is None and not row["by_settings"]:
        return "The rule was deleted meanwhile."
    if rule is not None and not rule["is_active"]:
        return "The rule was switched off meanwhile."
    if not review["drafting"] and not _by_template(rule):
        return "AI drafts are switched off in the settings."
    return review, rule


def _by_template(rule: Record | None) -> bool:
    """Whether a rule's template is its reply, without the AI."""
    return rule is not None and bool(rule["response_template"]) and not rule["use_ai_personalization"]


async def compose(outside: Outside, review: Record, rule: Record | None) -> tuple[str, Mapping[str, Any], str | None]:
    """The reply, how it was asked for, and the AI's instructions (None: a template alone)."""
    template = (rule["response_template"] or "") if rule else ""
    values = {
        "reviewer_name": review["reviewer_name"],
        "business_name": review["business_name"] or "",
        "rating": str(review["rating"]),
        "location_name": review["resource_name"] or "",
    }
    if _by_template(rule):
        return rules.filled(template, values).strip(), {"template": True}, None
    asked = Asked(
        business=review["business_name"] or "",
        about=review["business_description"] or "",
        tone=(rule["ai_tone"] if rule else None) or review["tone"],
        names_business=review["names_business"],
        names_reviewer=review["names_reviewer"],
        template=rules.filled(template, {**values, "reviewer_name": "the reviewer"}),
    )
    text, system = await service.write(outside, review, asked)
    return text, asked.params(), system


async def keep_written(
    tx: Transaction,
    work: RunRule,
    rule: Record | None,
    text: str,
    *,
    model: str,
    params: Mapping[str, Any],
    system: str | None,
    took_ms: int,
) -> None:
    """Store the draft; send it when the rule may, and nothing speaks against it. Once, whatever is delivered again."""
    review = await store.find(tx, work.client_id, work.review_id, lock=True)
    if review is None or review["review_updated_at"] != work.version:
        await automation_store.settle(tx, work.log_id, "skipped", error=_CHANGED)
        return
    if review["has_response"] or await reply_store.state(tx, work.client_id, work.review_id):
        await automation_store.settle(tx, work.log_id, "skipped", error=_ANSWERED)
        return
    if not text:
        await automation_store.settle(tx, work.log_id, "failed", error="The template makes no reply to this review.")
        return
    by_ai = system is not None
    draft = await store.insert_draft(
        tx, work.client_id, work.review_id, text,
        model=model if by_ai else None, prompt=system, params={**params, "generationTime": took_ms}, by=None,
    )  # fmt: skip
    held = None
    if rule is not None and rule["action_type"] == "auto_send":
        held = _why_held(rule, review, text, by_ai=by_ai)
        if held is None:
            try:
                await replies.want(tx, work.client_id, review, text, draft_id=draft["id"], rule_id=rule["id"])
                await store.change_draft(tx, draft["id"], status="approved")
            except Conflict as error:
                held = error.message
    await automation_store.settle(
        tx, work.log_id, "executed", draft_id=draft["id"], model=model if by_ai else None, asked=params,
        latency_ms=took_ms, answered={"held": held} if held else {},
    )  # fmt: skip


def _why_held(rule: Record, review: Record, text: str, *, by_ai: bool) -> str | None:
    """Why a rule's reply waits for a person; None when it may go."""
    if not rules.may_send_itself(rule, review["rating"]):
        return "The rule asks for approval."
    if review["sentiment_label"] == "negative":
        return "The review's mood is negative."
    if rules.too_long(text):
        return "The reply is too long."
    if by_ai:
        return rules.doubt_about(review["review_text"] or "", _not_the_owners(review, text))
    return rules.doubt_in(review["reviewer_name"]) if review["reviewer_name"] in text else None


def _not_the_owners(review: Record, text: str) -> str:
    """What the AI wrote of a reply: signature and business name are the owner's own words, whatever they hold."""
    written = text.removesuffix(writing.ending(review["signature"]))
    return written.replace(review["business_name"], "") if review["business_name"] else written


async def settle(outside: Outside, work: RunRule, status: str, error: str) -> None:
    """Say in the log that work was not done, and why."""
    await automation_store.settle(outside.db, work.log_id, status, error=error)


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
