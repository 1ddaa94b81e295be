"""Where a form may be shown, and what binds a submission to its page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.forms import rules
from shared.areas.forms.models import Attribution, FormSettings
from shared.areas.forms.rules import Page, domain_allowed, frame_ancestors, origin_of, parent_origin
from shared.errors import Forbidden, Invalid, TooManyRequests

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = b"k" * 32
PAGE = Page(uuid4(), uuid4(), "https://www.example.com", NOW)


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "http://example.com:8443",
        "https://www.example.com",
        "https://a.b.example.com",
        "https://EXAMPLE.com.",
        "https://user:secret@example.com",
    ],
)
def test_a_host_and_its_subdomains_are_allowed(origin: str) -> None:
    """However their address is written."""
    assert domain_allowed(origin, ["example.com"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com.evil.net",
        "https://notexample.com",
        "https://evil.net/example.com",
        "https://evil.net?example.com",
        "https://example.com@evil.net",
        "https://evil.net\\@example.com",
        "https://example.com:port",
        "https://com",
        "null",
        "",
        None,
    ],
)
def test_a_stranger_is_not_allowed(origin: str | None) -> None:
    """Never by a substring, user info, path or port."""
    assert not domain_allowed(origin, ["example.com"])


@pytest.mark.parametrize(
    "entry", ["example.com", "*.example.com", "https://example.com/contact", "Example.COM.", " example.com "]
)
def test_entries_are_read_as_people_write_them(entry: str) -> None:
    """A URL, a wildcard, capitals, a trailing dot."""
    assert domain_allowed("https://www.example.com", [entry])


def test_international_names() -> None:
    """A name and its punycode are the same; an unreadable entry matches nobody."""
    assert domain_allowed("https://xn--bcher-kva.example", ["bücher.example"])
    assert domain_allowed("https://xn--strae-oqa.de", ["straße.de"])
    assert not domain_allowed("https://example.com", ["exa mple.com", "://", "*."])


def test_an_empty_list_is_everywhere() -> None:
    """Also where the browser told no origin."""
    assert domain_allowed(None, [])


@given(st.text(max_size=60))
def test_no_prefix_makes_a_stranger_a_friend(prefix: str) -> None:
    """Whatever stands before it, only a whole label ends in the allowed host."""
    host = rules.host_of(f"https://{prefix}example.com")
    assert domain_allowed(f"https://{prefix}example.com", ["example.com"]) == (
        host is not None and (host == "example.com" or host.endswith(".example.com"))
    )


@given(st.text(max_size=80))
def test_an_origin_is_one_word(url: str) -> None:
    """Any text gives None or an origin that gives itself again."""
    for text in (url, f"https://{url}"):
        origin = origin_of(text)
        assert origin is None or (origin_of(origin) == origin and not set(origin) & set(" ;,'\"\n"))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://www.Example.com:443/a?b#c", "https://www.example.com"),
        ("http://example.com:8080/", "http://example.com:8080"),
        ("http://[::1]:3000/x", "http://[::1]:3000"),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("//example.com", None),
        ("null", None),
    ],
)
def test_origin_of(url: str, origin: str | None) -> None:
    """Scheme, host and an unusual port; http and https only."""
    assert origin_of(url) == origin


def test_frame_ancestors_are_sources_and_nothing_else() -> None:
    """Each host and its subdomains; an entry cannot smuggle in a directive."""
    assert frame_ancestors(["example.com"]) == [
        "https://example.com:*",
        "http://example.com:*",
        "https://*.example.com:*",
        "http://*.example.com:*",
    ]
    assert frame_ancestors(["example.com; script-src *", "a,b", "'none'"]) == []


def test_the_referer_says_who_frames_the_page() -> None:
    """Else what the embed script told."""
    told = Attribution(landing_page="https://b.test/page?x=1")
    assert parent_origin("https://a.test/", told) == "https://a.test"
    assert parent_origin(None, told) == "https://b.test"
    assert parent_origin(None, Attribution()) is None


@given(st.uuids(), st.uuids(), st.none() | st.just("https://a.test"), st.integers(0, 4 * 3600))
def test_a_page_token_says_what_was_signed(form_id, version_id, origin, age_s) -> None:  # type: ignore[no-untyped-def]
    """For four hours, whatever version is published meanwhile."""
    page = Page(form_id, version_id, origin, NOW)
    token = rules.sign_page(page, KEY)
    assert rules.read_page(token, KEY, form_id=form_id, now=NOW + timedelta(seconds=age_s)) == page


def test_an_old_page_is_told_so() -> None:
    """After four hours: 400 PAGE_EXPIRED."""
    token = rules.sign_page(PAGE, KEY)
    with pytest.raises(Invalid) as caught:
        rules.read_page(token, KEY, form_id=PAGE.form_id, now=NOW + timedelta(hours=4, seconds=1))
    assert caught.value.code == "PAGE_EXPIRED"


def test_a_page_of_another_form_or_of_the_future_is_refused() -> None:
    """403."""
    for page, form_id in ((PAGE, uuid4()), (replace(PAGE, issued_at=NOW + timedelta(minutes=5)), PAGE.form_id)):
        with pytest.raises(Forbidden):
            rules.read_page(rules.sign_page(page, KEY), KEY, form_id=form_id, now=NOW)


@given(st.text(max_size=100), st.integers(0, 400), st.characters())
def test_a_forged_token_is_refused(noise: str, at: int, other: str) -> None:
    """Any other text, another key, one character changed."""
    token = rules.sign_page(PAGE, KEY)
    at %= len(token)
    changed = token[:at] + other + token[at + 1 :]
    forged = [noise, rules.sign_page(PAGE, b"x" * 32), token + "A", token.split(".")[0]]
    for one in [*forged, *([changed] if changed != token else [])]:
        with pytest.raises(Forbidden):
            rules.read_page(one, KEY, form_id=PAGE.form_id, now=NOW)


def test_the_page_decides_where_answers_come_from() -> None:
    """With an allow-list, the page's site counts, else the browser's header; neither is a refusal."""
    settings = FormSettings(domain_allowlist=["example.com"])
    rules.check_sender(PAGE, None, settings)
    rules.check_sender(None, "https://example.com", settings)
    rules.check_sender(None, None, FormSettings())
    for page, origin in (
        (None, None),
        (None, "https://evil.test"),
        (replace(PAGE, origin="https://evil.test"), "https://example.com"),
    ):
        with pytest.raises(Forbidden):
            rules.check_sender(page, origin, settings)


def test_programs_are_told_why() -> None:
    """A filled honeypot is a 400, two seconds too early a 429; a person's answers lose the honeypot only."""
    later = NOW + timedelta(seconds=3)
    assert rules.check_human({"a": 1, rules.HONEYPOT: ""}, PAGE, later) == {"a": 1}
    assert rules.check_human({"a": 1}, None, NOW) == {"a": 1}
    with pytest.raises(Invalid) as caught:
        rules.check_human({rules.HONEYPOT: "http://spam"}, PAGE, later)
    assert caught.value.code == "LOOKS_AUTOMATED"
    with pytest.raises(TooManyRequests):
        rules.check_human({"a": 1}, PAGE, NOW + timedelta(seconds=1.9))
