"""Hands what one task finds, block by block, to another task that iterates over it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, final

from attrs import define, field

__all__ = ["BlockStream"]

_Item = TypeVar("_Item")


@final
@define
class BlockStream(Generic[_Item]):
    """A stream that holds a few blocks; an error of the work ends it, after all that came before.

    Args:
        most: How many blocks wait to be taken, before `put` waits too.
    """

    most: int
    _blocks: asyncio.Queue[list[_Item] | None] = field(init=False)
    _ready: list[_Item] = field(factory=list[_Item], init=False)
    _has_ended: bool = field(default=False, init=False)
    _error: Exception | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Make room for the blocks."""
        self._blocks = asyncio.Queue(self.most)

    async def put(self, block: list[_Item]) -> None:
        """Hand a block over, once there is room for it."""
        await self._blocks.put(block)

    async def work(self, work: Callable[[], Awaitable[None]]) -> None:
        """See the work that fills the stream to its end, and say so to whoever iterates."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001  raised by `next`
            self._error = error
        await self._blocks.put(None)

    def abandon(self) -> None:
        """Let the iteration end with what was handed over already."""
        self._has_ended = True

    async def next(self) -> _Item:
        """Return the next item. A cancel loses none.

        Raises:
            StopAsyncIteration: There is none any more.
            Exception: What ended the work, once.
        """
        while not self._ready:
            block = None if self._has_ended else await self._blocks.get()
            if block is None:
                self._has_ended = True
                error, self._error = self._error, None
                if error is not None:
                    raise error
                raise StopAsyncIteration
            self._ready = block[::-1]
        return self._ready.pop()
