"""What time it is at the service, learnt from the `Date` headers of its answers.

Rows are found again by the time at which the service made them, and its clock is not ours. Each answer
bounds the difference: the service wrote a whole second `d` at some moment between our sending `s` and our
receiving `r`, so its true time then was in `[d, d + 1)`, and

    d - r  <=  service - ours  <  d + 1 - s

The bounds of all answers hold at once, so their intersection is kept and narrows with every answer. If it
would become empty, one of the clocks was set: only the newest bounds count from then on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from galtea_async.http.retry_after import http_date

__all__ = ["ServerClock", "TimeSpan"]

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
"""A date outside of these is no clock but nonsense, and nothing is learnt from it."""

_RESOLUTION: Final = 1.0
"""Seconds: a `Date` header has no fractions."""

_BLIND_MARGIN: Final = 300.0
"""Seconds by which the clocks may differ where the service sends no `Date`."""


@frozen
class TimeSpan:
    """Where a moment of ours lies on the service's clock: not before `earliest`, not after `latest`."""

    earliest: datetime
    latest: datetime


@define
class ServerClock:
    """The service's clock as seen from here.

    Args:
        monotonic: The loop's clock.
        wall_at_start: Our wall clock when this was made; later wall times follow the loop's clock, so that
            a step of the wall clock changes nothing.
    """

    monotonic: Callable[[], float]
    wall_at_start: float = field(factory=time.time)
    _started: float = field(init=False)
    _has_learnt: bool = field(default=False, init=False)
    _least: float = field(default=-_BLIND_MARGIN, init=False)
    _most: float = field(default=_BLIND_MARGIN, init=False)
    _last_header: str | None = field(default=None, init=False)
    _last_date: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        """Tie the wall clock to the loop's."""
        self._started = self.monotonic()

    def wall(self) -> float:
        """Return our wall clock in seconds since the epoch."""
        return self.wall_at(self.monotonic())

    def wall_at(self, moment: float) -> float:
        """Return what our wall clock shows at a moment of the loop's clock."""
        return self.wall_at_start + moment - self._started

    def now(self) -> datetime:
        """Return the best guess of the service's present."""
        return _moment(self.wall() + (self._least + self._most) / 2)

    def span(self, wall: float) -> TimeSpan:
        """Return where a moment of our wall clock lies on the service's."""
        return TimeSpan(_moment(wall + self._least), _moment(wall + self._most))

    def observe(self, date_header: str | None, sent: float, received: float) -> None:
        """Learn from an answer.

        Args:
            date_header: Its `Date`, or `None`.
            sent: Our wall clock when its request was sent.
            received: Our wall clock when the answer was there.
        """
        date = self._read(date_header)
        if date is None or not _EARLIEST < date < _LATEST:
            return
        least, most = date - received, date + _RESOLUTION - sent
        if not self._has_learnt or least > self._most or most < self._least:
            self._has_learnt = True
            self._least, self._most = least, most
        else:
            self._least, self._most = max(self._least, least), min(self._most, most)

    def _read(self, header: str | None) -> float | None:
        """Parse a date, once for the many answers of one second."""
        if header is None:
            return None
        if header != self._last_header:
            date = http_date(header)
            if date is None:
                return None
            self._last_header, self._last_date = header, date.timestamp()
        return self._last_date


def _moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
