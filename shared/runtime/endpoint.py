"""Makes a coroutine an HTTP function: ``@endpoint`` does what every endpoint needs, a handler only what is its own.

From the manifest it knows method, path and access; from the annotations what to read: ``body`` and ``query`` are
pydantic models (``body: dict`` takes any JSON object, ``body: Form`` a multipart form; beside a model, ``form: Form``
takes the files of a body that comes as a form instead of JSON), the return value is a model, a
dict or list, ``Json`` (text that PostgreSQL made), a Starlette response, or None for 204. Everything that can go wrong
becomes the one error shape ``{"message", "code", …}``; a 500 carries nothing of the inside.
"""

from __future__ import annotations

import asyncio
import functools
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, get_type_hints, overload
from urllib.parse import parse_qs
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import from_json, to_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared import manifest
from shared.errors import Forbidden, KeyUnknown, NotFound, Problem, TooManyRequests, TryLater, VendorError
from shared.routing import Router
from shared.runtime import acting, bodies, compression, headers, identity, log, multipart, session_cookie
from shared.runtime.context import Context
from shared.runtime.cookies import Cookies
from shared.runtime.identity import Identity, User
from shared.runtime.services import Services, services

Handler = Callable[..., Awaitable[Any]]
Served = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Json:
    """An answer that already is JSON."""

    text: str | bytes


@dataclass(slots=True, kw_only=True)
class Call(Context):
    """One HTTP request, as its handler sees it."""

    request: Request
    path: Mapping[str, str]
    identity: Identity
    cookies: Cookies

    @property
    def user(self) -> User:
        """The signed-in person; only for functions whose access asks for one."""
        assert self.identity.user is not None, "a public function has no user"
        return self.identity.user

    @property
    def subject_id(self) -> UUID:
        """Whose data a portal function serves: the acted-as client's, else the caller's own."""
        assert self.identity.subject_id is not None, "a public function has no subject"
        return self.identity.subject_id

    @property
    def ip(self) -> str:
        return identity.client_ip(self.request, self.services.settings.trusted_proxy_hops)

    @property
    def user_agent(self) -> str:
        return self.header("user-agent")[:512]

    def header(self, name: str) -> str:
        """The request's header *name* (lower case); empty when there is none."""
        return headers.told(self.request, name.encode()) or ""

    @property
    def bearer(self) -> str:
        """The access token of the request's header, whatever it is worth; empty when there is none."""
        return identity.bearer(self.request, self.services.settings)

    def refuse_foreign_pages(self) -> None:
        """Forbidden when a page of another site sends this: for functions that read or set cookies without a token."""
        origin = self.request.headers.get("origin")
        if origin is not None and origin.rstrip("/") not in self.services.settings.allowed_origins:
            raise Forbidden("This page may not do that.", code="FOREIGN_ORIGIN")

    def id(self, name: str) -> UUID:
        """A path parameter that is a UUID; any other text is an id that does not exist."""
        try:
            return UUID(self.path[name])
        except ValueError:
            raise NotFound("There is nothing at this address.") from None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a handler reads and answers; OpenAPI is rendered from it."""

    body: type[BaseModel] | type[dict[str, Any]] | type[bytes] | type[multipart.Form] | None
    query: type[BaseModel] | None
    answer: Any
    status: int
    files: bool = False  # the body may come with files


@overload
def endpoint(handler: Handler) -> Served: ...
@overload
def endpoint(*, status: int) -> Callable[[Handler], Served]: ...
def endpoint(handler: Handler | None = None, *, status: int = 200) -> Served | Callable[[Handler], Served]:
    """Serve *handler* as the manifest's function of its name; *status* is that of a successful answer."""
    if handler is None:
        return functools.partial(_endpoint, status=status)
    return _endpoint(handler, status)


