"""What every function of the manifest keeps to, whoever wrote it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from emulators.identity import identity_token
from shared.manifest import AREAS, BY_NAME, FUNCTIONS, QUEUES, TOPICS, Function
from shared.runtime.loader import load

ROOT = Path(__file__).parents[2]
# Slow to import, and needed by few: what makes a client imports it when the client is made.
HEAVY = (
    *("grpc", "google.api_core", "google.auth", "google.protobuf", "google.pubsub_v1", "google.cloud.tasks_v2"),
    *(
        "google.cloud.firestore",
        "google.cloud.storage",
        "google.cloud.aiplatform_v1",
        "httpx",
        "cryptography",
        "argon2",
    ),
)
# One function of each trigger is started by the real command in every run; `ANCHOR_ALL_FUNCTIONS=1` starts them all.
SAMPLE = ("jobs_check_health", "forms_submit", "forms_process", "emails_track", "jobs_sweep_outbox")
STARTED = [function.name for function in FUNCTIONS] if os.environ.get("ANCHOR_ALL_FUNCTIONS") else SAMPLE


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_name_says_where_the_function_is(function: Function) -> None:
    """``leads_add_note`` is in ``functions/leads/add_note.py``, decorated for its own trigger, and documented."""
    area, _, rest = function.name.partition("_")
    served = load(function.name)

    assert (ROOT / "functions" / area / f"{rest}.py").exists()
    assert served.__doc__, f"{function.name} has no docstring"
    assert area in AREAS, f"{area} is not among manifest.AREAS"


def test_every_function_file_is_in_the_manifest() -> None:
    """A file under functions/ that no entry names would be dead code."""
    files = {
        f"{path.parent.name}_{path.stem}" for path in (ROOT / "functions").glob("*/*.py") if path.stem != "__init__"
    }
    assert files == set(BY_NAME)


def test_queues_topics_and_targets_exist() -> None:
    """What functions listen to and areas send to is there."""
    for function in FUNCTIONS:
        assert function.trigger != "task" or function.queue in QUEUES
        assert function.trigger != "event" or function.topic in TOPICS
    for area in AREAS.values():
        assert set(area.enqueues) <= set(BY_NAME), area
        assert set(area.publishes) <= set(TOPICS), area


def test_nothing_is_sent_to_nobody() -> None:
    """Every topic has a listener, every task somebody who enqueues it, and what is listened to is published."""
    heard = {function.topic for function in FUNCTIONS if function.trigger == "event"}
    told = {topic for area in AREAS.values() for topic in area.publishes} | {"dead-letters"}  # Pub/Sub's own doing
    assert heard == told == set(TOPICS)
    assert {function.name for function in FUNCTIONS if function.trigger == "task"} == {
        name for area in AREAS.values() for name in area.enqueues
    }


def test_cold_starts_load_nothing_heavy() -> None:
    """Each function, in a fresh process, is loaded without the libraries that only its clients need."""
    code = (
        "import json, sys\n"
        "from shared.manifest import FUNCTIONS\n"
        "from shared.runtime.loader import load\n"
        "found = {}\n"
        "for function in FUNCTIONS:\n"
        "    load(function.name)\n"
        f"    heavy = sorted(name for name in {HEAVY!r} if name in sys.modules)\n"
        "    if heavy:\n"
        "        found[function.name] = heavy\n"
        "        break\n"
        "print(json.dumps(found))\n"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(loaded.stdout) == {}


@contextmanager
def started(name: str) -> Iterator[httpx.Client]:
    """The function alone, by the command that its container runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "PATH": os.environ["PATH"],
        "FUNCTION_TARGET": name,
        "FUNCTION_USE_ASGI": "1",
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "JWT_SECRET": "a-secret-of-the-tests-with-32-bytes-or-more",
        "DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "DATABASE_ACQUIRE_TIMEOUT_S": "1",
    }
    command = [str(Path(sys.executable).parent / "functions-framework")]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
            _wait(client, process)
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _wait(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended"
        try:
            client.get("/nowhere")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("it does not answer")


@pytest.mark.parametrize("name", STARTED)
def test_a_function_starts_alone_and_answers(name: str) -> None:
    """Under the real functions-framework, in ASGI mode, a function answers JSON: its own route, 404, 405, 401, 503."""
    function = BY_NAME[name]
    with started(name) as client:
        if function.trigger != "http":
            stranger = client.post("/", json={})
            known = client.post("/", json={}, headers={"Authorization": f"Bearer {_invoker()}"})
            assert stranger.status_code == 401
            assert known.status_code in (400, 503)  # nothing to do, or no database
            assert client.get("/").status_code == 405
            return
        method, _, path = function.routes[0].partition(" ")
        path = path.replace("{", "").replace("}", "")
        unknown = client.get("/nowhere")
        other = client.request("PATCH" if method != "PATCH" else "PUT", path)
        own = client.request(method, path)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
        assert (other.status_code, other.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
        assert method in other.headers["allow"]
        assert own.status_code < 500 or own.status_code == 503, own.text
        assert own.headers["server"] == "uvicorn"


def _invoker() -> str:
    return identity_token("invoker@anchor-local.iam.gserviceaccount.com", "")
