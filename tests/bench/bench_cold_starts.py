"""Cold starts: from the start of a function's process to its first answer."""

from __future__ import annotations

import statistics

from shared.manifest import FUNCTIONS
from tests.bench.framework import serving

RUNS = 3


async def main() -> None:
    with serving("constant", {}, source="tests/bench/floor.py") as (_, floor):
        pass
    times = {}
    for function in FUNCTIONS:
        taken = []
        for _ in range(RUNS):
            with serving(function.name, {"JWT_SECRET": "x" * 32}) as (_, seconds):
                taken.append(seconds)
        times[function.name] = statistics.median(taken)
    slowest = sorted(times.items(), key=lambda item: -item[1])[:5]
    print(f"\nCold start, median of {RUNS}; the framework with a constant takes {floor:.2f} s")
    print(f"  all {len(times)} functions: median {statistics.median(times.values()):.2f} s; the slowest five:")
    for name, seconds in slowest:
        print(f"  {name:<44} {seconds:6.2f} s")