def _endpoint(handler: Handler, status: int) -> Served:
    function = manifest.BY_NAME[handler.__name__]
    router = Router.from_functions([function])
    hints = get_type_hints(handler)
    names = signature(handler).parameters
    shape = Shape(
        body=hints["body"] if "body" in names else None,
        query=hints["query"] if "query" in names else None,
        answer=hints.get("return"),
        status=status,
        files="form" in names,
    )

    @functools.wraps(handler)
    async def served(request: Request) -> Response:
        return await _serve(request, function, router, shape, handler)

    served.shape = shape  # type: ignore[attr-defined]
    served.function = function  # type: ignore[attr-defined]
    return served


async def _serve(
    request: Request, function: manifest.Function, router: Router, shape: Shape, handler: Handler
) -> Response:
    started = time.perf_counter()
    instance = services()
    request_id, trace = _trace(request, instance)
    caller: list[UUID] = []
    cookies = Cookies(secure=not instance.settings.is_local)
    with log.bound(function=function.name, request_id=request_id, **trace):
        response = await _answer(request, function, router, shape, handler, instance, request_id, caller, cookies)
        if function.says_error and response.status_code >= 400:
            response = _also_as_error(response)
        cookies.apply(response)
        _dress(response, request, function, instance, request_id)
        if compression.is_worth_it(response):
            by_cookie = bool(caller) and not identity.bearer(request, instance.settings)
            await compression.compress(response, request, by_cookie=by_cookie)
        log.info(
            "request",
            method=request.method,
            status=response.status_code,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
            **({"user_id": caller[0]} if caller else {}),
        )
    return response


async def _answer(
    request: Request,
    function: manifest.Function,
    router: Router,
    shape: Shape,
    handler: Handler,
    instance: Services,
    request_id: str,
    caller: list[UUID],
    cookies: Cookies,
) -> Response:
    """The handler's answer, or the one that says what went wrong."""
    try:
        path = _raw_path(request)
        if request.method == "OPTIONS":
            return Response(status_code=204)
        match = router.match(request.method, path)
        if match is None:
            return _no_such_route(router.allowed(path))
        async with asyncio.timeout(function.timeout_s):
            who = await identity.identify(request, function.access, instance)
            if who.user is not None:
                caller.append(who.user.id)
                await acting.record(request, who, function, instance)
                await session_cookie.slide(who, cookies, instance)
            call = Call(
                function=function,
                services=instance,
                request_id=request_id,
                request=request,
                path=match.params,
                identity=who,
                cookies=cookies,
            )
            return _encode(await handler(call, **await _read(request, function, shape)), shape.status)
    except Problem as problem:
        return _problem(problem)
    except TryLater as error:
        log.warning("unavailable", reason=str(error))
        return _unavailable(error)
    except VendorError as error:
        log.error("vendor_refused", reason=str(error))
        return _error(502, "VENDOR_ERROR", f"{error.vendor} did not accept this request.")
    except TimeoutError:
        log.error("deadline_exceeded", timeout_s=function.timeout_s)
        return _error(504, "DEADLINE_EXCEEDED", "This took too long. Please try again.")
    except ClientDisconnect:
        return _error(499, "CLIENT_CLOSED_REQUEST", "The caller went away.")
    except KeyUnknown:
        await _renew_keys(instance)
        return _unavailable(TryLater("key ring", retry_after_s=1))
    except Exception as error:
        log.error("crash", exception=error)
        return _error(500, "INTERNAL", "Something went wrong on our side.")


async def _renew_keys(instance: Services) -> None:
    log.warning("key_unknown")
    try:
        await instance.renew_key_ring()
    except VendorError as error:
        log.error("keys_not_renewed", reason=str(error))


async def _read(request: Request, function: manifest.Function, shape: Shape) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if shape.query is not None:
        pairs = parse_qs(request.url.query, keep_blank_values=True)
        values = {name: found[-1] if len(found) == 1 else found for name, found in pairs.items()}
        given["query"] = bodies.parse_values(values, shape.query, "query")
    if shape.body is not None:
        limit = function.max_body_kb * 1024
        if shape.files:
            return given | await _body_and_form(request, shape.body, limit=limit)
        given["body"] = await _body(request, shape.body, limit=limit)
    return given


