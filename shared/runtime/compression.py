"""Sends large answers of text compressed to callers who read gzip: neither API Gateway nor Cloud Run would do it.

Two kinds of answers stay as they are, so that their length tells nobody a secret (https://breachattack.com): small
ones, as all that hold tokens or codes are, and those to whom a cookie alone signed in, whose requests another site's
page may have made up.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final

from shared.runtime import headers

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LEAST: Final = 8 * 1024  # bytes
_IN_A_THREAD: Final = 64 * 1024  # bytes, a third of a millisecond: longer work would keep others waiting
_FASTEST: Final = 1  # a seventh of JSON is left; level 6 leaves an eighth and takes several times as long
_GZIP: Final = 16 + zlib.MAX_WBITS  # the format, and the largest window
_TEXTS: Final = ("application/json", "application/javascript", "image/svg+xml", "text/")


def is_worth_it(response: Response) -> bool:
    """Whether it is a large text that nobody has encoded yet; a body that is streamed is none."""
    return (
        len(getattr(response, "body", b"")) >= LEAST
        and response.headers.get("content-type", "").startswith(_TEXTS)
        and "content-encoding" not in response.headers
    )


async def compress(response: Response, request: Request, *, by_cookie: bool) -> None:
    """Replace the body of a *response* that is worth it by a compressed one if that is allowed and wanted.

    *by_cookie*: nothing but a cookie signed the caller in.
    """
    if by_cookie:
        return
    body = bytes(response.body)
    response.headers.add_vary_header("Accept-Encoding")
    if _reads_gzip(headers.told(request, b"accept-encoding") or ""):
        smaller = await asyncio.to_thread(_gzip, body) if len(body) > _IN_A_THREAD else _gzip(body)
        response.body = smaller
        response.headers["content-length"] = str(len(smaller))
        response.headers["content-encoding"] = "gzip"


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, _FASTEST, _GZIP)


def _reads_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not to refuse it (RFC 9110 §12.5.3)."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
