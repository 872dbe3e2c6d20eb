"""10,000 sessions in chunks of 1,000 at 200 ms, against a raw pipeline and the ideal."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections.abc import Iterable
from typing import Final

from benchmarks.measurement import Cost, Effort, Measurement, alternating, median_ratio
from benchmarks.raw_pipeline import post_in_chunks, raw_session, session_ids
from benchmarks.stub_server import stub_server
from galtea_async import AsyncGaltea, evaluate_sessions

__all__ = ["measure"]

SESSIONS: Final = 10_000
CHUNK: Final = 1_000
LATENCY: Final = 0.2
GOAL_RAW: Final = 0.93
GOAL_IDEAL: Final = 0.85


async def _pairs(url: str, in_flight: int, rounds: int) -> list[tuple[Cost, Cost]]:
    client = AsyncGaltea("gsk_benchmark", base_url=url, max_concurrency=in_flight)
    async with client as galtea, raw_session() as session:

        async def ours() -> None:
            report = await evaluate_sessions(galtea, session_ids(SESSIONS), chunk_size=CHUNK)
            assert report.sessions_evaluated == SESSIONS

        async def raw() -> None:
            ids = session_ids(SESSIONS)
            count = await post_in_chunks(session, url, ids, chunk_size=CHUNK, in_flight=in_flight)
            assert count == 2 * SESSIONS

        return await alternating(ours, raw, rounds)


def measure(effort: Effort) -> Iterable[Measurement]:
    """Compare the speed with 1, 4 and 8 requests in flight."""
    with stub_server(latency=LATENCY) as url:
        for in_flight in (1, 4, 8):
            pairs = asyncio.run(_pairs(url, in_flight, effort.choose(5, 1)))
            raw = 1 / median_ratio(pairs, lambda cost: cost.wall)
            ideal_wall = math.ceil(SESSIONS / CHUNK / in_flight) * LATENCY
            ideal = ideal_wall / statistics.median(ours.wall for ours, _ in pairs)
            yield Measurement(
                what=f"{SESSIONS:,} sessions by {CHUNK:,} at {LATENCY * 1000:.0f} ms, {in_flight} in flight",
                measured=f"{raw:.1%} of raw aiohttp, {ideal:.1%} of ideal",
                goal=f">= {GOAL_RAW:.0%}, {GOAL_IDEAL:.0%}",
                reached=raw >= GOAL_RAW and ideal >= GOAL_IDEAL,
            )
