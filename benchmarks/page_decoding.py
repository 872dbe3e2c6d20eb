"""A page of 10,000 evaluations, from bytes to typed objects: speed, memory and stalls of the event loop.

The garbage is collected before each measurement. Otherwise the full collection that all these objects bring
about falls to one of the two that are compared, always the same one, and is half of what is measured.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import statistics
import time
import tracemalloc
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

from attrs import define

from benchmarks.measurement import Effort, Measurement
from benchmarks.stub_server import evaluation_page, stub_server
from galtea_async import AsyncGaltea, Evaluation
from galtea_async.models.converter import read_page

__all__ = ["measure", "watched"]

ROWS: Final = 10_000
STALL_GOAL: Final = 0.020
SDK_GOAL: Final = 4.0
MEMORY_GOAL: Final = 0.4


@define
class _Stall:
    """The longest time between two turns of the event loop, and how much of it was a garbage collection."""

    longest: float = 0.0
    collecting: float = 0.0


def measure(effort: Effort) -> Iterable[Measurement]:
    """Measure the time beside that of `json.loads`, the stalls of the event loop, and what the SDK takes."""
    rounds = effort.choose(9, 2)
    page = evaluation_page(ROWS)
    pairs = asyncio.run(_against(page, json.loads, rounds))
    decoding = statistics.median(ours for ours, _ in pairs)
    yield Measurement(
        what=f"{ROWS:,} evaluations, bytes to objects",
        measured=f"{decoding * 1000:.0f} ms, {_median_ratio(pairs):.2f} x json.loads alone",
    )
    with stub_server(rows=ROWS) as url:
        stalls = asyncio.run(_stalls(url, rounds))
    stall = statistics.median(stall.longest for stall in stalls)
    worst = max(stalls, key=lambda stall: stall.longest)
    yield Measurement(
        what="  longest stall of the event loop meanwhile, over HTTP",
        measured=f"{stall * 1000:.1f} ms (worst of {rounds}: {worst.longest * 1000:.1f} ms, "
        f"{worst.collecting * 1000:.1f} ms of it the garbage collector's)",
        goal=f"< {STALL_GOAL * 1000:.0f} ms",
        reached=stall < STALL_GOAL,
    )
    try:
        model = importlib.import_module("galtea.domain.models.evaluation").Evaluation
    except ModuleNotFoundError:
        yield Measurement(
            what="  against the official SDK", measured="not measured: `galtea` is not installed"
        )
        return

    def read_by_sdk(body: bytes) -> object:
        return [model(**row) for row in json.loads(body)]

    grown = page.replace(b'"deletedAt"', b'"addedLater":{"kind":"new"},"deletedAt"')
    yield _speed("  speed against the official SDK's model", page, read_by_sdk, rounds)
    yield _speed("  the same, with a field on each row that is new to both", grown, read_by_sdk, rounds)
    yield _memory("  peak memory against the official SDK's model", page, read_by_sdk)


def _speed(what: str, page: bytes, theirs: Callable[[bytes], object], rounds: int) -> Measurement:
    ratio = 1 / _median_ratio(asyncio.run(_against(page, theirs, rounds)))
    return Measurement(
        what=what, measured=f"{ratio:.1f} x", goal=f">= {SDK_GOAL:.0f} x", reached=ratio >= SDK_GOAL
    )


def _memory(what: str, page: bytes, theirs: Callable[[bytes], object]) -> Measurement:
    ours = _peak(lambda: asyncio.run(read_page(page, Evaluation)))
    sdk = _peak(lambda: theirs(page))
    return Measurement(
        what=what,
        measured=f"{ours / sdk:.2f} x ({ours / 2**20:.0f} MB)",
        goal=f"<= {MEMORY_GOAL} x",
        reached=ours / sdk <= MEMORY_GOAL,
    )


def _peak(read: Callable[[], object]) -> int:
    """Return the most bytes that Python's allocators held beyond what they held before."""
    gc.collect()
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _against(page: bytes, theirs: Callable[[bytes], object], rounds: int) -> list[tuple[float, float]]:
    """Measure the CPU seconds of both by turns, after one round to warm up."""
    pairs: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:
            floor = _seconds_of(theirs, page)
            pairs.append((await _our_seconds(page), floor))
        else:
            ours = await _our_seconds(page)
            pairs.append((ours, _seconds_of(theirs, page)))
    return pairs[1:]


async def _our_seconds(page: bytes) -> float:
    gc.collect()
    began = time.process_time()
    rows = await read_page(page, Evaluation)
    taken = time.process_time() - began
    assert len(rows) == ROWS
    return taken


def _seconds_of(read: Callable[[bytes], object], page: bytes) -> float:
    gc.collect()  # else one side pays for what the other has left
    began = time.process_time()
    rows = read(page)
    taken = time.process_time() - began
    del rows
    return taken


def _median_ratio(pairs: list[tuple[float, float]]) -> float:
    return statistics.median(ours / theirs for ours, theirs in pairs)


async def _stalls(url: str, rounds: int) -> list[_Stall]:
    async with AsyncGaltea("gsk_benchmark", base_url=url) as galtea:
        stalls: list[_Stall] = []
        for _ in range(rounds):
            async with watched() as stall:
                rows = await galtea.evaluations.list(limit=ROWS)
            assert len(rows) == ROWS
            stalls.append(stall)
        return stalls


@asynccontextmanager
async def watched() -> AsyncGenerator[_Stall]:
    """Take the time between two turns of the event loop, again and again."""
    stall = _Stall()
    collected, began = 0.0, 0.0

    def collect(phase: str, _: dict[str, int]) -> None:
        nonlocal collected, began
        if phase == "start":
            began = time.perf_counter()
        else:
            collected += time.perf_counter() - began

    async def watch() -> None:
        before, collected_before = time.perf_counter(), collected
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            if now - before > stall.longest:
                stall.longest, stall.collecting = now - before, collected - collected_before
            before, collected_before = now, collected

    gc.callbacks.append(collect)
    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    yield stall
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    gc.callbacks.remove(collect)
