"""`sessions.create`, 32 in flight and no latency, against a bare aiohttp loop that does the same POST."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import aiohttp

from benchmarks.measurement import Cost, Effort, Measurement, alternating, median_ratio
from benchmarks.stub_server import stub_server
from galtea_async import AsyncGaltea

__all__ = ["BODY", "HEADERS", "VERSION", "in_workers", "measure"]

IN_FLIGHT: Final = 32
GOAL: Final = 1.35
VERSION: Final = "version_0123456789abcdef01234567"
BODY: Final = f'{{"versionId":"{VERSION}","isProduction":true}}'.encode()
HEADERS: Final = {"Authorization": "Bearer gsk_benchmark", "Content-Type": "application/json"}


async def in_workers(count: int, workers: int, call: Callable[[], Awaitable[object]]) -> None:
    """Call so many times, by so many workers."""
    calls = iter(range(count))

    async def work() -> None:
        for _ in calls:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())


async def _pairs(url: str, count: int, rounds: int) -> list[tuple[Cost, Cost]]:
    client = AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=IN_FLIGHT)
    async with client as galtea, aiohttp.ClientSession(headers=HEADERS) as session:

        async def create() -> None:
            await galtea.sessions.create(version_id=VERSION, is_production=True)

        async def post() -> None:
            async with session.post(f"{url}/sessions", data=BODY) as response:
                await response.read()

        return await alternating(
            lambda: in_workers(count, IN_FLIGHT, create), lambda: in_workers(count, IN_FLIGHT, post), rounds
        )


def measure(effort: Effort) -> Iterable[Measurement]:
    """Compare CPU time and rate."""
    count = effort.choose(500, 100)
    with stub_server() as url:
        pairs = asyncio.run(_pairs(url, count, effort.choose(25, 3)))
    ratio = median_ratio(pairs, lambda cost: cost.cpu)
    microseconds = statistics.median(ours.cpu for ours, _ in pairs) / count * 1e6
    yield Measurement(
        what="CPU of sessions.create / of a bare aiohttp POST",
        measured=f"{ratio:.2f} x ({microseconds:.0f} us)",
        goal=f"<= {GOAL} x",
        reached=ratio <= GOAL,
    )
    rate, floor = (count / statistics.median(pair[side].wall for pair in pairs) for side in (0, 1))
    yield Measurement(
        what=f"requests/s, {IN_FLIGHT} in flight",
        measured=f"{rate:,.0f}/s, {rate / floor:.2f} x bare aiohttp",
    )
