"""Replies that a rule or the settings ask for: written by the AI or from a template, and sent where the rule may.

Writing is a piece of work of its own, after the rule's delay. It stops, with its reason in the log, when the review was
answered, changed or removed meanwhile, or the rule switched off: a person's reply is never replaced by a rule's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.areas.reviews import automation_store, replies, reply_store, rules, service, settings_store, store, writing
from shared.areas.reviews.models import RunRule
from shared.areas.reviews.outside import Outside
from shared.areas.reviews.writing import Asked
from shared.db.database import Executor, Record, Transaction
from shared.errors import Conflict, TryLater, VendorError

_CHANGED = "The review was changed or removed meanwhile."
_ANSWERED = "The review was answered meanwhile."


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A reply and how it came to be. ``rule`` None: the settings asked; ``model`` and ``system`` None: no AI did it."""

    rule: Record | None
    text: str
    params: Mapping[str, Any]
    system: str | None
    model: str | None
    took_ms: int


async def write(outside: Outside, work: RunRule, *, last_attempt: bool) -> Written | None:
    """The reply, when it is still to be; else None, and the log says why. TryLater while the AI is out."""
    row = await automation_store.pending(outside.db, work.client_id, work.log_id)
    if row is None:
        return None
    review = await store.find(outside.db, work.client_id, work.review_id)
    rule = await settings_store.rule(outside.db, work.client_id, row["rule_id"])
    reason = await _overtaken(outside.db, work, review) or _off(rule, by_settings=row["by_settings"], review=review)
    if reason is not None:
        await automation_store.settle(outside.db, work.log_id, "skipped", error=reason)
        return None
    started = time.monotonic()
    try:
        text, params, system = await _compose(outside, review, rule)
    except VendorError as error:
        if isinstance(error, TryLater) and not last_attempt:
            raise
        await automation_store.settle(outside.db, work.log_id, "failed", error=str(error))
        return None
    return Written(
        rule=rule,
        text=text,
        params=params,
        system=system,
        model=None if system is None else outside.model,
        took_ms=round((time.monotonic() - started) * 1000),
    )


async def keep(tx: Transaction, work: RunRule, written: Written) -> None:
    """Store the draft; send it when the rule may, and nothing speaks against it. Once, whatever is delivered again."""
    review = await store.find(tx, work.client_id, work.review_id, lock=True)
    reason = await _overtaken(tx, work, review)
    if reason is not None:
        await automation_store.settle(tx, work.log_id, "skipped", error=reason)
        return
    if not written.text:
        await automation_store.settle(tx, work.log_id, "failed", error="The template makes no reply to this review.")
        return
    draft = await store.insert_draft(
        tx, work.client_id, work.review_id, written.text,
        model=written.model, prompt=written.system,
        params={**written.params, "generationTime": written.took_ms}, by=None,
    )  # fmt: skip
    held = None
    if written.rule is not None and written.rule["action_type"] == "auto_send":
        held = _why_held(written.rule, review, written)
        if held is None:
            try:
                await replies.want(
                    tx, work.client_id, review, written.text, draft_id=draft["id"], rule_id=written.rule["id"]
                )
                await store.change_draft(tx, draft["id"], status="approved")
            except Conflict as error:
                held = error.message
    await automation_store.settle(
        tx, work.log_id, "executed", draft_id=draft["id"], model=written.model, asked=written.params,
        latency_ms=written.took_ms, answered={"held": held} if held else {},
    )  # fmt: skip


async def _overtaken(db: Executor, work: RunRule, review: Record | None) -> str | None:
    """Why the reply is not wanted any more, by what happened to the review."""
    if review is None or review["review_updated_at"] != work.version:
        return _CHANGED
    if review["has_response"] or await reply_store.state(db, work.client_id, work.review_id):
        return _ANSWERED
    return None


def _off(rule: Record | None, *, by_settings: bool, review: Record) -> str | None:
    """Why the reply is not wanted any more, by what became of the rule and the settings."""
    if rule is None and not by_settings:
        return "The rule was deleted meanwhile."
    if rule is not None and not rule["is_active"]:
        return "The rule was switched off meanwhile."
    if not review["drafting"] and not _by_template(rule):
        return "AI drafts are switched off in the settings."
    return None


def _by_template(rule: Record | None) -> bool:
    """Whether a rule's template is its reply, without the AI."""
    return rule is not None and bool(rule["response_template"]) and not rule["use_ai_personalization"]


async def _compose(outside: Outside, review: Record, rule: Record | None) -> tuple[str, Mapping[str, Any], str | None]:
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


def _why_held(rule: Record, review: Record, written: Written) -> str | None:
    """Why a rule's reply waits for a person; None when it may go."""
    if not rules.may_send_itself(rule, review["rating"]):
        return "The rule asks for approval."
    if review["sentiment_label"] == "negative":
        return "The review's mood is negative."
    if rules.too_long(written.text):
        return "The reply is too long."
    if written.system is not None:
        return rules.doubt_about(review["review_text"] or "", _not_the_owners(review, written.text))
    return rules.doubt_in(review["reviewer_name"]) if review["reviewer_name"] in written.text else None


def _not_the_owners(review: Record, text: str) -> str:
    """What the AI wrote of a reply: signature and business name are the owner's own words, whatever they hold."""
    words = text.removesuffix(writing.ending(review["signature"]))
    return words.replace(review["business_name"], "") if review["business_name"] else words
