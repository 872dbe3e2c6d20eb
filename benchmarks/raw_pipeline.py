"""The least that evaluating many sessions takes: ids to chunks, chunks to workers, workers post with aiohttp.

No journal, no de-duplication, no account of anything. It is what the bulk helpers are measured against.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec

from benchmarks.session_create import HEADERS

__all__ = ["post_in_chunks", "raw_session", "session_ids"]


async def session_ids(count: int) -> AsyncIterator[str]:
    """Make ids that look real."""
    for number in range(count):
        yield f"session_{number:024x}"


def raw_session() -> aiohttp.ClientSession:
    """Make a session of plain aiohttp."""
    return aiohttp.ClientSession(headers=HEADERS)


async def post_in_chunks(
    session: aiohttp.ClientSession, url: str, ids: AsyncIterator[str], *, chunk_size: int, in_flight: int
) -> int:
    """Post ids in chunks, and return how many evaluations the answers count."""
    chunks: asyncio.Queue[list[str] | None] = asyncio.Queue(in_flight)
    total = 0

    async def work() -> None:
        nonlocal total
        while (chunk := await chunks.get()) is not None:
            body = msgspec.json.encode({"sessionIds": chunk})
            async with session.post(f"{url}/evaluations/fromSessions", data=body) as response:
                total += msgspec.json.decode(await response.read())["evaluationsCreated"]

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
        chunk: list[str] = []
        async for id_ in ids:
            chunk.append(id_)
            if len(chunk) == chunk_size:
                await chunks.put(chunk)
                chunk = []
        if chunk:
            await chunks.put(chunk)
        for _ in range(in_flight):
            await chunks.put(None)
    return total
