"""`evaluations.iterate` over 100,000 evaluations: every row once, stalls of the event loop, memory."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from attrs import frozen

from benchmarks.measurement import Effort, Measurement
from benchmarks.million_sessions import peak_megabytes
from benchmarks.page_decoding import watched
from benchmarks.stub_server import stub_server
from galtea_async import AsyncGaltea

__all__ = ["measure"]

STALL_GOAL: Final = 0.020
GROWTH_GOAL: Final = 0.03


def measure(effort: Effort) -> Iterable[Measurement]:
    """Walk through a long and a short list, each in a process of its own."""
    many, few = effort.choose(100_000, 5_000), effort.choose(10_000, 2_000)
    walk, walk_of_few = _in_own_process(many), _in_own_process(few)
    yield Measurement(
        what=f"iterate over {many:,} evaluations, each once",
        measured=f"{walk.seconds:.1f} s, {many / walk.seconds:,.0f} rows/s",
    )
    yield Measurement(
        what="  longest stall of the event loop meanwhile",
        measured=f"{walk.stall * 1000:.1f} ms, {walk.collecting * 1000:.1f} ms of it the garbage collector's",
        goal=f"< {STALL_GOAL * 1000:.0f} ms",
        reached=walk.stall < STALL_GOAL,
    )
    growth = walk.peak / walk_of_few.peak - 1
    yield Measurement(
        what=f"  memory beyond that of {few:,}",
        measured=f"{growth:+.1%} ({walk.peak:.1f} against {walk_of_few.peak:.1f} MB)",
        goal=f"<= {GROWTH_GOAL:.0%}",
        reached=growth <= GROWTH_GOAL,
    )


@frozen(kw_only=True)
class _Walk:
    """What a walk took: seconds, the longest stall and the collector's part of it, the most memory in MB."""

    seconds: float
    stall: float
    collecting: float
    peak: float


def _in_own_process(count: int) -> _Walk:
    spawn = multiprocessing.get_context("spawn")
    with stub_server(listed=count) as url, ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(_walk, url, count).result()


def _walk(url: str, count: int) -> _Walk:
    async def work() -> _Walk:
        async with AsyncGaltea("gsk_benchmark", base_url=url) as galtea, watched() as stall:
            began, seen, last = time.perf_counter(), 0, ""
            async for evaluation in galtea.evaluations.iterate():
                assert evaluation.id > last, "a row came twice, or out of order"
                seen, last = seen + 1, evaluation.id
            assert seen == count
            return _Walk(
                seconds=time.perf_counter() - began,
                stall=stall.longest,
                collecting=stall.collecting,
                peak=peak_megabytes(),
            )

    return asyncio.run(work())
