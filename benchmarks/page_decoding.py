"""A page of 10,000 evaluations, from bytes to typed objects, and how long it holds up the event loop."""

from __future__ import annotations

import asyncio
import importlib
import json
import statistics
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

from attrs import define

from benchmarks.measurement import Cost, Effort, Measurement, alternating, median_ratio
from benchmarks.stub_server import evaluation_page, stub_server
from galtea_async import AsyncGaltea, Evaluation
from galtea_async.models.converter import read_page

__all__ = ["measure"]

ROWS: Final = 10_000
STALL_GOAL: Final = 0.020
SDK_GOAL: Final = 4.0


@define
class _Stall:
    longest: float = 0.0


def measure(effort: Effort) -> Iterable[Measurement]:
    """Measure the time beside that of `json.loads`, and the stalls of the event loop."""
    rounds = effort.choose(9, 2)
    page = evaluation_page(ROWS)
    pairs = asyncio.run(_against(page, json.loads, rounds))
    decoding = statistics.median(ours.wall for ours, _ in pairs)
    ratio = median_ratio(pairs, lambda cost: cost.wall)
    yield Measurement(
        what=f"{ROWS:,} evaluations, bytes to objects",
        measured=f"{decoding * 1000:.0f} ms, {ratio:.2f} x json.loads alone",
    )
    with stub_server(rows=ROWS) as url:
        stalls = asyncio.run(_stalls(url, rounds))
    stall = statistics.median(stalls)
    yield Measurement(
        what="  longest stall of the event loop meanwhile, over HTTP",
        measured=f"{stall * 1000:.1f} ms (worst of {rounds}: {max(stalls) * 1000:.1f} ms)",
        goal=f"< {STALL_GOAL * 1000:.0f} ms",
        reached=stall < STALL_GOAL,
    )
    yield _against_sdk(page, rounds)


async def _against(page: bytes, other: Callable[[bytes], object], rounds: int) -> list[tuple[Cost, Cost]]:
    async def theirs() -> None:
        other(page)

    return await alternating(lambda: read_page(page, Evaluation), theirs, rounds)


async def _stalls(url: str, rounds: int) -> list[float]:
    async with AsyncGaltea("gsk_benchmark", base_url=url) as galtea:
        stalls: list[float] = []
        for _ in range(rounds):
            async with _watched() as stall:
                rows = await galtea.evaluations.list(limit=ROWS)
            assert len(rows) == ROWS
            stalls.append(stall.longest)
        return stalls


@asynccontextmanager
async def _watched() -> AsyncGenerator[_Stall]:
    """Take the time between two turns of the event loop, again and again."""
    stall = _Stall()

    async def watch() -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            stall.longest = max(stall.longest, now - before)
            before = now

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    yield stall
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _against_sdk(page: bytes, rounds: int) -> Measurement:
    what, goal = "  speed against the official SDK's model", f">= {SDK_GOAL:.0f} x"
    try:
        model = importlib.import_module("galtea.domain.models.evaluation").Evaluation
    except ModuleNotFoundError:
        return Measurement(what=what, measured="not measured: `galtea` is not installed", goal=goal)

    def read(body: bytes) -> object:
        return [model(**row) for row in json.loads(body)]

    ratio = 1 / median_ratio(asyncio.run(_against(page, read, rounds)), lambda cost: cost.wall)
    return Measurement(what=what, measured=f"{ratio:.1f} x", goal=goal, reached=ratio >= SDK_GOAL)
