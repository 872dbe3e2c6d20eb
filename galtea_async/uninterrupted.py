"""Waits for something that must not be left half-done."""

from __future__ import annotations

import asyncio
from typing import TypeVar

__all__ = ["uninterrupted"]

_Result = TypeVar("_Result")


async def uninterrupted(future: asyncio.Future[_Result]) -> _Result:
    """Wait to the end of a future, also when the waiter is cancelled; the cancel then counts afterwards.

    Args:
        future: What is under way and short, such as one transaction.

    Returns:
        Its result.

    Raises:
        asyncio.CancelledError: The waiter was cancelled; the future has ended all the same.
    """
    cancel: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancel = error
    if cancel is not None:
        raise cancel
    return future.result()
