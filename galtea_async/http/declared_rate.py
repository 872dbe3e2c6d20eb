"""How fast requests may follow each other where the limit is known, so that it is never hit.

Neither shape ever sends more than `requests` in any `per` seconds. That holds for every way to count them at
the service, whenever its windows begin; 2 % of `per` come on top, because the way there takes one request
longer than another.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Protocol

from attrs import define, field

from galtea_async.settings import RateLimit

__all__ = ["DeclaredRate", "declared_rate"]

_MARGIN: Final = 1.02
_LATENESS: Final = 0.01
"""The share of the time span by which requests may follow each other faster after one that left late."""


class DeclaredRate(Protocol):
    """A pace: when the next request may be sent, and how many a second that makes.

    A request that leaves later than it might have shifts the next one by `lateness` seconds at most.
    """

    opens_at: float
    per_second: float
    lateness: float

    def sent(self, now: float) -> None:
        """Let the next request wait its time."""
        ...


def declared_rate(limit: RateLimit) -> DeclaredRate:
    """Return the pace of a limit, in the shape that it names."""
    if limit.shape == "smooth":
        return _Smooth(1 / (limit.interval * _MARGIN), limit.per * _LATENESS)
    return _Window(1 / (limit.interval * _MARGIN), limit.per * _LATENESS, limit.requests)


@define
class _Smooth:
    """Requests at even distances; time that was not used is not made up for."""

    per_second: float
    lateness: float
    opens_at: float = field(default=-math.inf, init=False)

    def sent(self, now: float) -> None:
        self.opens_at = max(self.opens_at, now) + 1 / self.per_second


@define
class _Window:
    """As many requests as come, until so many lie within the last seconds."""

    per_second: float
    lateness: float
    requests: int
    opens_at: float = field(default=-math.inf, init=False)
    _sent_at: deque[float] = field(factory=deque[float], init=False, repr=False)

    def sent(self, now: float) -> None:
        self._sent_at.append(now)
        if len(self._sent_at) >= self.requests:
            self.opens_at = self._sent_at.popleft() + self.requests / self.per_second
