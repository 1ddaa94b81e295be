"""What the use cases need from outside: settings, keys, the time, and a jar for cookies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from shared.areas.accounts.limits import Counter
from shared.areas.ports import GetKeyRing, Instance

if TYPE_CHECKING:
    from shared.config import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """One call's view of the outside. ``now`` is the only clock that rules see."""

    settings: Settings
    jwt_key: str
    hash_key: bytes
    key_ring: GetKeyRing
    now: datetime

    @property
    def count(self) -> Counter:
        return Counter(self.hash_key)

    @property
    def refresh_lifetime(self) -> timedelta:
        return timedelta(days=self.settings.refresh_token_lifetime_days)


class Secrets(Protocol):
    async def get(self, name: str) -> str: ...


class TrustedInstance(Instance, Protocol):
    """An instance of an area that may read secrets."""

    @property
    def secrets(self) -> Secrets: ...

    async def key(self, name: str) -> bytes: ...


class Jar(Protocol):
    """The cookies of an answer (``runtime.cookies``)."""

    def set(self, name: str, value: str, *, max_age_s: int, path: str = "/", lax: bool = False) -> None: ...

    def clear(self, name: str, *, path: str = "/", lax: bool = False) -> None: ...


async def means(instance: TrustedInstance) -> Means:
    return Means(
        settings=instance.settings,
        jwt_key=await instance.secrets.get("JWT_SECRET"),
        hash_key=await instance.key("HASH_KEY"),
        key_ring=instance.key_ring,
        now=datetime.now(UTC),
    )
