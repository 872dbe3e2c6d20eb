"""The emulated server's clock.

The server's time is the wall time at its start plus what the event loop's clock has advanced since. On an
ordinary loop that is the wall time; on a loop whose clock jumps, an hour that a test skips is an hour for the
server too. Every timestamp that leaves the server comes from here, the `Date` header included, so a client
can learn the server's clock and be tested against one that is wrong.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import attrs

__all__ = ["ServerClock", "timestamp"]


def timestamp(moment: datetime) -> str:
    """Write a moment as the service does: UTC, milliseconds, `Z`. Such texts sort in the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@attrs.define(kw_only=True, eq=False)
class ServerClock:
    """The wall time at the start, moved on by an event loop's clock.

    Attributes:
        loop: The event loop whose clock moves this one.
        skew: Seconds by which the server is ahead of the wall time (behind, when negative).
    """

    loop: asyncio.AbstractEventLoop
    skew: float = 0.0
    _wall_at_start: float = attrs.field(factory=time.time, init=False)
    _loop_at_start: float = attrs.field(init=False)
    _second_of_header: int = attrs.field(default=-1, init=False)
    _header: str = attrs.field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        self._loop_at_start = self.loop.time()

    def seconds(self) -> float:
        """The server's time in seconds since 1970."""
        return self._wall_at_start + self.skew + (self.loop.time() - self._loop_at_start)

    def now(self) -> datetime:
        """The server's time."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def timestamp(self, *, after: float = 0.0) -> str:
        """The server's time, moved on by `after` seconds, as the service writes it."""
        return timestamp(self.now() + timedelta(seconds=after))

    def date_header(self) -> str:
        """The server's time as the `Date` header of an answer, which knows whole seconds only."""
        second = int(self.seconds())
        if second != self._second_of_header:
            self._second_of_header = second
            self._header = formatdate(second, usegmt=True)
        return self._header
