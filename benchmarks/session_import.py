"""How much of the possible rate an import reaches with 100 requests in flight at 50 ms, journal on disk."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.measurement import Effort, Measurement
from benchmarks.session_create import VERSION
from benchmarks.stub_server import stub_server
from galtea_async import AsyncGaltea, SessionInput, create_sessions

__all__ = ["measure"]

IN_FLIGHT: Final = 100
LATENCY: Final = 0.05
GOAL: Final = 0.85


def measure(effort: Effort) -> Iterable[Measurement]:
    """Compare with what the latency allows."""
    count = effort.choose(10_000, 1_000)
    with stub_server(latency=LATENCY) as url:
        rate = max(asyncio.run(_rate(url, count)) for _ in range(effort.choose(3, 1)))
    possible = IN_FLIGHT / LATENCY
    yield Measurement(
        what=f"import of {count:,} sessions, journal on disk, {LATENCY * 1000:.0f} ms, {IN_FLIGHT} in flight",
        measured=f"{rate / possible:.0%} of the possible {possible:,.0f}/s ({rate:,.0f}/s)",
        goal=f">= {GOAL:.0%}",
        reached=rate / possible >= GOAL,
    )


async def _rate(url: str, count: int) -> float:
    """Return how many sessions a second were imported, opening and closing of the journal included."""
    async with AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=IN_FLIGHT) as galtea:
        await _import(galtea, 2 * IN_FLIGHT)
        began = time.perf_counter()
        await _import(galtea, count)
        return count / (time.perf_counter() - began)


async def _import(galtea: AsyncGaltea, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = await create_sessions(galtea, _inputs(count), journal=Path(folder) / "import.db")
    assert report.sessions_created == count


def _inputs(count: int) -> Iterator[SessionInput]:
    for number in range(count):
        yield SessionInput(
            version_id=VERSION, context=f"Order {number} is late.", metadata={"number": number}
        )