async def _body_and_form(request: Request, wanted: Any, *, limit: int) -> dict[str, Any]:
    """A model that comes as JSON, or as the texts of a form whose files the handler reads itself."""
    if not multipart.is_multipart(request):
        return {"body": await _body(request, wanted, limit=limit), "form": multipart.Form({}, {})}
    form = await multipart.read(request, limit=limit)
    return {"body": form.parsed(wanted), "form": form}


async def _body(request: Request, wanted: Any, *, limit: int) -> Any:
    """The body as the handler asks for it. A model may also come as a form of texts."""
    if wanted is multipart.Form:
        return await multipart.read(request, limit=limit)
    is_model = isinstance(wanted, type) and issubclass(wanted, BaseModel)
    if is_model and multipart.is_multipart(request):
        form = await multipart.read(request, limit=limit)
        form.files(at_most=0)
        return form.parsed(wanted)
    raw = await bodies.read_bytes(request, limit=limit)
    if wanted is bytes:
        return raw
    return bodies.parse_json(raw, wanted) if is_model else bodies.parse_object(raw)


def _encode(answer: Any, status: int) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status_code=204)
    content = answer.text if isinstance(answer, Json) else to_json(answer)
    return Response(content, status_code=status, media_type="application/json")


def _error(status: int, code: str, message: str, **extra: object) -> Response:
    body = {"message": message, "code": code, **extra}
    return Response(to_json(body), status_code=status, media_type="application/json")


def _problem(problem: Problem) -> Response:
    response = _error(problem.status, problem.code, problem.message, **problem.extra)
    if isinstance(problem, TooManyRequests):
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


def _also_as_error(response: Response) -> Response:
    """A refusal whose message is also called ``error``; a page or a text stays as it is."""
    if response.media_type != "application/json":
        return response
    body = from_json(bytes(response.body))
    again = Response(
        to_json({"error": body["message"], **body}), status_code=response.status_code, media_type="application/json"
    )
    kept = (line for line in response.raw_headers if line[0] not in (b"content-length", b"content-type"))
    again.raw_headers.extend(kept)
    return again


def _unavailable(error: TryLater) -> Response:
    response = _error(503, "TRY_LATER", f"The {error.vendor} cannot be reached right now. Please try again shortly.")
    response.headers["Retry-After"] = str(max(1, round(error.retry_after_s or 5)))
    return response


def _no_such_route(allowed: tuple[str, ...]) -> Response:
    if not allowed:
        return _error(404, "NOT_FOUND", "There is nothing at this address.")
    response = _error(405, "METHOD_NOT_ALLOWED", f"This address answers {', '.join(allowed)}.")
    response.headers["Allow"] = ", ".join(allowed)
    return response


def _raw_path(request: Request) -> str:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _dress(
    response: Response, request: Request, function: manifest.Function, instance: Services, request_id: str
) -> None:
    origin = headers.told(request, b"origin")
    own = {name for name, _ in response.raw_headers}  # a handler's own headers win
    lines = headers.lines(instance.settings, origin, embeddable=function.embeddable)
    response.raw_headers.extend(line for line in lines if line[0] not in own)
    response.raw_headers.append((b"x-request-id", request_id.encode()))
    if request.method == "OPTIONS":
        allowed = headers.cors(instance.settings, origin, embeddable=function.embeddable)
        for name, value in headers.preflight(allowed, request.headers.get("access-control-request-headers")).items():
            response.headers[name] = value


_TRACE = re.compile(r"^(?:00-)?([0-9a-f]{32})[-/]")


def _trace(request: Request, instance: Services) -> tuple[str, dict[str, str]]:
    """The id of this request, and the field that joins its log lines to the trace of Google's front end."""
    given = headers.told(request, b"traceparent") or headers.told(request, b"x-cloud-trace-context") or ""
    found = _TRACE.match(given)
    if not found:
        return f"{random.getrandbits(128):032x}", {}  # a name to find lines by, no secret
    name = f"projects/{instance.settings.gcp_project_id}/traces/{found[1]}"
    return found[1], {"logging.googleapis.com/trace": name}
