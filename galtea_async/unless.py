"""Does something, unless an event comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["unless"]

_Result = TypeVar("_Result")


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, _Result]) -> _Result | None:
    """Do something that may take its time; cancel it when the event is set.

    Args:
        event: What ends the wait.
        work: What is done.

    Returns:
        Its result; `None` where the event came first.
    """
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, waiting):
            task.cancel()
        await asyncio.wait((working, waiting))
