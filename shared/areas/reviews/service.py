"""The reviews area's use cases as the dashboard asks for them; syncs, replies, rules and requests have their files.

Answers are JSON text where PostgreSQL made the rows. An id of another client's review or draft is an id that does not
exist. Source: spec api-reviews-webhooks-jobs §1.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from shared.areas.reviews import locations, replies, reply_store, rules, settings_store, store, sync, writing
from shared.areas.reviews.models import DraftResponse, ListLogs, ListReviews, SaveRule, SaveSettings
from shared.areas.reviews.outside import Outside
from shared.areas.reviews.writing import Asked, Mood
from shared.db import counters
from shared.db.counters import Limit
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Conflict, Invalid, NotFound, Reconnect, Rejected, TryLater

NO_REVIEW = "There is no such review."
NO_DRAFT = "There is no such draft."
NO_RULE = "There is no such rule."
WHILE_WAITING_S = 25.0
PROMPTS = Limit("review-prompts", 60)  # a minute, for each client
_OPEN = ("draft", "approved", "failed")


# --- reading ----------------------------------------------------------------------------------------------------------


async def list_reviews(db: Database, owner: UUID, query: ListReviews) -> str:
    return await store.page(db, owner, query)


async def statistics(db: Database, owner: UUID, days: int) -> str:
    return await store.statistics(db, owner, days)


async def show(db: Database, owner: UUID, review_id: UUID) -> str:
    return _found(await store.detail(db, owner, review_id))


async def list_logs(db: Database, owner: UUID, query: ListLogs) -> str:
    return await store.logs(
        db, owner, page=query.page, limit=query.limit, review_id=query.reviewId, action=query.actionType or None
    )


# --- syncing ----------------------------------------------------------------------------------------------------------


async def sync_now(outside: Outside, owner: UUID, *, full: bool) -> dict[str, Any]:
    """What the sync button gets; what does not fit this request goes on by itself."""
    done = await sync.sync_client(outside, owner, full=full, within_s=WHILE_WAITING_S)
    told: dict[str, Any] = {
        "success": True,
        "totalSynced": done.total.read,
        "newReviews": done.total.new,
        "updatedReviews": done.total.updated,
        "errors": done.errors,
    }
    if not (done.total.read or done.errors or done.left) and not await locations.chosen(outside, owner):
        told["message"] = "No location is chosen. Choose one in the connection's settings."
    elif done.left:
        told["message"] = "There are more reviews; they are being read."
    return told


async def refresh_locations(outside: Outside, owner: UUID) -> dict[str, Any]:
    """What Google lists now; nothing is stored."""
    await locations.require_connection(outside, owner)
    try:
        found = await locations.at_google(outside, owner)
    except Reconnect as error:
        raise Conflict(sync.told(error), code="RECONNECT_REQUIRED", requiresReconnect=True) from error
    return {"locations": found, "message": f"Google lists {len(found)} locations."}


# --- what people keep about a review ----------------------------------------------------------------------------------


async def flag(tx: Transaction, owner: UUID, review_id: UUID, *, flagged: bool, reason: str | None, by: UUID) -> str:
    await _changed(store.flag(tx, owner, review_id, flagged=flagged, reason=reason, by=by))
    return _found(await store.show(tx, owner, review_id))


async def set_priority(tx: Transaction, owner: UUID, review_id: UUID, priority: str) -> str:
    await _changed(store.set_priority(tx, owner, review_id, priority))
    return _found(await store.show(tx, owner, review_id))


async def save_notes(tx: Transaction, owner: UUID, review_id: UUID, notes: str | None) -> str:
    await _changed(store.save_notes(tx, owner, review_id, notes))
    return _found(await store.show(tx, owner, review_id))


# --- the AI -----------------------------------------------------------------------------------------------------------


async def draft_response(outside: Outside, owner: UUID, review_id: UUID, wish: DraftResponse, *, by: UUID) -> str:
    """A new draft by the AI, and how many milliseconds it took. A failure is logged, and raised."""
    review = _review(await store.find(outside.db, owner, review_id))
    if not review["drafting"]:
        raise Conflict("AI drafts are switched off in the settings.", code="AI_DRAFTING_OFF")
    await counters.spend(outside.db, (PROMPTS, str(owner)))
    asked = Asked(
        business=review["business_name"] or "",
        about=review["business_description"] or "",
        tone=wish.tone or review["tone"],
        names_business=review["names_business"] if wish.includeBusinessName is None else wish.includeBusinessName,
        names_reviewer=review["names_reviewer"] if wish.includeReviewerName is None else wish.includeReviewerName,
        instructions=wish.customInstructions or "",
        longest=wish.maxLength,
    )
    started = time.monotonic()
    try:
        text, system = await write(outside, review, asked)
    except (TryLater, Rejected, Reconnect) as error:
        await store.log(
            outside.db, owner, review_id, "ai_draft_generated", "failed",
            model=outside.model, asked=asked.params(), by=by, error=str(error),
        )  # fmt: skip
        if isinstance(error, TryLater):
            raise
        raise Conflict("The AI does not write a reply to this review.", code="AI_REFUSED") from error
    took = round((time.monotonic() - started) * 1000)
    async with outside.transaction() as tx:
        _review(await store.find(tx, owner, review_id, lock=True))
        kept = await store.insert_draft(
            tx, owner, review_id, text,
            model=outside.model, prompt=system, params={**asked.params(), "generationTime": took}, by=by,
        )  # fmt: skip
        await store.log(
            tx, owner, review_id, "ai_draft_generated", "executed",
            draft_id=kept["id"], model=outside.model, asked=asked.params(), latency_ms=took, by=by,
        )  # fmt: skip
    return f'{{"draft":{kept["shown"]},"generationTime":{took}}}'


async def write(outside: Outside, review: Record, asked: Asked) -> tuple[str, str]:
    """A reply by the AI, and the instructions it had (which hold nothing of the review)."""
    prompt = writing.reply_prompt(review, asked)
    async with outside.ai_slots:
        answer = await outside.ai.generate(
            prompt.content,
            system=prompt.system,
            temperature=writing.REPLY_TEMPERATURE,
            max_tokens=asked.tokens,
            model=outside.model,
        )
    return writing.read_reply(answer, asked, review["signature"]), prompt.system


async def analyze_sentiment(outside: Outside, owner: UUID, review_id: UUID) -> dict[str, Any]:
    """The mood of a review, asked anew."""
    review = _review(await store.find(outside.db, owner, review_id))
    if not (review["review_text"] or "").strip():
        raise Invalid("This review has no words to analyze.", code="NO_TEXT")
    await counters.spend(outside.db, (PROMPTS, str(owner)))
    try:
        mood = await judge(outside, review)
    except (Rejected, Reconnect) as error:
        raise Conflict("The AI does not judge this review.", code="AI_REFUSED") from error
    await store.set_mood(outside.db, owner, review_id, review["review_updated_at"], mood)
    return {"sentiment": {"score": mood.score, "label": mood.label, "reasoning": mood.reasoning}}


async def judge(outside: Outside, review: Record) -> Mood:
    """The mood of a review with words, by the AI."""
    prompt = writing.mood_prompt(review)
    async with outside.ai_slots:
        answer = await outside.ai.generate(
            prompt.content,
            system=prompt.system,
            temperature=writing.MOOD_TEMPERATURE,
            max_tokens=writing.MOOD_TOKENS,
            model=outside.model,
            json_schema=writing.MOOD_SCHEMA,
        )
    return writing.read_mood(answer)


# --- replies and drafts -----------------------------------------------------------------------------------------------


async def respond(outside: Outside, owner: UUID, review_id: UUID, text: str, *, by: UUID) -> dict[str, Any]:
    """Answer a review with these words."""
    async with outside.transaction() as tx:
        review = _review(await store.find(tx, owner, review_id, lock=True))
        await replies.want(tx, owner, review, text, by=by)
    return await _send(outside, owner, review_id)


async def send_draft(outside: Outside, owner: UUID, draft_id: UUID, *, by: UUID) -> dict[str, Any]:
    """Answer a review with a draft; whoever sends it has approved it."""
    async with outside.transaction() as tx:
        draft = await _draft(tx, owner, draft_id, allowed=(*_OPEN, "sent"))
        review = _review(await store.find(tx, owner, draft["review_id"], lock=True))
        if draft["status"] != "sent":
            if draft["status"] != "approved":
                await _approve(tx, draft_id, by)
            await replies.want(tx, owner, review, draft["draft_text"], draft_id=draft_id, by=by)
    return await _send(outside, owner, draft["review_id"])


async def _send(outside: Outside, owner: UUID, review_id: UUID) -> dict[str, Any]:
    try:
        await replies.send(outside, owner, review_id)
    except TryLater as error:
        outside.warn("reply_waits", review_id=review_id, reason=str(error))
        message = "Google cannot be reached right now. The reply is kept, and sent as soon as it can be."
        return {"success": True, "status": "sending", "message": message}
    state = await reply_store.state(outside.db, owner, review_id)
    if state is not None and state["status"] == "failed":
        raise replies.ReplyFailed(state["error"] or "The reply could not be posted.")
    return {"success": True, "status": "sent"}


async def edit_draft(tx: Transaction, owner: UUID, draft_id: UUID, text: str) -> str:
    if rules.too_long(text):
        raise Invalid.field("text", f"is longer than {rules.LONGEST_REPLY} bytes")
    draft = await _draft(tx, owner, draft_id, allowed=_OPEN)
    _require_still(draft)
    return await store.reword_draft(tx, draft_id, text)


async def approve_draft(tx: Transaction, owner: UUID, draft_id: UUID, *, by: UUID) -> str:
    await _draft(tx, owner, draft_id, allowed=_OPEN)
    return await _approve(tx, draft_id, by)


async def _approve(tx: Transaction, draft_id: UUID, by: UUID) -> str:
    now = await tx.fetchval("select now()")
    return await store.change_draft(tx, draft_id, status="approved", reviewed_by=by, reviewed_at=now, send_error=None)


async def discard_draft(tx: Transaction, owner: UUID, draft_id: UUID, *, notes: str | None, by: UUID) -> str:
    draft = await _draft(tx, owner, draft_id, allowed=(*_OPEN, "discarded"))
    _require_still(draft)
    now = await tx.fetchval("select now()")
    return await store.change_draft(
        tx, draft_id, status="discarded", reviewed_by=by, reviewed_at=now, review_notes=notes
    )


async def _draft(tx: Transaction, owner: UUID, draft_id: UUID, *, allowed: tuple[str, ...]) -> Record:
    draft = await store.draft(tx, owner, draft_id)
    if draft is None:
        raise NotFound(NO_DRAFT)
    if draft["status"] not in allowed:
        raise Conflict(f"This draft is {draft['status']} already.", code="DRAFT_STATUS")
    return draft


def _require_still(draft: Record) -> None:
    if draft["sending"]:
        raise Conflict("This draft is being sent.", code="DRAFT_STATUS")


# --- settings and rules -----------------------------------------------------------------------------------------------


async def show_connection(db: Executor, owner: UUID) -> str:
    return await settings_store.connection(db, owner)


async def list_locations(db: Executor, owner: UUID) -> str:
    return await settings_store.locations(db, owner)


async def show_settings(db: Executor, owner: UUID) -> str:
    return await settings_store.settings(db, owner)


async def save_settings(tx: Transaction, owner: UUID, wish: SaveSettings) -> str:
    columns = wish.model_dump(include=wish.model_fields_set)
    await settings_store.save_settings(tx, owner, columns)
    return await settings_store.settings(tx, owner)


async def list_rules(db: Executor, owner: UUID) -> str:
    return await settings_store.rules_of(db, owner)


async def create_rule(tx: Transaction, owner: UUID, wish: SaveRule, *, by: UUID) -> str:
    columns = wish.given()
    if not columns.get("name"):
        raise Invalid.field("name", "is missing")
    if "action_type" not in columns:
        raise Invalid.field("actionType", "is missing")
    await _check_rule(tx, owner, columns)
    return await settings_store.insert_rule(tx, owner, columns, by)


async def update_rule(tx: Transaction, owner: UUID, rule_id: UUID, wish: SaveRule) -> str:
    columns = wish.given()
    if not columns:
        raise Invalid("There is nothing to change.")
    if columns.get("name") == "":
        raise Invalid.field("name", "must not be empty")
    held = await settings_store.rule(tx, owner, rule_id, lock=True)
    if held is None:
        raise NotFound(NO_RULE)
    await _check_rule(tx, owner, {**held, **columns}, given=columns)
    return await settings_store.update_rule(tx, owner, rule_id, columns)


async def delete_rule(tx: Transaction, owner: UUID, rule_id: UUID) -> dict[str, Any]:
    if not await settings_store.delete_rule(tx, owner, rule_id):
        raise NotFound(NO_RULE)
    return {"success": True}


async def _check_rule(
    tx: Transaction, owner: UUID, rule: dict[str, Any], *, given: dict[str, Any] | None = None
) -> None:
    least, most = rule.get("min_rating"), rule.get("max_rating")
    if least is not None and most is not None and least > most:
        raise Invalid.field("minRating", "must not be above maxRating")
    ids = (rule if given is None else given).get("location_ids") or []
    if ids and await settings_store.own_locations(tx, owner, ids) != len(set(ids)):
        raise Invalid.field("locationIds", "must be locations of this client")


async def _changed(change: Any) -> None:
    if not await change:
        raise NotFound(NO_REVIEW)


def _found(text: str | None) -> str:
    if text is None:
        raise NotFound(NO_REVIEW)
    return text


def _review(row: Record | None) -> Record:
    if row is None:
        raise NotFound(NO_REVIEW)
    return row
