"""Plays API Gateway: the one public port, which finds a request's function in the manifest and passes it on.

As in the cloud, the caller's ``Authorization`` travels in ``X-Forwarded-Authorization`` and ``Authorization`` holds the
gateway's own identity token (cloud.google.com/api-gateway/docs/authenticating-users-jwt); bodies stream both ways; each
function has its own deadline. Under ``/_emulators/`` the control API answers instead.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulators.identity import GATEWAY_EMAIL, identity_token
from emulators.upstream import Answer, Headers, Unreachable, Upstream
from shared.manifest import Function
from shared.routing import Router

# RFC 9110 §7.6.1: these belong to one connection only
HOP_BY_HOP = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    )
)
# The gateway alone may say these
OURS = frozenset({b"authorization", b"x-forwarded-authorization", b"x-apigateway-api-userinfo"})
CONSOLE = "/_emulators"


class Gateway:
    """The ASGI application behind the public port.

    ``target`` is the functions host's base URL, asked for at each request, because the host may have moved.
    """

    def __init__(self, functions: Iterable[Function], target: Callable[[], str], control: ASGIApp | None = None):
        self._router = Router.from_functions(function for function in functions if function.routes)
        self._target, self._control = target, control
        self._upstream = Upstream()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if self._control is not None and (path == CONSOLE or path.startswith(f"{CONSOLE}/")):
            await self._control(scope, receive, send)
            return
        if path == "/" and self._control is not None:
            await RedirectResponse(f"{CONSOLE}/")(scope, receive, send)
            return
        raw = scope.get("raw_path", path.encode()).partition(b"?")[0].decode("latin-1")
        function = self._function(scope["method"], raw, _header(scope, b"access-control-request-method"))
        if function is None:
            await self._unrouted(raw)(scope, receive, send)
            return
        await _Passage(self._upstream, self._target(), function, scope, receive, send).run()

    async def close(self) -> None:
        await self._upstream.close()

    def _function(self, method: str, path: str, asked_method: str) -> Function | None:
        """The function that serves a request; a preflight goes to the one it asks about."""
        if method != "OPTIONS":
            match = self._router.match(method, path)
            return match.function if match else None
        for candidate in (asked_method, *self._router.allowed(path)):
            match = self._router.match(candidate, path)
            if match:
                return match.function
        return None

    def _unrouted(self, path: str) -> Response:
        allowed = self._router.allowed(path)
        if not allowed:
            return problem(404, "NOT_FOUND", "Nothing is served at this path.")
        response = problem(405, "METHOD_NOT_ALLOWED", "This path does not answer this method.")
        response.headers["Allow"] = ", ".join((*allowed, "OPTIONS"))
        return response


class _Passage:
    """One request on its way to a function and back."""

    def __init__(self, upstream: Upstream, target: str, function: Function, scope: Scope, receive: Receive, send: Send):
        self._upstream, self._target, self._function = upstream, target, function
        self._scope, self._receive, self._send = scope, receive, send
        self._started = False

    async def run(self) -> None:
        try:
            async with asyncio.timeout(self._function.timeout_s):
                await self._pass()
        except TimeoutError:
            await self._fail(problem(504, "DEADLINE_EXCEEDED", "The function did not answer in time."))
        except Unreachable:
            await self._fail(problem(503, "UNAVAILABLE", "The function is not running just now."))

    async def _pass(self) -> None:
        scope = self._scope
        host, _, port = self._target.removeprefix("http://").partition(":")
        target = scope.get("raw_path", scope["path"].encode()).partition(b"?")[0]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        headers = self._headers(f"{host}:{port}")
        body = self._body() if self._has_body() else None
        async with self._upstream.exchange((host, int(port)), scope["method"], target, headers, body) as answer:
            await self._answer(answer)

    def _headers(self, host: str) -> Headers:
        scope = self._scope
        given: Headers = list(scope["headers"])
        named = {name.strip().lower() for name in _header(scope, b"connection").encode("latin-1").split(b",")}
        dropped = HOP_BY_HOP | OURS | named | {b"host", b"x-forwarded-for", b"expect"}
        kept = [(name, value) for name, value in given if name not in dropped]
        peer = scope["client"][0] if scope.get("client") else "unknown"
        trace, span = _trace(_header(scope, b"traceparent"))
        added = {
            "host": host,
            "authorization": f"Bearer {identity_token(GATEWAY_EMAIL, self._target)}",
            "x-forwarded-authorization": _header(scope, b"authorization"),
            "x-forwarded-for": ", ".join(part for part in (_header(scope, b"x-forwarded-for"), peer) if part),
            "x-forwarded-proto": scope["scheme"],
            "x-forwarded-host": _header(scope, b"host"),
            "x-cloud-trace-context": f"{trace}/{int(span, 16)};o=1",
            "traceparent": f"00-{trace}-{span}-01",
        }
        kept = [(name, value) for name, value in kept if name.decode("latin-1") not in added]
        return [*kept, *((name.encode(), value.encode("latin-1")) for name, value in added.items() if value)]

    def _has_body(self) -> bool:
        return any(name in (b"content-length", b"transfer-encoding") for name, _ in self._scope["headers"])

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body"):
                return

    async def _answer(self, answer: Answer) -> None:
        dropped = HOP_BY_HOP | {b"date"}  # the front server says its own
        headers = [(name, value) for name, value in answer.headers if name not in dropped]
        start: Message = {"type": "http.response.start", "status": answer.status, "headers": headers}
        self._started = True
        await self._send(start)
        async for chunk in answer.body():
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _fail(self, response: Response) -> None:
        """Answer for the function, or cut the connection when half of its own answer is already out."""
        if self._started:
            self._scope["extensions"]["drop"]()
            return
        await response(self._scope, self._receive, self._send)


def problem(status: int, code: str, message: str) -> Response:
    """An error in the one shape of the whole API."""
    return JSONResponse({"message": message, "code": code}, status, headers={"Cache-Control": "no-store"})


def _header(scope: Scope, name: bytes) -> str:
    """A request header's values, joined as RFC 9110 §5.3 says; empty when there is none."""
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def _trace(traceparent: str) -> tuple[str, str]:
    """The caller's trace (W3C ``traceparent``), or a new one; the span is always ours."""
    parts = traceparent.split("-")
    known = (
        len(parts) == 4 and len(parts[1]) == 32 and set(parts[1]) <= set("0123456789abcdef") and set(parts[1]) != {"0"}
    )
    return parts[1] if known else secrets.token_hex(16), f"{secrets.randbits(63) or 1:016x}"
