"""What a client of a vendor with OAuth makes of answers that are not as they should be."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Reconnect, Rejected, TryLater, VendorError
from shared.integrations.oauth.client import OAuthClient, Registration

SECRET, CODE = "app-secret-0001", "code-of-a-person"
HERE = Registration(
    client_id="id", client_secret=SECRET, authorize_url="https://v.test/a", token_url="https://v.test/t", scopes=("a",)
)


class Plain(OAuthClient):
    name = "plain"


async def redeem(status: int, content: bytes, **headers: str) -> Any:
    """Exchange a code with a vendor that answers this."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, content=content, headers=headers)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        try:
            return await Plain(http, HERE).redeem(CODE, redirect_uri="https://us.test/cb", verifier="v")
        finally:
            assert all(word not in str(one.url) for one in asked for word in (SECRET, CODE))


@pytest.mark.parametrize(
    ("status", "content", "meaning"),
    [
        (200, b"", Rejected),
        (200, b"<html>", TryLater),
        (200, b"[1]", TryLater),
        (200, b"[" * 100_000, TryLater),
        (200, b'{"access_token": ""}', Rejected),
        (200, b'{"access_token": {"a": 1}}', Rejected),
        (400, b'{"error": "invalid_grant", "error_description": "secret words"}', Reconnect),
        (400, b'{"error": "<script>secret words</script>"}', Rejected),
        (401, b'{"error": "invalid_client"}', Rejected),
        (429, b"slow down", TryLater),
        (500, b'{"error": "server_error"}', TryLater),
        (502, b"\xff\xfe", TryLater),
    ],
)
async def test_an_answer_without_a_token_says_what_to_do(
    status: int, content: bytes, meaning: type[VendorError]
) -> None:
    """Try later, ask a person, or mend our app; never with the vendor's own words."""
    with pytest.raises(meaning) as refused:
        await redeem(status, content)
    assert "secret" not in str(refused.value) and "<" not in str(refused.value)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (None, None),
        (-1, None),
        (1.5, None),
        ("9" * 5_000, None),
        (True, None),
        ([1], None),
    ],
)
async def test_a_lifetime_is_a_number_of_seconds(told: object, seconds: int | None) -> None:
    """Anything else says nothing about it."""
    granted = await redeem(200, json.dumps({"access_token": "t", "expires_in": told}).encode())
    assert granted.lifetime_s == seconds and granted.refresh_token is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("access_token", "refresh_token", "expires_in", "scope", "token_type", "error")


@given(st.sampled_from([200, 400, 503]), st.dictionaries(st.sampled_from(FIELDS), JSON))
async def test_any_answer_is_a_token_or_says_what_to_do(status: int, told: dict[str, object]) -> None:
    """Nothing else ever leaves the client."""
    try:
        granted = await redeem(status, json.dumps(told).encode())
    except VendorError:
        return
    assert granted.access_token == told["access_token"] and granted.token_type
