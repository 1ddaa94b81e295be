"""``make bench``: every measurement, or those named: ``python -m tests.bench forms cold_starts``."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))

for name in sys.argv[1:] or NAMES:
    asyncio.run(import_module(f"tests.bench.bench_{name}").main())
