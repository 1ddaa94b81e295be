"""What the AI is asked about a submission: its category, and what the visitor's words tell of a job to be done.

Seed DATA_FLOWS §6 (AI Processing: classify submissions, extract data). One question answers both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from shared.areas.answers import object_in, one_line
from shared.areas.leads import classification
from shared.areas.leads.classification import Classification, Prompt

DETAILS: Final = {
    "service": "what they want done or to buy",
    "timing": "when, or how urgently",
    "place": "where: a town, a part of town, a branch; never a whole address",
    "budget": "what they would spend",
}
MAX_DETAIL: Final = 200
MAX_TOKENS: Final = 300  # a category and a summary, as of a call, and the details
RESPONSE_SCHEMA: Final[dict[str, Any]] = {
    **classification.RESPONSE_SCHEMA,
    "properties": {
        **classification.RESPONSE_SCHEMA["properties"],
        **{name: {"type": "string", "description": meaning} for name, meaning in DETAILS.items()},
    },
}
_ASKS: Final = (
    "\n\nIn the same JSON also tell, in a few words of the text's own, what it says of these, and leave out what it "
    "does not say:\n" + "\n".join(f"- {name}: {meaning}" for name, meaning in DETAILS.items())
)


@dataclass(frozen=True, slots=True)
class Told:
    """The model's answer."""

    classification: Classification
    details: dict[str, str]  # of DETAILS, those that were said


def build_prompt(business_context: str | None, text: str) -> Prompt:
    """What to ask about a form's answers; they are material, as ``classification`` says."""
    prompt = classification.build_prompt(business_context, text, classification.FORM)
    return replace(prompt, system=prompt.system + _ASKS)


def parse(answer: str) -> Told:
    """Raises Unclassifiable for what is no classification; details that are no texts are left out."""
    found = classification.parse(answer)
    told = object_in(answer)
    details = {name: one_line(told[name], at_most=MAX_DETAIL) for name in DETAILS if isinstance(told.get(name), str)}
    return Told(found, {name: text for name, text in details.items() if text})
