"""Lets as many requests of an import through as its client has slots for, and none once it is to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, final

from attrs import define

__all__ = ["Gate", "WithdrawnError"]

_Result = TypeVar("_Result")


class WithdrawnError(Exception):
    """The import was told to stop before the request was sent."""


@final
@define
class Gate:
    """Guards the way to the service.

    Args:
        slots: How many may be on it at once.
        stopping: Set when nobody may go any more.
    """

    slots: asyncio.Semaphore
    stopping: asyncio.Event

    async def through(self, send: Callable[[], Awaitable[_Result]]) -> _Result:
        """Send something.

        Raises:
            WithdrawnError: It was not sent.
        """
        async with self.slots:
            if self.stopping.is_set():
                raise WithdrawnError
            return await send()
