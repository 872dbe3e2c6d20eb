"""Tasks that outlive the request which started them, but never the emulator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["Errands"]

_Result = TypeVar("_Result")


@attrs.define(eq=False)
class Errands:
    """Starts tasks, remembers them until they end, and cancels the rest at the end."""

    _tasks: set[asyncio.Task[object]] = attrs.field(factory=set["asyncio.Task[object]"], init=False)

    def leave(self, errand: Coroutine[object, object, object]) -> None:
        """Start an errand that nobody waits for."""
        _ = self._started(errand)

    async def finish_though_cancelled(self, errand: Coroutine[object, object, _Result]) -> _Result:
        """Wait for an errand that goes on when the one who waits for it is cancelled."""
        return await asyncio.shield(self._started(errand))

    async def drop_all(self) -> None:
        """Cancel what still runs, and wait for it to end."""
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _started(self, errand: Coroutine[object, object, _Result]) -> asyncio.Future[_Result]:
        task = asyncio.ensure_future(errand)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
