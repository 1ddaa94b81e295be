"""A function alone under the real functions-framework, as its container runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from emulators.serving import free_port

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).parent / "functions-framework")


@contextmanager
def function_env() -> Iterator[dict[str, str]]:
    """What a function is given: a migrated database of its own, and secrets; one trusted proxy."""
    from emulators.postgres import create_database, server
    from shared.db.migrate import migrate

    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "data") as admin_url:
        url = create_database(admin_url, "bench")
        migrate(url)
        yield {
            "DATABASE_URL": url,
            "JWT_SECRET": "a-secret-of-the-bench-with-32-bytes-or-more",
            "HASH_KEY": "the-benchs-hash-key",
            "ENCRYPTION_KEYS": json.dumps({"current": "b1", "keys": {"b1": b64encode(b"k" * 32).decode()}}),
            "TRUSTED_PROXY_HOPS": "1",
        }


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
