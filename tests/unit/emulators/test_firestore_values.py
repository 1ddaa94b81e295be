"""Firestore's order of values and its field paths."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.firestore_v1 import GeoPoint
from google.cloud.firestore_v1._helpers import encode_value
from google.cloud.firestore_v1.types import Document
from hypothesis import given
from hypothesis import strategies as st

from emulators.firestore_values import get, path_of, put, remove, sort_key
from emulators.grpc_service import Refused

ASCENDING = [
    *(
        None,
        False,
        True,
        float("nan"),
        -1,
        0,
        0.5,
        1,
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
    ),
    *("", "A", "a", "ä", b"", b"\x01", GeoPoint(0, 1), GeoPoint(1, 0), [], [1], [1, 2], [2]),
    *({}, {"a": 1}, {"a": 1, "b": 0}, {"a": 2}, {"b": 0}),
]


def key(value: Any) -> Any:
    return sort_key(encode_value(value)._pb)


def test_values_are_ordered_by_type_and_then_by_value() -> None:
    """The documented order."""
    keys = [key(value) for value in ASCENDING]
    assert keys == sorted(keys)
    assert len({repr(each) for each in keys}) == len(keys)


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_equal_their_floats(number: int) -> None:
    """Integers and doubles are one type to a query."""
    assert key(number) == key(float(number))


def test_field_paths() -> None:
    """Back-ticks hold names that are not simple; nonsense is refused."""
    assert path_of("a.b") == ("a", "b")
    assert path_of("a.`b.c`") == ("a", "b.c")
    with pytest.raises(Refused):
        path_of("a..b")


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), st.integers(0, 9))
def test_what_is_put_is_got_until_it_is_removed(path: list[str], number: int) -> None:
    """At any depth, through values that are not maps."""
    document = Document.pb()()
    document.fields["a"].integer_value = 1
    put(document.fields, tuple(path), encode_value(number)._pb)
    found = get(document.fields, path)
    assert found is not None
    assert found.integer_value == number
    remove(document.fields, tuple(path))
    assert get(document.fields, path) is None
    remove(document.fields, tuple(path))
