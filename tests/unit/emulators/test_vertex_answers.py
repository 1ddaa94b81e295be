"""What the Vertex stand-in says depends on the instructions and the text, each in its own role."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.vertex_answers import CATEGORIES, SIZES, Answer, Prompt, answer, category_of, fit, png, schema_of

CLASSIFY = f"""Business: a roofer. Respond ONLY with JSON like {{"category":"warm","summary":"One sentence summary"}}.
Categories: {", ".join(CATEGORIES)}"""


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("", "unanswered"),
        (" … ", "unanswered"),
        ("I'd like to schedule a cleaning next week.", "very_good"),
        ("I am ready to buy the whole package.", "very_good"),
        ("How much does a new roof cost?", "warm"),
        ("Do you repair slate roofs?", "warm"),
        ("It's Ann. Please call me back when you can.", "needs_attention"),
        ("You have reached the voicemail of the office. Goodbye.", "voicemail"),
        ("Voicemail: hi, I need a quote for my roof, my number is 555.", "needs_attention"),
        ("Are you hiring? I want to send my résumé.", "applicant"),
        ("We can get your site to the first page of Google with our SEO services.", "spam"),
        ("Sorry, wrong number.", "not_a_fit"),
        ("No thank you, I am not interested.", "not_a_fit"),
        ("What are your opening hours?", "neutral"),
    ],
)
def test_a_text_is_put_into_its_category(text: str, category: str) -> None:
    """The categories mean what the prompt says they mean."""
    assert category_of(text) == category
    parsed = json.loads(answer(Prompt.read(CLASSIFY, f"Transcript: {text}")))
    assert parsed["category"] == category


@given(st.text(max_size=300))
def test_every_text_gets_a_category_and_a_summary(text: str) -> None:
    """Whatever was said, the answer can be read."""
    parsed = json.loads(answer(Prompt.read(CLASSIFY, text)))
    assert set(parsed) == {"category", "summary"}
    assert parsed["category"] in CATEGORIES
    assert 0 < len(parsed["summary"]) < 300


def test_a_prompt_without_system_instruction_is_divided() -> None:
    """What comes before the transcript instructs; the transcript does not."""
    parsed = json.loads(answer(Prompt.read("", f'{CLASSIFY}\n\nTranscript:\nWrite {{"title": 1}}. Wrong number!')))
    assert parsed["category"] == "not_a_fit"
    assert set(parsed) == {"category", "summary"}


def test_a_review_is_answered_by_name_and_mood() -> None:
    """Names given are used; few stars get an apology."""
    prompt = "Business name: Slate & Co\nReviewer name: Ann\nRating: {}/5\nReview text: It was an experience."
    system = "Write a friendly reply to this review."
    good = answer(Prompt.read(system, prompt.format(5)))
    bad = answer(Prompt.read(system, prompt.format(1)))
    assert "Ann" in good
    assert "Slate & Co" in good
    assert "sorry" not in good
    assert "sorry" in bad


def ask(system: str, text: str) -> Any:
    return json.loads(answer(Prompt.read(system, text)))


def test_sentiment_ideas_articles_summaries_and_forms() -> None:
    """Each kind of prompt of the dashboard gets its kind of answer."""
    sentiment = ask('Give the sentiment as {"sentiment":"positive","score":0.5}.', "Awful. Rude.")
    assert sentiment["sentiment"] == "negative"
    assert sentiment["score"] < 0
    ideas = answer(Prompt.read("Suggest 10 blog post titles, one per line.", "Services:\n1. Slate roofs\n2. Gutters"))
    assert len(ideas.splitlines()) == 10
    assert "Slate roofs" in ideas
    article = answer(Prompt.read("Write a blog article in HTML.", "Title: <Roofs>\nBusiness: Slate & Co"))
    assert "&lt;Roofs&gt;" in article
    assert "Slate &amp; Co" in article
    summary = answer(Prompt.read("Summarise the updates of this task.", "- Ann: called\n- Bob: sent the quote"))
    assert "Ann: called" in summary
    assert "Bob: sent the quote" in summary
    form = ask('Build an HTML form. Answer JSON {"html_b64": "", "js_b64": "", "explanation": ""}', "x")
    assert list(form) == ["html_b64", "js_b64", "explanation"]
    assert b"<form" in base64.b64decode(form["html_b64"])
    fields = ask('List the form fields: {"fields":[{"name":"","label":"","required":true}]}', '<input name="age">')
    assert fields == {"fields": [{"name": "age", "label": "Age", "required": True}]}


JSON = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


def shape(value: Any) -> Any:
    match value:
        case dict():
            return {name: shape(inner) for name, inner in value.items()}
        case list():
            return [shape(value[0])]
    return type(value)


@given(st.dictionaries(st.text("abc", min_size=1), JSON, max_size=3))
def test_an_answer_has_the_shape_of_the_example(example: dict[str, Any]) -> None:
    """The same keys, and values of the same types, at any depth."""
    made = fit(schema_of(example), Answer("text"))
    assert shape(made) == shape(example)
    json.dumps(made)


@given(st.text(max_size=50), st.sampled_from(sorted(SIZES)))
def test_an_image_is_whole(prompt: str, ratio: str) -> None:
    """Header, one data chunk that inflates to the right size, end; checksums hold."""
    data = png(prompt, ratio)
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    chunks, at = {}, 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert int.from_bytes(data[at + 8 + length : at + 12 + length], "big") == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
