"""One timer for the deadlines of all exchanges under way.

A timer for each exchange costs a tenth of the exchange, although hardly any of them ever rings: the loop
keeps its timers sorted, and a cancelled one stays among them for a while. So one timer is set for the
earliest deadline, and left alone when that exchange ends in time; when it rings, it is set for the earliest
deadline that is left.
"""

from __future__ import annotations

import asyncio

from attrs import define, field

__all__ = ["Deadlines"]


@define
class Deadlines:
    """Ends the `asyncio.Timeout` of each exchange that is not done in time."""

    _moments: dict[asyncio.Timeout, float] = field(factory=dict[asyncio.Timeout, float], init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def watch(self, clock: asyncio.Timeout, moment: float) -> None:
        """End a clock that was entered at a moment of the loop's clock, unless `forget` comes before."""
        self._moments[clock] = moment
        if self._timer is None or moment < self._timer.when():
            self._set_timer(moment)

    def forget(self, clock: asyncio.Timeout) -> None:
        """Leave a clock alone."""
        self._moments.pop(clock, None)

    def close(self) -> None:
        """Forget all of them."""
        self._moments.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for clock in [clock for clock, moment in self._moments.items() if moment <= now]:
            self.forget(clock)
            clock.reschedule(now)
        if self._moments:
            self._set_timer(min(self._moments.values()))
