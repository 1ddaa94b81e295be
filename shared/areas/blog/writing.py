"""Ideas, drafts and images by the AI: a few at a time for each client, and a failure says why.

Source: spec api-leads §4 (B6, B7, B8), seeds INTEGRATIONS §3.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from shared.areas.blog import rules, store
from shared.areas.blog.models import Ai, ImageWanted
from shared.areas.blog.rules import Business
from shared.db.counters import Limit, spend
from shared.db.database import Executor
from shared.errors import Problem, Reconnect, Rejected, TryLater, VendorError

TEXTS: Final = Limit("blog_ai_text", 30, window_s=600)
IMAGES: Final = Limit("blog_ai_image", 15, window_s=600)


class AiFailed(Problem):
    """The AI gave nothing that could be used; ``reason`` names why in a word."""

    status, code = 502, "AI_FAILED"

    def __init__(self, error: VendorError) -> None:
        reason = "busy" if isinstance(error, TryLater) else error.reason or "refused"
        super().__init__(_why(error), reason=reason)
        if isinstance(error, TryLater):
            self.status, self.code = 503, "TRY_LATER"


def _why(error: VendorError) -> str:
    if isinstance(error, TryLater):
        return "The AI is too busy right now. Please try again shortly."
    if isinstance(error, Reconnect):
        return "The AI service refuses our access."
    if error.reason == "MAX_TOKENS":
        return "The AI's answer became too long. Please try again."
    if error.reason == "empty answer":
        return "The AI had no answer. Please try again."
    return "The AI withheld its answer under its safety rules. Please try another title."


async def ideas(db: Executor, ai: Ai, owner: UUID) -> list[str]:
    """Ten titles, at most; AiFailed, TooManyRequests."""
    await spend(db, (TEXTS, str(owner)))
    prompt = rules.ideas_prompt(await _business(db, owner))
    async with _explained():
        answer = await ai.generate(prompt.user, system=prompt.system, temperature=0.65, max_tokens=400, timeout_s=30)
        found = rules.ideas_in(answer)
        if not found:
            raise Rejected("vertex", reason="empty answer")
    return found


async def draft(db: Executor, ai: Ai, owner: UUID, title: str, *, max_tokens: int, timeout_s: float) -> str:
    """An article's HTML, cleaned like any post; AiFailed, TooManyRequests."""
    await spend(db, (TEXTS, str(owner)))
    prompt = rules.draft_prompt(await _business(db, owner), title)
    async with _explained():
        answer = await ai.generate(
            prompt.user, system=prompt.system, temperature=0.55, max_tokens=max_tokens, timeout_s=timeout_s
        )
        content = rules.clean(rules.without_fences(answer))
        if not content:
            raise Rejected("vertex", reason="empty answer")
    return content


async def image(db: Executor, ai: Ai, owner: UUID, wanted: ImageWanted) -> dict[str, str]:
    """An image as a data URL, which saving a post turns into a file; AiFailed, TooManyRequests."""
    await spend(db, (IMAGES, str(owner)))
    prompt = rules.image_prompt(await _business(db, owner), wanted.title, wanted.style)
    async with _explained():
        drawn = await ai.image(prompt, aspect_ratio=wanted.aspect_ratio)
    encoded = base64.b64encode(drawn.data).decode()
    return {"dataUrl": f"data:{drawn.mime_type};base64,{encoded}", "mimeType": drawn.mime_type}


async def _business(db: Executor, owner: UUID) -> Business:
    return Business.of(await store.business(db, owner))


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    try:
        yield
    except VendorError as error:
        raise AiFailed(error) from error
