"""Pure rules of connections."""

from __future__ import annotations

import json
import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.areas.blog.rules import clean
from shared.areas.connections import rules

NAMES = st.sampled_from(["name", "note", "x", "access_token", "API-key", "apiKey", "Password", "clientSecret", "auth"])
FACTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, FACTS))
def test_no_secret_is_kept_in_clear(facts: dict[str, object]) -> None:
    """At no depth does a name that promises a secret stay; cleaning twice changes nothing."""
    clean = rules.without_secrets(facts)
    text = json.dumps(clean)
    assert not any(name in text for name in ('"access_token"', '"apiKey"', '"Password"', '"clientSecret"'))
    assert rules.without_secrets(clean) == clean
    assert set(clean) >= {name for name in facts if name in ("name", "note", "x")}


def test_facts_have_an_end() -> None:
    """16 KB are kept, more are refused, as is what PostgreSQL cannot hold."""
    assert rules.storable({"a": "x" * 15_000})
    for wrong in ({"a": "x" * 16_001}, {"a": "\x00"}):
        with pytest.raises(ValueError):
            rules.storable(wrong)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("accounts/1/locations/2", ("1", "2")),
        ("locations/2", ("", "2")),
        ("2", ("", "2")),
        ("accounts/1", None),
        ("locations/x", None),
        ("accounts/1/locations/2/reviews", None),
        ("2\n", None),
        ("", None),
    ],
)
def test_a_location_by_its_names(told: str, found: tuple[str, str] | None) -> None:
    """The bare number, with or without its account; nothing else."""
    assert rules.location_of(told) == found


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("example.com", "https://example.com"),
        ("HTTPS://Example.com/", "https://example.com"),
        ("https://example.com/blog/", "https://example.com/blog"),
        ("https://example.com/wp-admin/", "https://example.com"),
        ("https://example.com:8443/wp-json/?x=1#y", "https://example.com:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
    ],
)
def test_a_sites_address_as_it_is_kept(typed: str, kept: str) -> None:
    """However it is typed, one form of it; that form stays as it is."""
    assert rules.site_address(typed) == kept == rules.site_address(kept)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    """Nothing but ValueError, and what comes back is a plain address of http or https without user or query."""
    try:
        kept = rules.site_address(text)
    except ValueError:
        return
    assert kept.startswith(("https://", "http://")) and "?" not in kept and "#" not in kept and "@" not in kept[:300]
    assert not any(character.isspace() for character in kept)


@given(st.text(max_size=80), st.uuids())
def test_a_posts_name_is_its_own(title: str, source: object) -> None:
    """Lower-case letters, digits and dashes, ending in what makes it the only one."""
    slug = rules.slug_of(title, f"blog_post:{source}")
    assert slug.endswith(str(source).replace("-", "")[-12:])
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and 12 < len(slug) <= 75


FILE = UUID("00000000-0000-4000-8000-00000000000a")


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (f'<img src="/uploads/{FILE}/a.png" alt="A">', '<img src="https://site.test/?a=1&amp;b" alt="A">'),
        (f'<img alt="A" src="/uploads/{FILE}/a.png"><img src="/uploads/{FILE}/a.png">', None),
        ('<img src="https://else.test/?x=1&amp;y=2">', '<img src="https://else.test/?x=1&amp;y=2">'),
        ('<p>a<img src="/uploads/old/a.png">b</p>', "<p>ab</p>"),
        ('<img src="/elsewhere.png"><img alt="none">', ""),
        (
            f'<img alt="a>b src=" src="/uploads/{FILE}/a.png">',
            '<img alt="a>b src=" src="https://site.test/?a=1&amp;b">',
        ),
        ('<p title="<img src=x>">a</p>', '<p title="<img src=x>">a</p>'),
        (f"<code>/uploads/{FILE}/a.png</code>", f"<code>/uploads/{FILE}/a.png</code>"),
    ],
)
def test_images_move_to_the_site(content: str, sent: str | None) -> None:
    """Ours get the site's address, foreign ones keep theirs, and what the site could not show is left out."""
    found = rules.with_images(content, {f"/uploads/{FILE}/a.png": "https://site.test/?a=1&b"})
    assert found == sent if sent is not None else "/uploads/" not in found and found.count("site.test") == 2


def test_only_our_files_are_ours() -> None:
    """By the file's id; an old path, another host and plain text name none."""
    content = f'<img src="/uploads/{FILE}/a%20b.png"><img src="/uploads/old/a.png"><img src="https://x.test/uploads/{FILE}/a">'
    assert rules.own_images(content + f"/uploads/{FILE}/c.png") == {f"/uploads/{FILE}/a%20b.png": FILE}


HOSTILE = st.lists(st.sampled_from(["<img ", "<p title=", '"', "'", ">", "src=", "/uploads/x", "&lt;", "a", "</p>"]))


@given(HOSTILE)
def test_nothing_but_images_is_touched(parts: list[str]) -> None:
    """However the HTML was written before it was cleaned: what is left of it is clean, and shows no address of ours."""
    content = clean("".join(parts))
    left = rules.with_images(content, {})
    assert clean(left) == left and "<img" not in left
    assert left == content or "<img" in content


def test_images_of_a_hostile_post_are_found_in_time() -> None:
    """What looks like the beginning of many images is read once."""
    content = f'<p title="{"<img " * 80_000}">a</p>'
    started = time.perf_counter()
    assert rules.with_images(content, {}) == content
    assert time.perf_counter() - started < 2


def test_the_callback_is_ours() -> None:
    """Only our own addresses count as ours, to the letter."""
    bases = ("https://api.anchor.test", "https://app.anchor.test/")
    assert rules.own_callback("google", "https://app.anchor.test/api/hub/oauth/google/callback", bases)
    for strange in (
        "",
        "https://api.anchor.test/api/hub/oauth/tiktok/callback",
        "https://api.anchor.test.evil.example/api/hub/oauth/google/callback",
        "http://api.anchor.test/api/hub/oauth/google/callback",
    ):
        assert not rules.own_callback("google", strange, bases)
