"""Firestore on this machine: Google's emulator where Java and its jar can be had, our stand-in elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from emulators.faults import Faults
from emulators.firestore_stand_in import FirestoreStandIn
from emulators.official import Emulator, Name

NAME: Name = "firestore"


class Firestore(Emulator):
    """Documents live in memory, in either. Neither enforces TTL policies or missing indexes."""

    def __init__(self, *, state_dir: Path, faults: Faults, env: Mapping[str, str] = os.environ):
        super().__init__(NAME, FirestoreStandIn(faults), state_dir, env)
