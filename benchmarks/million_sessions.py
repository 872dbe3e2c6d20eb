"""1,000,000 ids in chunks of 1,000 with the journal on disk: speed against a raw pipeline, and memory.

Memory is measured in processes of their own, as the highest resident size beyond what an open client takes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import statistics
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.measurement import Cost, Effort, Measurement, alternating, median_ratio
from benchmarks.raw_pipeline import post_in_chunks, raw_session, session_ids
from benchmarks.stub_server import stub_server
from galtea_async import AsyncGaltea, evaluate_sessions

__all__ = ["measure", "peak_megabytes"]

CHUNK: Final = 1_000
IN_FLIGHT: Final = 8
LATENCY: Final = 0.05
GOAL_WITH_LATENCY: Final = 0.85
GOAL_OVERHEAD: Final = 1.15
GOAL_WITHOUT: Final = 0.3
GOAL_RATE: Final = 200_000
GOAL_ADDED: Final = 20.0
GOAL_GROWTH: Final = 0.03


def measure(effort: Effort) -> Iterable[Measurement]:
    """Compare speed with and without latency, and memory by length."""
    many, few = effort.choose(1_000_000, 50_000), effort.choose(100_000, 10_000)
    rounds = effort.choose(3, 1)
    with stub_server(latency=LATENCY) as url:
        pairs = asyncio.run(_pairs(url, many, rounds))
        overhead = median_ratio(asyncio.run(_with_and_without(url, many, rounds)), lambda cost: cost.wall)
    ratio = 1 / median_ratio(pairs, lambda cost: cost.wall)
    yield Measurement(
        what=f"{many:,} ids by {CHUNK:,}, journal on disk, {LATENCY * 1000:.0f} ms, {IN_FLIGHT} in flight",
        measured=f"{ratio:.2f} x raw aiohttp without a journal ({_rate(pairs, many):,.0f} sessions/s)",
        goal=f">= {GOAL_WITH_LATENCY} x",
        reached=ratio >= GOAL_WITH_LATENCY,
    )
    yield Measurement(
        what="  against the same run with a journal in a temporary file",
        measured=f"{overhead:.2f} x its time",
        goal=f"<= {GOAL_OVERHEAD} x",
        reached=overhead <= GOAL_OVERHEAD,
    )
    with stub_server() as url:
        yield _without_latency(asyncio.run(_pairs(url, many, rounds)), many)
        yield from _memory(url, many, few)


def _without_latency(pairs: list[tuple[Cost, Cost]], many: int) -> Measurement:
    ratio = 1 / median_ratio(pairs, lambda cost: cost.wall)
    rate = _rate(pairs, many)
    return Measurement(
        what="  the same without latency",
        measured=f"{ratio:.2f} x raw aiohttp, {rate:,.0f} sessions/s",
        goal=f">= {GOAL_WITHOUT} x, {GOAL_RATE:,}/s",
        reached=ratio >= GOAL_WITHOUT and rate >= GOAL_RATE,
    )


def _memory(url: str, many: int, few: int) -> Iterable[Measurement]:
    base, peak = _in_own_process(url, many)
    added = peak - base
    yield Measurement(
        what=f"  memory added by {many:,} ids",
        measured=f"{added:.1f} MB",
        goal=f"<= {GOAL_ADDED:.0f} MB",
        reached=added <= GOAL_ADDED,
    )
    _, peak_of_few = _in_own_process(url, few)
    growth = peak / peak_of_few - 1
    yield Measurement(
        what=f"  memory of {many:,} ids beyond that of {few:,}",
        measured=f"{growth:+.1%} ({peak:.1f} against {peak_of_few:.1f} MB)",
        goal=f"<= {GOAL_GROWTH:.0%}",
        reached=growth <= GOAL_GROWTH,
    )


async def _pairs(url: str, count: int, rounds: int) -> list[tuple[Cost, Cost]]:
    client = AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=IN_FLIGHT)
    async with client as galtea, raw_session() as session:

        async def raw() -> None:
            ids = session_ids(count)
            assert await post_in_chunks(session, url, ids, chunk_size=CHUNK, in_flight=IN_FLIGHT) == 2 * count

        return await alternating(lambda: _evaluate(galtea, count), raw, rounds)


async def _with_and_without(url: str, count: int, rounds: int) -> list[tuple[Cost, Cost]]:
    async with AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=IN_FLIGHT) as galtea:

        async def without() -> None:
            report = await evaluate_sessions(galtea, session_ids(count), chunk_size=CHUNK)
            assert report.sessions_evaluated == count

        return await alternating(lambda: _evaluate(galtea, count), without, rounds)


async def _evaluate(galtea: AsyncGaltea, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "job.db"
        report = await evaluate_sessions(galtea, session_ids(count), chunk_size=CHUNK, journal=journal)
    assert report.sessions_evaluated == count


def _rate(pairs: list[tuple[Cost, Cost]], count: int) -> float:
    return count / statistics.median(ours.wall for ours, _ in pairs)


def _in_own_process(url: str, count: int) -> tuple[float, float]:
    """Return what a process had before, and the most that it had during the work, in MB."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(_peaks, url, count).result()


def _peaks(url: str, count: int) -> tuple[float, float]:
    async def work() -> tuple[float, float]:
        async with AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=IN_FLIGHT) as galtea:
            before = peak_megabytes()
            await _evaluate(galtea, count)
        return before, peak_megabytes()

    return asyncio.run(work())


def peak_megabytes() -> float:
    """Return the highest resident size of this process so far.

    On Linux `ru_maxrss` begins with what the parent had when it started this process, so the kernel's own
    figure for this program is read instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
