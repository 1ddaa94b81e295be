"""Makes a stand-in fail on purpose, in every way the real service can.

``PUT /_emulators/faults/{component}`` sets one fault, ``DELETE`` ends it. Stand-ins over HTTP answer ``status``; those
over gRPC answer the code that Google's clients see for it (429 → RESOURCE_EXHAUSTED, 503 → UNAVAILABLE, …).
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

import grpc

GRPC_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


@dataclass(slots=True)
class Fault:
    """Wait ``latency_ms``, then answer ``status`` or, with ``drop``, nothing at all; ``times`` counts down to none."""

    status: int | None = None
    latency_ms: int = 0
    times: int | None = None
    drop: bool = False


class Faults:
    """The faults of one local cloud, by component name."""

    def __init__(self) -> None:
        self._by_component: dict[str, Fault] = {}

    def put(self, component: str, fault: Fault) -> None:
        self._by_component[component] = fault

    def clear(self, component: str) -> None:
        self._by_component.pop(component, None)

    def as_json(self) -> dict[str, dict[str, object]]:
        return {name: asdict(fault) for name, fault in self._by_component.items()}

    async def strike(self, component: str) -> Fault | None:
        """Wait as the fault asks and return it when this call must fail; None when it may go on."""
        fault = self._by_component.get(component)
        if fault is None:
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.clear(component)
        await asyncio.sleep(fault.latency_ms / 1000)
        return fault if fault.status is not None or fault.drop else None

    async def strike_grpc(self, component: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """As ``strike``, for a gRPC servicer: aborts the call, or hangs until the caller gives up."""
        fault = await self.strike(component)
        if fault is None:
            return
        if fault.drop:
            await asyncio.sleep(3600)
        await context.abort(GRPC_CODES.get(fault.status or 500, grpc.StatusCode.UNKNOWN), "fault injected")
