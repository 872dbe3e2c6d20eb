"""A read and a write, made at once or in the background, and what calls leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from galtea_async import AsyncGaltea

__all__ = ["Operation", "assert_idle", "cancel_all", "create", "get", "in_background"]

Operation = Callable[[AsyncGaltea], Awaitable[object]]


async def get(galtea: AsyncGaltea) -> object:
    """Read a session."""
    return await galtea.sessions.get("session_1")


async def create(galtea: AsyncGaltea) -> object:
    """Create a session."""
    return await galtea.sessions.create(version_id="version_1")


def in_background(call: Awaitable[object]) -> asyncio.Task[object]:
    """Start a call as a task of its own."""

    async def carry() -> object:
        return await call

    return asyncio.create_task(carry())


async def cancel_all(*tasks: asyncio.Task[object]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def assert_idle(galtea: AsyncGaltea) -> None:
    """Insist that no call has left a trace."""
    statistics = galtea.statistics()
    assert (statistics.in_flight, statistics.waiting, statistics.backing_off) == (0, 0, 0)
    assert all((route.in_flight, route.waiting) == (0, 0) for route in statistics.routes)
