"""An emulator's life, from each start to the next end, whatever service it emulates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from galtea_async.emulator.conditions import Conditions
from galtea_async.emulator.recording import Recording
from galtea_async.emulator.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Life"]

_Contents = TypeVar("_Contents")
_Gate = TypeVar("_Gate")


@attrs.define(kw_only=True, eq=False)
class Life(Generic[_Contents, _Gate]):
    """Starts an emulator, knows it while it runs, and closes it. It may be started again.

    Attributes:
        conditions: What makes requests slow or wrong; stays from one start to the next.
        recording: The requests since the last start; stays after the end.
    """

    conditions: Conditions
    recording: Recording = attrs.field(factory=lambda: Recording(keeps_all=True), init=False)
    _running: Running[_Contents, _Gate] | None = attrs.field(default=None, init=False)

    async def start(
        self,
        assemble: Callable[[], Running[_Contents, _Gate]],
        *,
        host: str,
        port: int,
        seed: int,
        records_requests: bool,
    ) -> None:
        """Put the parts together and listen.

        Args:
            assemble: Puts them together, with `conditions` and `recording` as they are by then.
            host: The address to listen on.
            port: The port; 0 takes any that is free.
            seed: What the chance of faults follows from.
            records_requests: Whether all requests are recorded.

        Raises:
            RuntimeError: It runs already.
            OSError: The address or the file cannot be used.
            ValueError: A fault is about a route that is not served.
        """
        if self._running is not None:
            raise RuntimeError("the emulator runs already")
        self.recording = Recording(keeps_all=records_requests)
        self.conditions.start(seed)
        running = assemble()
        try:
            self.conditions.serve([route.name for route in running.server.routes])
            await running.server.start(host, port)
        except BaseException:
            self.conditions.serve(None)
            await running.close()
            raise
        self._running = running

    async def close(self) -> None:
        """Cut the connections, drop work that was to be done later, close the data. Closing twice is fine."""
        running, self._running = self._running, None
        if running is not None:
            self.conditions.serve(None)
            await running.close()

    @property
    def now_running(self) -> Running[_Contents, _Gate]:
        """The parts.

        Raises:
            RuntimeError: It does not run.
        """
        if self._running is None:
            raise RuntimeError("the emulator does not run: use `async with`, or call `start` first")
        return self._running
