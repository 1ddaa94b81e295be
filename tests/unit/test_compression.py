"""Which answers are sent compressed."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shared.runtime.compression import LEAST, compress, is_worth_it

LARGE = b'{"calls": []}' * LEAST


def _request(accepted: str | None = "gzip, deflate, br") -> Request:
    headers = [] if accepted is None else [(b"accept-encoding", accepted.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


def _json(body: bytes = LARGE, **headers: str) -> Response:
    return Response(body, media_type="application/json", headers={"Vary": "Origin", **headers})


@given(st.binary(min_size=LEAST, max_size=300_000))
async def test_a_compressed_answer_is_the_answer(body: bytes) -> None:
    """Whatever its bytes and length, in a thread or not."""
    answer = _json(body)

    await compress(answer, _request(), by_cookie=False)

    assert gzip.decompress(bytes(answer.body)) == body
    assert answer.headers["content-length"] == str(len(answer.body))
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Origin, Accept-Encoding")


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP", "gzip;q=0.5", "deflate,gzip ; q=1.0"])
async def test_whoever_reads_gzip_gets_it(accepted: str) -> None:
    """Codings come in any order and case, with weights."""
    answer = _json()
    await compress(answer, _request(accepted), by_cookie=False)
    assert gzip.decompress(bytes(answer.body)) == LARGE


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "gzip; q=0.000", "gzipped"])
async def test_nobody_else_does_and_caches_hear_of_it(accepted: str | None) -> None:
    """The answer is as it was, but says that others may get another one."""
    answer = _json()
    await compress(answer, _request(accepted), by_cookie=False)
    assert (answer.body, answer.headers["vary"]) == (LARGE, "Origin, Accept-Encoding")
    assert "content-encoding" not in answer.headers


async def test_an_answer_to_a_cookie_alone_stays_as_it_is() -> None:
    """Another site's page may have asked for it."""
    answer = _json()
    headers = list(answer.raw_headers)
    await compress(answer, _request(), by_cookie=True)
    assert (answer.body, answer.raw_headers) == (LARGE, headers)


@pytest.mark.parametrize(
    ("answer", "is_it"),
    [
        (_json(), True),
        (_json(LARGE[:LEAST]), True),
        (Response(LARGE, media_type="text/html"), True),
        (_json(LARGE[: LEAST - 1]), False),
        (_json(**{"Content-Encoding": "br"}), False),
        (Response(LARGE, media_type="image/png"), False),
        (Response(LARGE), False),
        (Response(status_code=204), False),
        (StreamingResponse(iter([LARGE]), media_type="text/csv"), False),
    ],
    ids=["large", "just", "a page", "small", "encoded", "an image", "untyped", "empty", "a stream"],
)
def test_only_large_texts_are_worth_it(answer: Response, is_it: bool) -> None:
    """Others would gain nothing, or their length could tell a secret."""
    assert is_worth_it(answer) is is_it
