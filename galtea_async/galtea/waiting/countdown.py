"""The time that is left to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from attrs import define, field

__all__ = ["Countdown"]


@define
class Countdown:
    """Ends a block after some seconds, of which those do not count in which it was stopped.

    Args:
        seconds: How long the block may take; `None` for as long as it takes.
    """

    seconds: float | None
    _timeout: asyncio.Timeout = field(init=False, repr=False)

    async def __aenter__(self) -> Self:
        """Begin to count."""
        self._timeout = asyncio.timeout(self.seconds)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the count.

        Raises:
            TimeoutError: The block was ended because its time was over.
        """
        await self._timeout.__aexit__(kind, error, traceback)

    @property
    def is_over(self) -> bool:
        """Whether the time has run out."""
        return self._timeout.expired()

    @property
    def left(self) -> float:
        """The seconds that are left."""
        end = self._timeout.when()
        return float("inf") if end is None else end - asyncio.get_running_loop().time()

    @contextmanager
    def stopped(self) -> Generator[None]:
        """Do not count what happens within."""
        end, left = self._timeout.when(), self.left
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            if end is not None:
                self._timeout.reschedule(asyncio.get_running_loop().time() + left)
