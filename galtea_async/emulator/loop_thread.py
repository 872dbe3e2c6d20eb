"""An event loop in a thread of its own, for code that has none or whose own must not be needed."""

from __future__ import annotations

import asyncio
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LoopThread"]

_Result = TypeVar("_Result")


@attrs.define(eq=False)
class LoopThread:
    """Runs coroutines on an event loop of its own until it is stopped.

    Attributes:
        name: The thread's name.
    """

    name: str
    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)
    _thread: Thread | None = attrs.field(default=None, init=False)

    def start(self) -> None:
        """Start the thread and its loop.

        Raises:
            RuntimeError: It runs already, or no thread can be started.
            OSError: No loop can be made.
        """
        if self.runs:
            raise RuntimeError("the emulator runs already")
        # Made here, so that its failure is the caller's; a plain one, whatever policy the program has set.
        loop = asyncio.SelectorEventLoop()
        # The thread must not keep a program alive whose end nobody has told it.
        thread = Thread(target=_run, args=(loop,), name=self.name, daemon=True)
        try:
            thread.start()
        except BaseException:
            loop.close()
            raise
        self._loop, self._thread = loop, thread

    @property
    def runs(self) -> bool:
        """Whether it has been started and not been stopped."""
        return self._loop is not None

    def wait_for(self, coroutine: Coroutine[object, object, _Result]) -> _Result:
        """Run a coroutine there and wait for its result here.

        Raises:
            RuntimeError: The thread does not run.
        """
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("the emulator does not run: use `with`, or call `start` first")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def do(self, act: Callable[[], _Result]) -> _Result:
        """Call a function there, where nothing happens meanwhile, and wait for its result here.

        Raises:
            RuntimeError: The thread does not run.
        """

        async def acting() -> _Result:
            return act()

        return self.wait_for(acting())

    def stop(self) -> None:
        """Stop the loop, and wait until the thread has ended. Stopping twice is fine."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()
