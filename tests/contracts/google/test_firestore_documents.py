"""``shared.gcp.firestore`` against the official emulator and our stand-in: documents that live for minutes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from emulators.faults import Fault, Faults
from emulators.firestore import Firestore as Emulator
from shared.config import Settings
from shared.errors import TryLater
from shared.gcp.firestore import Firestore

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
async def emulator(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Emulator]:
    emulator = Emulator(state_dir=tmp_path_factory.mktemp("firestore"), faults=Faults(), env=environ)
    await emulator.start()
    if emulator.status.kind == "stand-in" and environ.get("ANCHOR_EMULATORS") != "stand-in":
        await emulator.stop()
        pytest.skip(f"no official emulator: {emulator.status.note}")
    yield emulator
    await emulator.stop()


@pytest.fixture
async def documents(emulator: Emulator) -> AsyncIterator[Firestore]:
    settings = replace(
        Settings(),
        gcp_project_id=f"anchor-{uuid4().hex[:8]}",
        firestore_emulator_host=emulator.env["FIRESTORE_EMULATOR_HOST"],
    )
    store = Firestore(settings)
    yield store
    await store.close()


async def test_a_document_lives_for_its_lifetime(documents: Firestore) -> None:
    """What is put is there until its time is over or it is deleted; reading does not wait for the TTL policy."""
    await documents.put("c", "young", {"a": 1, "b": ["x"]}, lifetime=MINUTE)
    await documents.put("c", "old", {"a": 1}, lifetime=-MINUTE)
    assert await documents.get("c", "young") == {"a": 1, "b": ["x"]}
    assert await documents.get("c", "old") is None
    assert await documents.get("c", "never") is None
    await documents.put("c", "young", {"a": 2}, lifetime=MINUTE)
    assert await documents.get("c", "young") == {"a": 2}
    await documents.delete("c", "young")
    assert await documents.get("c", "young") is None


async def test_of_many_takers_one_gets_the_document(documents: Firestore) -> None:
    """Taken at the same instant by five, a document goes to one; an expired one to nobody."""
    await documents.put("c", "one", {"a": 1}, lifetime=MINUTE)
    taken = await asyncio.gather(*(documents.take("c", "one") for _ in range(5)))
    assert [found for found in taken if found is not None] == [{"a": 1}]
    await documents.put("c", "old", {"a": 1}, lifetime=-MINUTE)
    assert await documents.take("c", "old") is None
    assert await documents.take("c", "never") is None


async def test_a_firestore_that_fails_is_try_later() -> None:
    """A service that cannot answer now is TryLater, for every operation."""
    faults = Faults()
    emulator = Emulator(state_dir=None, faults=faults, env={"ANCHOR_EMULATORS": "stand-in"})  # type: ignore[arg-type]
    await emulator.start()
    store = Firestore(replace(Settings(), firestore_emulator_host=emulator.env["FIRESTORE_EMULATOR_HOST"]))
    faults.put("firestore", Fault(status=500))
    try:
        with pytest.raises(TryLater):
            await store.get("c", "one")
        with pytest.raises(TryLater):
            await store.put("c", "one", {}, lifetime=MINUTE)
        with pytest.raises(TryLater):
            await store.take("c", "one")
    finally:
        await store.close()
        await emulator.stop()
