"""The pauses that a vendor asks for, kept by all instances: who was told to wait makes everybody wait."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.areas.ports import Documents, Warn
from shared.errors import TryLater, VendorError

COLLECTION: Final = "vendor_pauses"
USUAL_S: Final = 2.0  # where the vendor names no time
_LONGEST_S: Final = 3600.0


class Pausing(TryLater):
    """The vendor is not to be asked for the next ``pause_s`` seconds."""

    def __init__(self, vendor: str, pause_s: float) -> None:
        super().__init__(vendor, reason="pausing", retry_after_s=pause_s)
        self.pause_s = pause_s


@dataclass(frozen=True, slots=True)
class Pauses:
    """Those of one vendor, by *account*: whatever it counts our calls by.

    Without the documents nobody waits, which is logged: the vendor itself will say so again, if it must.
    """

    documents: Documents
    warn: Warn
    vendor: str

    async def require_none(self, account: str) -> None:
        """Raise Pausing while calls for *account* are paused."""
        try:
            left = await self._left(account)
        except VendorError as trouble:
            self.warn("pause_not_read", vendor=self.vendor, reason=str(trouble))
            return
        if left > 0:
            raise Pausing(self.vendor, left)

    async def begin(self, account: str, error: TryLater) -> Pausing:
        """The vendor asked for a pause, or is in trouble: no instance calls it for *account* until that is over.

        Returns the pause, to be raised or waited for. One that was asked for is not shortened by a later failure.
        """
        pause = min(error.retry_after_s or USUAL_S, _LONGEST_S)
        try:
            pause = max(pause, await self._left(account))
            until, lifetime = time.time() + pause, timedelta(seconds=pause + 60)
            await self.documents.put(COLLECTION, self._key(account), {"until": until}, lifetime=lifetime)
        except VendorError as trouble:
            self.warn("pause_not_shared", vendor=self.vendor, reason=str(trouble))
        return Pausing(self.vendor, pause)

    async def _left(self, account: str) -> float:
        found = await self.documents.get(COLLECTION, self._key(account))
        return max(0.0, float(found["until"]) - time.time()) if found else 0.0

    def _key(self, account: str) -> str:
        return f"{self.vendor}:{account}"
