"""An owner's template: the steps that their new journeys begin with. Source: spec api-leads J1, J2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from shared.areas.journeys import store
from shared.areas.journeys.models import SaveTemplate, TemplateStep
from shared.areas.journeys.rules import NewStep
from shared.db.database import Executor, Transaction

# What everybody starts with, until they save their own.
DEFAULT: Final = tuple(
    TemplateStep(id=f"default-{number}", label=label, channel=channel, message=message, offset_weeks=weeks)
    for number, (weeks, label, channel, message) in enumerate(
        (
            (0, "First touch", "call, text", "Thank you for getting in touch. When is a good time to talk?"),
            (
                1,
                "Qualify",
                "call, email",
                "What are you looking for, and by when? A few questions help us to help you.",
            ),
            (2, "Value and proof", "email", "Here is how we helped others with the same question."),
            (4, "Proposal", "call, email", "This is what we suggest, and what it costs."),
            (6, "Nurture", "text, email", "Is there anything you would still like to know?"),
            (8, "Close the loop", "call", "Shall we go ahead, or close this for now?"),
        ),
        start=1,
    )
)


async def of(db: Executor, owner: UUID) -> list[dict[str, Any]]:
    """The owner's steps as TemplateStep; one they emptied is empty."""
    own = await store.template(db, owner)
    steps = DEFAULT if own is None else [step for step in map(_readable, own) if step is not None]
    return [step.model_dump(exclude_none=True) for step in steps]


async def save(tx: Transaction, owner: UUID, template: SaveTemplate) -> list[dict[str, Any]]:
    """Make the steps the owner's template; journeys under way keep theirs."""
    steps = [step.model_dump(exclude_none=True) for step in template.steps]
    await store.save_template(tx, owner, steps)
    return steps


async def new_steps(db: Executor, owner: UUID) -> list[NewStep]:
    """The steps of a journey that begins now."""
    return [
        NewStep(label=step["label"], channel=step["channel"], message=step["message"], weeks=step["offset_weeks"])
        for step in await of(db, owner)
    ]


def _readable(step: Mapping[str, Any]) -> TemplateStep | None:
    """A stored step; None for one without a label, which the old server could store."""
    try:
        return TemplateStep.model_validate({name: value for name, value in step.items() if value is not None})
    except ValidationError:
        return None
