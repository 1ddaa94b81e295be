"""What is in the image: read from the Dockerfile, so that its build, its tag and its tests agree.

``python -m infra.image`` prints the tag, a hash of everything the image is made from: the same sources have the same
tag, and a tag that is in the registry need not be built.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"


def _instructions(name: str) -> Iterator[str]:
    for line in DOCKERFILE.read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word == name:
            yield rest


def copied() -> list[str]:
    """Files and folders that the image holds, relative to the project."""
    return [source for rest in _instructions("COPY") for source in rest.split()[:-1]]


def start_command() -> list[str]:
    """What an instance starts."""
    [command] = [json.loads(rest) for rest in _instructions("CMD")]
    return list(command)


def environment() -> dict[str, str]:
    """The variables that the image sets, of the last ENV instruction (the ones for running)."""
    lines = DOCKERFILE.read_text().rsplit("\nENV ", 1)[1].splitlines()
    pairs = []
    for line in lines:
        pairs.append(line.rstrip("\\").strip())
        if not line.endswith("\\"):
            break
    return dict(pair.split("=", 1) for pair in pairs)


def files() -> list[Path]:
    """Every file the image is made from, sorted; caches of Python are no source."""
    chosen = []
    for name in copied():
        path = ROOT / name
        chosen += [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sorted(path for path in chosen if "__pycache__" not in path.parts and path.suffix != ".pyc")


def tag() -> str:
    """16 hexadecimal digits that change exactly when the image's contents do."""
    digest = hashlib.sha256(DOCKERFILE.read_bytes())
    for path in files():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    sys.stdout.write(tag() + "\n")
