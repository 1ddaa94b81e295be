"""What a post may hold, and what the AI is asked."""

from __future__ import annotations

import base64
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.blog import rules
from shared.areas.blog.rules import BadImage, Business

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


@given(st.text() | st.from_regex(r"<(script|img|a|svg|iframe|p)[^<]{0,30}(onload|href|src)=[\"'].{0,20}[\"']>"))
def test_cleaned_html_can_not_act(content: str) -> None:
    """No script, handler or script address is left, and cleaning again changes nothing."""
    clean = rules.clean(content)
    assert not re.search(r"<(script|iframe|svg|object|form|style)\b", clean, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+\s*=", clean, re.IGNORECASE)
    assert not re.search(r"<[^>]*(href|src)=\"\s*(javascript|data|vbscript):", clean, re.IGNORECASE)
    assert rules.clean(clean) == clean


def test_what_a_post_is_made_of_stays() -> None:
    """Headings, lists, links, images with an address, and how they look."""
    content = (
        '<h2 style="text-align:center">A</h2><p>b <strong>c</strong></p><ul><li>d</li></ul>'
        '<img src="/uploads/1/a.png" alt="e"><a href="https://a.test">f</a>'
    )
    clean = rules.clean(content)
    for part in ("text-align:center", "<strong>c</strong>", "<li>d</li>", 'src="/uploads/1/a.png"', "https://a.test"):
        assert part in clean


def test_images_are_found_once_and_replaced_everywhere() -> None:
    """Also with line breaks inside, and in single quotes."""
    first, second = f"data:image/png;base64,{PNG}", f"data:image/PNG;base64,{PNG[:4]}\n{PNG[4:]}"
    content = f'<img alt="a" src="{first}"><img src=\'{second}\'><img src="{first}"><img src="/b.png">'
    images = rules.images_in(content)
    assert [image.data for image in images] == [b"\x89PNG\r\n\x1a\n"] * 2
    replaced = rules.with_addresses(content, {image.source: f"/{n}" for n, image in enumerate(images)})
    assert replaced == '<img alt="a" src="/0"><img src=\'/1\'><img src="/0"><img src="/b.png">'


@pytest.mark.parametrize("part", ["<img ", "<img src", "<img src='", '<img src="data:image/', "<img src=\"data:'"])
def test_looking_for_images_takes_no_longer_than_reading(part: str) -> None:
    """Time grows with the content, not with its square: nobody can keep an instance busy with a post."""
    began = time.process_time()
    assert not [image for image in images_or_none(part * 60_000) if image.data]
    assert time.process_time() - began < 2


def images_or_none(content: str) -> list[rules.Image]:
    try:
        return rules.images_in(content)
    except BadImage:
        return []


@pytest.mark.parametrize(
    ("content", "deep"),
    [
        ("<div>" * 1001, True),
        ("<UL><li>" * 501, True),
        ("<object></object>" * 1001, True),
        ("<p>" + "<b>" * 998 + "</b>" * 998 + "</p>", False),
        ("<tr><td>a</td></tr><br>" * 5000, False),
        ("</div>" * 5000, False),
        ("1 < 2 " * 5000, False),
    ],
)
def test_elements_may_not_lie_too_deep_inside_of_each_other(content: str, deep: bool) -> None:
    """Cleaning eighty thousand of them took half a minute."""
    assert rules.is_too_deep(content) is deep
    if not deep:
        began = time.process_time()
        rules.clean(content)
        assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "content",
    [
        '<img src="data:image/svg+xml;base64,AAAA">',
        '<img src="data:image/png;base64,A">',
        '<img src="data:image/png,plain">',
        "".join(f'<img src="data:image/png;base64,{base64.b64encode(bytes([n])).decode()}">' for n in range(21)),
    ],
)
def test_an_image_that_cannot_be_kept_is_said(content: str) -> None:
    """No other types, no broken data, not more than twenty."""
    with pytest.raises(BadImage):
        rules.images_in(content)


@given(st.text())
def test_any_content_can_be_looked_through(content: str) -> None:
    """It has images or not; text without any stays as it is."""
    if "data:image" not in content.lower():
        assert rules.images_in(content) == []
        assert rules.with_addresses(content, {}) == content


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ("1. One\n2) Two\n- Three\n\n* Four\n**Five**", ["One", "Two", "Three", "Four", "Five"]),
        ('```\n"One"\nTwo\n```', ["One", "Two"]),
        ("5 Questions to Ask\n10 Reasons", ["5 Questions to Ask", "10 Reasons"]),
        ("2026 Trends\n2026 Trends", ["2026 Trends"]),
        ("\n".join(f"{n}. T{n}" for n in range(1, 15)), [f"T{n}" for n in range(1, 11)]),
        ("", []),
    ],
)
def test_titles_are_read_from_an_answer(answer: str, titles: list[str]) -> None:
    """List numbers and quotes are gone; numbers that belong to a title stay."""
    assert rules.ideas_in(answer) == titles


@pytest.mark.parametrize("fence", ["```html\n<p>a</p>\n```", "```\n<p>a</p>\n```\n", "<p>a</p>"])
def test_code_fences_are_taken_off(fence: str) -> None:
    """Models put them around what is no code."""
    assert rules.without_fences(fence) == "<p>a</p>"


@given(name=st.text(), title=st.text())
def test_what_people_typed_stays_on_its_line(name: str, title: str) -> None:
    """A line break in a name or title cannot begin an instruction of its own."""
    row = {"business_name": name, "business_description": None, "website_url": None, "services": [name]}
    business = Business.of(row)
    prompt = rules.draft_prompt(business, title)
    assert len(prompt.user.splitlines()) <= 5
    assert len(rules.image_prompt(business, title, name).splitlines()) == 1


def test_nothing_known_is_said_in_neutral_words() -> None:
    """A client without a brand gets ideas too."""
    row = {"business_name": None, "business_description": "", "website_url": None, "services": []}
    told = Business.of(row).told()
    assert "our business" in told
    assert "None" not in told
