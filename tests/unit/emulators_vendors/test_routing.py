"""The route table keeps its promises for any set of patterns."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.manifest import FUNCTIONS, PUBLIC, Function, http
from shared.routing import Router

WORDS = st.sampled_from(["api", "reviews", "stats", "a", "b"])
SEGMENTS = st.one_of(WORDS, st.just("{x}"))
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(f"{{p{i}}}" if part == "{x}" else part for i, part in enumerate(parts))
)
VALUES = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())


def functions_of(patterns: list[str], method: str = "GET") -> list[Function]:
    return [http(f"area_f{i}", f"{method} {pattern}", access=PUBLIC) for i, pattern in enumerate(patterns)]


def shape(pattern: str) -> str:
    return re.sub(r"{[^}]*}", "{}", pattern)


@given(st.lists(PATTERNS, min_size=1, max_size=8, unique_by=shape), st.data())
def test_a_filled_pattern_reaches_a_function_that_fits_it(patterns: list[str], data: st.DataObject) -> None:
    """Any path made from a pattern is served, by a pattern that fits it and has no literal fewer on the left."""
    functions = functions_of(patterns)
    router = Router.from_functions(functions)
    pattern = data.draw(st.sampled_from(patterns))
    values = [data.draw(WORDS) if part.startswith("{") else part for part in pattern[1:].split("/")]

    match = router.match("GET", "/" + "/".join(values))

    assert match is not None
    chosen = match.function.routes[0].partition(" ")[2]
    fitting = [p for p in patterns if _fits(p, values)]
    assert chosen == min(fitting, key=lambda p: [part.startswith("{") for part in p[1:].split("/")])
    assert match.params == {p[1:-1]: v for p, v in zip(chosen[1:].split("/"), values, strict=True) if p[0] == "{"}


def _fits(pattern: str, values: list[str]) -> bool:
    parts = pattern[1:].split("/")
    return len(parts) == len(values) and all(p[0] == "{" or p == v for p, v in zip(parts, values, strict=True))


@given(VALUES)
def test_a_parameter_is_decoded_exactly_once(value: str) -> None:
    """What was percent-encoded comes back as it was, slashes and percent signs included."""
    router = Router.from_functions(functions_of(["/api/{word}/end"]))

    match = router.match("GET", f"/api/{quote(value, safe='')}/end")

    assert match is not None and match.params == {"word": value}


@given(st.lists(PATTERNS, max_size=6, unique_by=shape), st.text(max_size=30))
def test_any_path_at_all_gets_an_answer(patterns: list[str], path: str) -> None:
    """No path raises, and match and allowed agree on whether something is there."""
    router = Router.from_functions(functions_of(patterns))
    assert (router.match("GET", path) is not None) == ("GET" in router.allowed(path))


def test_a_literal_wins_before_a_parameter() -> None:
    """/api/reviews/stats is not the review called stats; other methods fall through to the parameter."""
    router = Router.from_functions(
        [
            http("reviews_get", "GET /api/reviews/{review_id}", "DELETE /api/reviews/{review_id}", access=PUBLIC),
            http("reviews_stats", "GET /api/reviews/stats", access=PUBLIC),
        ]
    )
    assert router.match("GET", "/api/reviews/stats").function.name == "reviews_stats"  # type: ignore[union-attr]
    assert router.match("DELETE", "/api/reviews/stats").params == {"review_id": "stats"}  # type: ignore[union-attr]
    assert router.allowed("/api/reviews/stats") == ("DELETE", "GET", "HEAD")


def test_head_is_served_by_get() -> None:
    """HEAD reaches the function of GET and no other."""
    router = Router.from_functions([http("a_get", "GET /a", access=PUBLIC), http("a_add", "POST /a", access=PUBLIC)])
    match = router.match("HEAD", "/a")
    assert match is not None and match.function.name == "a_get"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api//notes", "/api/x/notes/", "/api/x/y/notes", ""])
def test_only_whole_segments_match(path: str) -> None:
    """Neither an empty parameter nor a longer, shorter or slashed path is taken for the pattern."""
    router = Router.from_functions(functions_of(["/api/{x}/notes"]))
    assert router.match("GET", path) is None
    assert router.allowed(path) == ()


@given(PATTERNS)
def test_one_route_belongs_to_one_function(pattern: str) -> None:
    """Two functions that claim one route stop the start, whatever their parameters are called."""
    assume("{" in pattern)
    with pytest.raises(ValueError, match="belongs to"):
        Router.from_functions(functions_of([pattern, re.sub(r"{p", "{q", pattern)]))


def test_the_manifest_has_no_clash() -> None:
    """Every route of the manifest reaches the function it stands at."""
    router = Router.from_functions(FUNCTIONS)
    for function in FUNCTIONS:
        for route in function.routes:
            method, _, pattern = route.partition(" ")
            match = router.match(method, re.sub(r"{[^}]*}", "00000000-0000-4000-8000-000000000000", pattern))
            assert match is not None and match.function is function
