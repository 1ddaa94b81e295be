"""What every part of the local cloud looks like to the supervisor, whether it runs in this process or as a child."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal, Protocol

Kind = Literal["official", "stand-in", "embedded", "ours"]


@dataclass(slots=True)
class Status:
    """One line of ``GET /_emulators/status``."""

    name: str
    kind: Kind
    ready: bool = False
    host: str = "127.0.0.1"
    port: int | None = None
    pid: int | None = None
    version: str = ""
    note: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Component(Protocol):
    """Started once, ready when ``start`` returns, gone when ``stop`` returns; ``stop`` may be called at any time."""

    status: Status
    env: dict[str, str]  # what the functions' environment needs to reach it, known after ``start``

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass(slots=True)
class Progress:
    """Prints what is being started; plain lines when nobody watches."""

    interactive: bool
    lines: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.lines.append(text)
        print(text, flush=True)
