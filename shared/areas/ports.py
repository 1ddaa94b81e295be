"""What areas reach beyond the database: the protocols that more than one of them needs, and who fills them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from shared.config import Settings
    from shared.crypto import KeyRing

GetKeyRing = Callable[[], Awaitable["KeyRing"]]
Warn = Callable[..., None]
"""Logs a warning: the event, and facts as keywords (``runtime.log.warning``)."""


class Instance(Protocol):
    """The running instance's services (``runtime.services``)."""

    @property
    def settings(self) -> Settings: ...

    async def key_ring(self) -> KeyRing: ...


class Ai(Protocol):
    """Whoever answers prompts (``gcp.vertex``)."""

    async def generate(
        self,
        prompt: str,
        *,
        system: str = ...,
        temperature: float = ...,
        max_tokens: int = ...,
        model: str | None = None,
        json_schema: Mapping[str, Any] | None = None,
        media: Sequence[tuple[str, bytes]] = (),
        timeout_s: float | None = None,
    ) -> str: ...


class Documents(Protocol):
    """Short-lived documents that every instance sees (``gcp.firestore``)."""

    async def get(self, collection: str, key: str) -> dict[str, Any] | None: ...

    async def put(self, collection: str, key: str, fields: dict[str, Any], *, lifetime: timedelta) -> None: ...
