"""Serves one Google API from this process: raw protobuf in, raw protobuf out, refusals as gRPC codes.

The stand-ins use the messages inside Google's own client packages (``Type.pb()`` gives the plain protobuf class of a
proto-plus type), so that what they read and write is what the real service reads and writes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from emulators.faults import Faults

LIMIT = 64 * 1024 * 1024  # bytes of one message: Vertex takes whole PDF files

Unary = Callable[[Any], Awaitable[Any]]
Stream = Callable[[Any], AsyncIterator[Any]]


class Refused(Exception):
    """What a handler raises to answer a gRPC error."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def not_found(message: str) -> Refused:
    return Refused(grpc.StatusCode.NOT_FOUND, message)


def already_exists(message: str) -> Refused:
    return Refused(grpc.StatusCode.ALREADY_EXISTS, message)


def invalid(message: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, message)


def page(names: list[str], request: Any, largest: int) -> tuple[list[str], str]:
    """The page of sorted *names* that a List request asks for, and the token of the next: the last name seen."""
    rest = [name for name in names if name > request.page_token]
    size = min(request.page_size or largest, largest)
    chosen = rest[:size]
    return chosen, chosen[-1] if len(rest) > size else ""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC: the protobuf class of its request and the coroutine, or async generator, that answers it."""

    request: Any
    handler: Unary | Stream
    streams: bool = False


def service(name: str, component: str, faults: Faults, methods: dict[str, Method]) -> grpc.GenericRpcHandler:
    """The handler of gRPC service *name*; each call is first offered to the faults of *component*."""
    handlers = {method: _rpc_handler(component, faults, spec) for method, spec in methods.items()}
    served: grpc.GenericRpcHandler = grpc.method_handlers_generic_handler(name, handlers)
    return served


def _rpc_handler(component: str, faults: Faults, method: Method) -> grpc.RpcMethodHandler:
    handler: Any = method.handler

    async def unary(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        await faults.strike_grpc(component, context)
        try:
            return await handler(request)
        except Refused as refusal:
            await context.abort(refusal.code, refusal.message)

    async def stream(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        await faults.strike_grpc(component, context)
        try:
            async for answer in handler(request):
                yield answer
        except Refused as refusal:
            await context.abort(refusal.code, refusal.message)

    coding = {"request_deserializer": method.request.FromString, "response_serializer": _serialized}
    served: grpc.RpcMethodHandler = (
        grpc.unary_stream_rpc_method_handler(stream, **coding)
        if method.streams
        else grpc.unary_unary_rpc_method_handler(unary, **coding)
    )
    return served


def _serialized(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


class LocalServer:
    """A gRPC server on a free loopback port, without TLS."""

    def __init__(self) -> None:
        self._server: grpc.aio.Server | None = None

    async def start(self, *handlers: grpc.GenericRpcHandler) -> int:
        """Serve *handlers*; return the port."""
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", LIMIT)])
        server.add_generic_rpc_handlers(handlers)
        port: int = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        self._server = server
        return port

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop(grace=0.2)
