"""Cloud Storage on this machine, through Google's own client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest
from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from emulators.storage import Storage


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    def client(storage: Storage) -> Client:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.env["STORAGE_EMULATOR_HOST"])
        return Client(project="anchor-local", credentials=AnonymousCredentials())

    return client


async def test_files_are_kept_over_a_restart(tmp_path: Path, client: Any) -> None:
    """The bucket is there from the start; what was put in it is still there after a stop."""
    storage = Storage("anchor-uploads", tmp_path)
    await storage.start()
    try:
        with client(storage) as first:
            blob = first.bucket("anchor-uploads").blob("brand/logo.svg")
            await asyncio.to_thread(blob.upload_from_string, b"<svg/>", content_type="image/svg+xml")
        pid = storage.status.pid
    finally:
        await storage.stop()
    assert not psutil.pid_exists(pid or 0)
    await storage.start()
    try:
        with client(storage) as second:
            bucket = second.bucket("anchor-uploads")
            kept = await asyncio.to_thread(bucket.get_blob, "brand/logo.svg")
            assert kept.content_type == "image/svg+xml"
            assert await asyncio.to_thread(kept.download_as_bytes) == b"<svg/>"
            await asyncio.to_thread(kept.delete)
            with pytest.raises(NotFound):
                await asyncio.to_thread(kept.download_as_bytes)
    finally:
        await storage.stop()
        await storage.stop()
    assert not storage.status.ready
