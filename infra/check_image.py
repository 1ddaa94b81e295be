"""Starts functions as the image would, without Docker: same files, same packages, same command, an empty environment.

``python -m infra.check_image`` tries every function of the manifest (``… NAME …`` some of them) and prints how long
each took to answer and the memory it held. A function passes when it answers something of its own: work refuses a
caller without an identity, an endpoint answers a preflight and a call. A crash (500), a silent death, or more memory
than the manifest gives it fails. There is no database, so 503 is an answer.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from dataclasses import dataclass
from pathlib import Path

from infra import image, render
from shared import manifest
from shared.manifest import Function

STARTS_WITHIN_S = 30.0


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer; what it leads to is not ours to ask."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(NoRedirects)


class Failed(Exception):
    """A function does not run in the image; says which and why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One function, started once."""

    function: str
    ready_after_s: float
    memory_mb: float
    status: int


@dataclass(frozen=True, slots=True)
class Image:
    """A folder that holds what the image's ``/app`` holds, and the Python that the image would have."""

    app: Path
    bin: Path

    def start(self, function: Function, port: int) -> subprocess.Popen[bytes]:
        command, *arguments = image.start_command()
        env = {
            "PATH": f"{self.bin}:{os.defpath}",
            **image.environment(),
            "PORT": str(port),
            "FUNCTION_TARGET": function.name,
            "ENVIRONMENT": "dev",
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            **mounted_secrets(function),
        }
        started = [str(self.bin / command), *arguments]
        return subprocess.Popen(started, cwd=self.app, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def mounted_secrets(function: Function) -> dict[str, str]:
    """Worthless values for the secrets that Terraform mounts for this function's area."""
    [area] = render.areas([function])
    ring = json.dumps({"current": "k1", "keys": {"k1": base64.b64encode(bytes(32)).decode()}})
    return {name: ring if name == "ENCRYPTION_KEYS" else "x" * 32 for name in area["secrets"]}


def build(folder: Path) -> Image:
    """The image's contents under *folder*: a new virtual environment with requirements.txt alone, and the files."""
    app, environment = folder / "app", folder / "venv"
    app.mkdir()
    for name in image.copied():
        source = image.ROOT / name
        if source.is_dir():
            shutil.copytree(source, app / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(source, app / name)
    venv.create(environment, with_pip=True)
    pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", "requirements.txt"], cwd=app, check=True)
    return Image(app, environment / "bin")


def check(built: Image, function: Function) -> Answer:
    """Start *function*, call it, stop it. Raises Failed."""
    port = _free_port()
    started = time.perf_counter()
    process = built.start(function, port)
    try:
        _wait_until_open(process, port, function)
        ready_after_s = time.perf_counter() - started
        if function.trigger == "http":
            status = _call_endpoint(function, port)
        else:
            status = _expect(function, port, "POST", "/", {401})
        memory_mb = _memory_mb(process.pid)
    except OSError as error:  # it stopped, or something else has taken its port meanwhile
        raise Failed(f"{function.name} answers no more: {error}") from error
    finally:
        process.terminate()
        output = process.communicate(timeout=10)[0].decode(errors="replace")
    if status == 500:
        raise Failed(f"{function.name} crashed: {output[-800:]}")
    if memory_mb > function.memory_mb:
        raise Failed(f"{function.name} holds {memory_mb:.0f} MiB of its {function.memory_mb}")
    return Answer(function.name, ready_after_s, memory_mb, status)


def _call_endpoint(function: Function, port: int) -> int:
    method, _, pattern = function.routes[0].partition(" ")
    path = re.sub(r"{\w+}", "00000000-0000-0000-0000-000000000000", pattern)
    _expect(function, port, "OPTIONS", path, {204})
    return _request(port, method, path)[0]


def _expect(function: Function, port: int, method: str, path: str, statuses: set[int]) -> int:
    status, body = _request(port, method, path)
    if status not in statuses:
        raise Failed(f"{function.name} answered {method} {path} with {status}: {body[:200]!r}")
    return status


def _request(port: int, method: str, path: str) -> tuple[int, bytes]:
    data = b"{}" if method in ("POST", "PUT", "PATCH") else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    try:
        with _OPENER.open(request, timeout=STARTS_WITHIN_S) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _wait_until_open(process: subprocess.Popen[bytes], port: int, function: Function) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            output = process.communicate()[0].decode(errors="replace")
            raise Failed(f"{function.name} did not start: {output[-800:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Failed(f"{function.name} opened no port within {STARTS_WITHIN_S:.0f} s")


def _memory_mb(pid: int) -> float:
    """The most memory the process has held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None, "Linux reports VmHWM of every living process"
    return int(found[1]) / 1024


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def main(names: list[str]) -> int:
    chosen = [manifest.BY_NAME[name] for name in names] or list(manifest.FUNCTIONS)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder))
        for function in chosen:
            try:
                answer = check(built, function)
            except Failed as error:
                failed += 1
                print(f"FAILED {error}", flush=True)
                continue
            print(
                f"{answer.function:40} {answer.status}  {answer.ready_after_s:5.2f} s  {answer.memory_mb:4.0f} MiB",
                flush=True,
            )
    print(json.dumps({"functions": len(chosen), "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
