"""A server that allows so many requests a second, and does not say so: how much of that is used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from benchmarks.measurement import Effort, Measurement
from benchmarks.session_create import VERSION, in_workers
from benchmarks.stub_server import stub_server
from galtea_async import AsyncGaltea, RetryPolicy

__all__ = ["measure"]

LATENCY: Final = 0.05
CASES: Final = ((50, 16, 0.12), (500, 32, 0.06))
USED_GOAL: Final = 0.9


async def _use(url: str, count: int, in_flight: int) -> tuple[float, int]:
    """Make so many calls; returns the seconds and the refusals."""
    retry = RetryPolicy(attempts=50)
    client = AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=in_flight, retry=retry)
    async with client as galtea:

        async def create() -> None:
            await galtea.sessions.create(version_id=VERSION)

        began = time.perf_counter()
        await in_workers(count, in_flight, create)
        return time.perf_counter() - began, galtea.statistics().throttled


def measure(effort: Effort) -> Iterable[Measurement]:
    """Compare with what a bucket of that rate gives in the same time, its first filling included."""
    for rate, in_flight, refused_goal in CASES:
        count = rate * effort.choose(20, 2)
        with stub_server(latency=LATENCY, rate=rate) as url:
            elapsed, refused = asyncio.run(_use(url, count, in_flight))
        used, share = count / (rate + rate * elapsed), refused / (count + refused)
        yield Measurement(
            what=f"an unknown limit of {rate}/s, {in_flight} in flight: used / refused",
            measured=f"{used:.0%} / {share:.1%}",
            goal=f">= {USED_GOAL:.0%} / <= {refused_goal:.0%}",
            reached=used >= USED_GOAL and share <= refused_goal,
        )
