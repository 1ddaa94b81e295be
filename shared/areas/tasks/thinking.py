"""What the AI features of tasks reach beyond the database, and what a refusal of the AI's means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.areas.ports import Ai
from shared.areas.tasks.prompts import Prompt
from shared.db.counters import Limit
from shared.db.database import Database, Transaction
from shared.errors import Reconnect, Rejected, TryLater

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ASKED: Final = Limit("task_ai", 20, 600)  # what one person may have the AI write in ten minutes

AGAIN_AFTER: Final = timedelta(seconds=15)  # an AI that was just too busy still is
_FINAL: Final = frozenset({"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})  # the same text: the same refusal

BUSY: Final = "The AI cannot be reached right now; it is asked again in the background."
WITHHELD: Final = "The AI does not write about this text."
ENOUGH: Final = "The AI was asked often in the last minutes; please try again later."


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """``transaction`` is the caller's own: what it enqueues leaves after its commit."""

    db: Database
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    ai: Ai
    ai_slots: asyncio.Semaphore
    model: str
    timeout_s: float
    zone: ZoneInfo
    now: Callable[[], datetime]
    warn: Callable[..., None]  # event, and facts as keywords


class Withheld(Exception):
    """The AI will not write about this text, now or later."""


async def ask(
    thinking: Thinking,
    prompt: Prompt,
    *,
    temperature: float,
    max_tokens: int,
    json_schema: Mapping[str, Any] | None = None,
) -> str:
    """The AI's answer. TryLater when asking again may help (also once a person has mended our access); Withheld when
    it refuses the text itself."""
    try:
        async with thinking.ai_slots:
            return await thinking.ai.generate(
                prompt.content,
                system=prompt.system,
                temperature=temperature,
                max_tokens=max_tokens,
                model=thinking.model,
                json_schema=json_schema,
                timeout_s=thinking.timeout_s,
            )
    except Rejected as error:
        if error.status is None and (error.reason in _FINAL or error.reason.startswith("prompt refused")):
            raise Withheld(error.reason) from error
        raise TryLater("vertex", status=error.status, reason=error.reason) from error
    except Reconnect as error:
        raise TryLater("vertex", status=error.status, reason="access refused") from error
