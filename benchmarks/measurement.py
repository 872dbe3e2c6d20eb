"""What a benchmark reports, how much work it does, and how two things are compared."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import frozen

__all__ = ["Cost", "Effort", "Measurement", "alternating", "median_ratio"]

_Number = TypeVar("_Number", int, float)


@frozen(kw_only=True)
class Effort:
    """How much work to do."""

    quick: bool

    def choose(self, full: _Number, quick: _Number) -> _Number:
        """Return one of two sizes."""
        return quick if self.quick else full


@frozen(kw_only=True)
class Measurement:
    """A row of the table.

    Attributes:
        what: What was measured.
        measured: The figure, with its unit.
        goal: What it should be; empty where there is no goal.
        reached: Whether it is; `None` where there is no goal or nothing was measured.
    """

    what: str
    measured: str
    goal: str = ""
    reached: bool | None = None

    def row(self) -> tuple[str, str, str, str]:
        """Return its cells."""
        verdict = "" if self.reached is None else "ok" if self.reached else "MISSED"
        return self.what, self.measured, self.goal, verdict


@frozen(kw_only=True)
class Cost:
    """What a batch of work took, in seconds."""

    cpu: float
    wall: float


async def alternating(
    ours: Callable[[], Awaitable[object]], floor: Callable[[], Awaitable[object]], rounds: int
) -> list[tuple[Cost, Cost]]:
    """Measure two kinds of work in adjacent batches, each first by turns, after one batch to warm up.

    Returns:
        For each round the cost of ours and of the floor.
    """
    await ours()
    await floor()
    pairs: list[tuple[Cost, Cost]] = []
    for number in range(rounds):
        if number % 2:
            theirs = await _cost(floor)
            pairs.append((await _cost(ours), theirs))
        else:
            mine = await _cost(ours)
            pairs.append((mine, await _cost(floor)))
    return pairs


def median_ratio(pairs: list[tuple[Cost, Cost]], what: Callable[[Cost], float]) -> float:
    """Return the median of the rounds' ratios of ours to the floor."""
    return statistics.median(what(ours) / what(floor) for ours, floor in pairs)


async def _cost(work: Callable[[], Awaitable[object]]) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return Cost(cpu=time.process_time() - cpu, wall=time.perf_counter() - wall)
