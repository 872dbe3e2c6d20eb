"""How fast requests may follow each other where the limit is known, so that it is never hit.

Neither shape ever sends more than `requests` in any `per` seconds. That holds for every way to count them at
the service, whenever its windows begin; 2 % of `per` come on top, because the way there takes one request
longer than another.

**A window that is full although we never fill it** is filled by others, other processes with the same key for
instance. Its service may refuse without saying until when, and our own requests do not tell it either: the
oldest that we remember can belong to the window before. All that is certain is that it is over `per` seconds
after the first refusal, and perhaps at once. So the rest is a quarter of `per` at a time. Asking again costs
nothing where refusals are not counted, and the fifth attempt of a call comes a whole window after the first,
so it cannot meet the same one. A window so long that a caller would not wait for a quarter of it
(`max_retry_after`) is asked more often.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Protocol

from attrs import define, field

from galtea_async.settings import RateLimit

__all__ = ["DeclaredRate", "declared_rate"]

_MARGIN: Final = 1.02
_REST: Final = 0.25
"""The share of a window for which it is left alone after a refusal that names no wait."""

_LATENESS: Final = 0.01
"""The share of the time span by which requests may follow each other faster after one that left late."""


class DeclaredRate(Protocol):
    """A pace: when the next request may be sent, and how many a second that makes.

    A request that leaves later than it might have shifts the next one by `lateness` seconds at most.
    """

    opens_at: float
    per_second: float
    lateness: float

    @property
    def rest(self) -> float | None:
        """Seconds to rest after a refusal that names no wait; `None` where the shape does not tell."""
        ...

    def sent(self, now: float) -> None:
        """Let the next request wait its time."""
        ...

    def is_idle(self, now: float) -> bool:
        """Return whether nothing that was sent counts any more."""
        ...


def declared_rate(limit: RateLimit) -> DeclaredRate:
    """Return the pace of a limit, in the shape that it names."""
    if limit.shape == "smooth":
        return _Smooth(1 / (limit.interval * _MARGIN), limit.per * _LATENESS)
    return _Window(1 / (limit.interval * _MARGIN), limit.per * _LATENESS, limit.requests, limit.per * _REST)


@define
class _Smooth:
    """Requests at even distances; time that was not used is not made up for."""

    per_second: float
    lateness: float
    rest: None = field(default=None, init=False)
    opens_at: float = field(default=-math.inf, init=False)

    def sent(self, now: float) -> None:
        self.opens_at = max(self.opens_at, now) + 1 / self.per_second

    def is_idle(self, now: float) -> bool:
        return now >= self.opens_at


@define
class _Window:
    """As many requests as come, until so many lie within the last seconds."""

    per_second: float
    lateness: float
    requests: int
    rest: float
    opens_at: float = field(default=-math.inf, init=False)
    _sent_at: deque[float] = field(factory=deque[float], init=False, repr=False)

    def sent(self, now: float) -> None:
        self._sent_at.append(now)
        if len(self._sent_at) > self.requests:
            _ = self._sent_at.popleft()
        if len(self._sent_at) == self.requests:
            self.opens_at = self._counts_until(self._sent_at[0])

    def is_idle(self, now: float) -> bool:
        return not self._sent_at or now >= self._counts_until(self._sent_at[-1])

    def _counts_until(self, moment: float) -> float:
        return moment + self.requests / self.per_second
