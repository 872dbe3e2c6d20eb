"""Tells all workers of a run that it ends early, and keeps the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, final

import anyio
from attrs import define, field

__all__ = ["StopSignal"]

_HEARTBEAT: Final = 5.0


@final
@define
class StopSignal:
    """Given once, by whoever finds the reason first.

    Attributes:
        event: Set when the run ends early.
        reason: Why.
    """

    event: asyncio.Event = field(factory=asyncio.Event, init=False)
    reason: Exception | None = field(default=None, init=False)

    @property
    def is_given(self) -> bool:
        """Whether the run ends early."""
        return self.event.is_set()

    def give(self, reason: Exception) -> None:
        """End the run; the first reason is the one that is told."""
        if self.reason is None:
            self.reason = reason
        self.event.set()

    async def sleep(self, seconds: float) -> bool:
        """Wait, unless the run is told to stop; returns whether it goes on."""
        with anyio.move_on_after(seconds):
            await self.event.wait()
        return not self.event.is_set()

    async def beat(self, tell: Callable[[], None]) -> None:
        """Tell the progress every few seconds, also while nothing happens; what that raises ends the run."""
        while await self.sleep(_HEARTBEAT):
            try:
                tell()
            except Exception as error:  # noqa: BLE001  kept as the reason
                self.give(error)
