"""A function alone under the real functions-framework, as its container runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from emulators.serving import free_port

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).parent / "functions-framework")


@contextmanager
def serving(target: str, env: Mapping[str, str], *, source: str = "main.py") -> Iterator[tuple[int, float]]:
    """The port that *target* answers on, and the seconds from the process's start to its first answer."""
    port = free_port()
    given = {
        "PATH": os.environ["PATH"],
        "FUNCTION_TARGET": target,
        "FUNCTION_SOURCE": source,
        "FUNCTION_USE_ASGI": "1",
        "HOST": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
        "LOG_LEVEL": "WARNING",
        **env,
        "PORT": str(port),
    }
    began = time.perf_counter()
    process = subprocess.Popen([COMMAND], cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port, _first_answer(port, process) - began
    finally:
        process.terminate()
        process.wait(10)


def _first_answer(port: int, process: subprocess.Popen[bytes]) -> float:
    with httpx.Client(trust_env=False, timeout=10) as client:
        while process.poll() is None:
            try:
                client.get(f"http://127.0.0.1:{port}/nowhere")
                return time.perf_counter()
            except httpx.TransportError:
                time.sleep(0.005)
    raise RuntimeError("the function ended before it answered")
