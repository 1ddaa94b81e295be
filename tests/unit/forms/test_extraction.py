"""What the AI takes out of a submission, and what is kept of its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.forms import extraction
from shared.areas.leads.classification import Unclassifiable
from shared.areas.text import storable

FOUND = {"category": "warm", "summary": "Asks for a new roof."}


def test_one_question_asks_for_all() -> None:
    """The category as of a call, and each detail; the words themselves stay where they are no instruction."""
    prompt = extraction.build_prompt("We repair roofs.", "A slate roof, please.")
    assert prompt.system.startswith("We repair roofs.") and "- warm: " in prompt.system
    assert all(f"- {name}: " in prompt.system for name in extraction.DETAILS)
    assert "slate" in prompt.content and "slate" not in prompt.system


def test_what_was_said_is_kept() -> None:
    """On one line, and no longer than needed; what was not said, or is no text, is left out."""
    answer = {**FOUND, "service": "a slate\nroof", "timing": " ", "budget": 20_000, "place": "x" * 999, "name": "Robin"}
    told = extraction.parse(f"Sure: ```json\n{json.dumps(answer)}\n```")
    assert told.classification.category == "warm"
    assert told.details == {"service": "a slate roof", "place": "x" * extraction.MAX_DETAIL}


def test_details_make_up_for_no_category() -> None:
    """Without a category the answer is none, and asked for again."""
    with pytest.raises(Unclassifiable):
        extraction.parse(json.dumps({"service": "a roof"}))


@given(
    st.dictionaries(
        st.sampled_from(list(extraction.DETAILS)), st.none() | st.text() | st.integers() | st.lists(st.text())
    )
)
def test_any_details_can_be_stored(given_details: dict[str, Any]) -> None:
    """Whatever the model makes of them."""
    details = extraction.parse(json.dumps({**FOUND, **given_details})).details
    for text in details.values():
        assert 0 < len(text) <= extraction.MAX_DETAIL and text == storable(text) and "\n" not in text
