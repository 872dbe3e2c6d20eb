"""How much of the possible rate is reached with 100 requests in flight at 50 ms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from benchmarks.measurement import Effort, Measurement
from benchmarks.session_create import VERSION, in_workers
from benchmarks.stub_server import stub_server
from galtea_async import AsyncGaltea

__all__ = ["measure"]

IN_FLIGHT: Final = 100
LATENCY: Final = 0.05
GOAL: Final = 0.85


async def _rate(url: str, count: int) -> float:
    async with AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=IN_FLIGHT) as galtea:

        async def create() -> None:
            await galtea.sessions.create(version_id=VERSION)

        await in_workers(2 * IN_FLIGHT, IN_FLIGHT, create)
        began = time.perf_counter()
        await in_workers(count, IN_FLIGHT, create)
        return count / (time.perf_counter() - began)


def measure(effort: Effort) -> Iterable[Measurement]:
    """Compare with what the latency allows."""
    with stub_server(latency=LATENCY) as url:
        rate = max(asyncio.run(_rate(url, effort.choose(6_000, 1_000))) for _ in range(effort.choose(3, 1)))
    possible = IN_FLIGHT / LATENCY
    yield Measurement(
        what=f"{IN_FLIGHT} in flight at {LATENCY * 1000:.0f} ms, of the possible {possible:,.0f}/s",
        measured=f"{rate / possible:.0%} ({rate:,.0f}/s)",
        goal=f">= {GOAL:.0%}",
        reached=rate / possible >= GOAL,
    )
