"""`import galtea_async`, against importing what it is built on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from typing import Final

from benchmarks.measurement import Effort, Measurement

__all__ = ["measure"]

BUILT_ON: Final = "aiohttp, attrs, cattrs, anyio"
GOAL: Final = 1.2


def measure(effort: Effort) -> Iterable[Measurement]:
    """Take the best of several imports of each, by turns, in fresh interpreters."""
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(effort.choose(15, 3)):
        ours.append(_seconds_to_import("galtea_async"))
        floor.append(_seconds_to_import(BUILT_ON))
    ratio = min(ours) / min(floor)
    yield Measurement(
        what=f"import galtea_async / import {BUILT_ON}",
        measured=f"{ratio:.2f} x ({min(ours) * 1000:.0f} ms)",
        goal=f"<= {GOAL} x",
        reached=ratio <= GOAL,
    )


def _seconds_to_import(modules: str) -> float:
    probe = f"import time; began = time.perf_counter(); import {modules}; print(time.perf_counter() - began)"
    command = [sys.executable, "-P", "-c", probe]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
