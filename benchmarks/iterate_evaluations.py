"""`evaluations.iterate` over 100,000 evaluations: every row once, stalls of the event loop, memory."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final

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
    seconds, stall, peak = _in_own_process(many)
    _, _, peak_of_few = _in_own_process(few)
    yield Measurement(
        what=f"iterate over {many:,} evaluations, each once",
        measured=f"{seconds:.1f} s, {many / seconds:,.0f} rows/s",
    )
    yield Measurement(
        what="  longest stall of the event loop meanwhile",
        measured=f"{stall * 1000:.1f} ms",
        goal=f"< {STALL_GOAL * 1000:.0f} ms",
        reached=stall < STALL_GOAL,
    )
    growth = peak / peak_of_few - 1
    yield Measurement(
        what=f"  memory beyond that of {few:,}",
        measured=f"{growth:+.1%} ({peak:.1f} against {peak_of_few:.1f} MB)",
        goal=f"<= {GROWTH_GOAL:.0%}",
        reached=growth <= GROWTH_GOAL,
    )


def _in_own_process(count: int) -> tuple[float, float, float]:
    spawn = multiprocessing.get_context("spawn")
    with stub_server(listed=count) as url, ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(_walk, url, count).result()


def _walk(url: str, count: int) -> tuple[float, float, float]:
    """Return the seconds, the longest stall and the most memory of a walk."""

    async def work() -> tuple[float, float, float]:
        async with AsyncGaltea("gsk_benchmark", base_url=url) as galtea, watched() as stall:
            began, seen, last = time.perf_counter(), 0, ""
            async for evaluation in galtea.evaluations.iterate():
                assert evaluation.id > last, "a row came twice, or out of order"
                seen, last = seen + 1, evaluation.id
            assert seen == count
            return time.perf_counter() - began, stall.longest, peak_megabytes()

    return asyncio.run(work())
