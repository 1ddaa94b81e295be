"""Cloud Storage on this machine: ``gcp-storage-emulator`` as a child process, its files kept below the state folder."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import httpx

from emulators.children import Child, free_port
from emulators.component import Status

NAME = "storage"
READY_WITHIN_S = 20.0


class Storage:
    """Serves one bucket, made at the start; Google's client finds it by ``STORAGE_EMULATOR_HOST``."""

    def __init__(self, bucket: str, state_dir: Path):
        self.status = Status(NAME, "embedded", version=version("gcp-storage-emulator"))
        self.env: dict[str, str] = {}
        self._bucket, self._state_dir = bucket, state_dir.resolve()
        self._child: Child | None = None

    async def start(self) -> None:
        port = free_port()
        files = self._state_dir / "storage"
        files.mkdir(parents=True, exist_ok=True)
        url = f"http://127.0.0.1:{port}"
        move_links(files / ".cloudstorage" / ".meta", url)
        self._child = await Child.start(
            [
                *(sys.executable, "-m", "gcp_storage_emulator", "--data-dir", str(files), "start"),
                *("--host", "127.0.0.1", "--port", str(port), "--default-bucket", self._bucket),
            ],
            log=self._state_dir / "storage.log",
        )
        async with httpx.AsyncClient(trust_env=False, timeout=1.0) as http:
            await self._child.wait_until(lambda: self._serves_bucket(http, url), within_s=READY_WITHIN_S)
        self.status.port, self.status.pid, self.status.ready = port, self._child.pid, True
        self.env = {"STORAGE_EMULATOR_HOST": url}

    async def stop(self) -> None:
        self.status.ready = False
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _serves_bucket(self, http: httpx.AsyncClient, url: str) -> bool:
        try:
            answer = await http.get(f"{url}/storage/v1/b/{self._bucket}")
        except httpx.TransportError:
            return False
        return answer.is_success


def move_links(index: Path, url: str) -> None:
    """Let the download links in the emulator's index of files point to where it serves now.

    It writes them with the address of the upload, and Google's client follows them.
    """
    if not index.exists():
        return
    kept = json.loads(index.read_bytes())
    for files in kept["objects"].values():
        for entry in files.values():
            entry["mediaLink"] = re.sub(r"^https?://[^/]+", url, entry["mediaLink"])
    index.write_text(json.dumps(kept, indent=2))
