"""What a block still has to tell the service when it is left, in whatever way it is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from galtea_async.errors import GalteaError, UnknownOutcomeError
from galtea_async.http.priority import urgently
from galtea_async.uninterrupted import uninterrupted

__all__ = ["CLEAN_UP_SECONDS", "clean_up"]

CLEAN_UP_SECONDS: Final = 10.0
"""How long leaving a block may take, because of what is still to be told, in seconds."""


async def clean_up(
    work: Callable[[], Awaitable[object]], *, purpose: str, leaving: BaseException | None = None
) -> None:
    """Do what is left to do, also when the task is or gets cancelled, within `CLEAN_UP_SECONDS`.

    A cancel that comes meanwhile counts afterwards. The work goes before all other requests.

    Args:
        work: Makes the requests.
        purpose: What it is to achieve, for messages.
        leaving: The error with which the block is left; a failure of the work is then noted on it, because it
            must not take its place.

    Raises:
        GalteaError: The work failed, and nothing else is wrong.
    """
    task = asyncio.create_task(_in_time(work, purpose), name=purpose)
    with anyio.CancelScope(shield=True):
        await uninterrupted(task)
    problem = task.result()
    if problem is None:
        return
    if leaving is None:
        raise problem
    leaving.add_note(f"galtea_async could not {purpose}: {problem}")


async def _in_time(work: Callable[[], Awaitable[object]], purpose: str) -> GalteaError | None:
    """Do the work; returns what went wrong."""
    try:
        async with asyncio.timeout(CLEAN_UP_SECONDS):
            with urgently():
                await work()
    except GalteaError as error:
        return error
    except TimeoutError:
        return UnknownOutcomeError(f"no time was left to {purpose}, it took over {CLEAN_UP_SECONDS:g} s")
    return None
