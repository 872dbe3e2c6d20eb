"""How fast requests may follow each other where the limit is known, so that it is never hit.

Neither shape ever sends more than `requests` in any `per` seconds, so it does not matter when the service's
windows begin. 2 % of `per` come on top: no two clocks run alike, and no two ways take equally long.

**A request is counted where it arrives,** and that can be long after it was sent: a connection is slow, a
server has only just started. All that a client knows is that it is counted between its departure and its end.
So in a window it takes one of `requests` places from its departure until `per` seconds after its end. This is
the invariant: *at no moment do the requests in flight, and those that ended within the last `per` seconds,
number more than `requests`*. It is just enough for at most `requests` to be counted in any `per` seconds:

- those counted in some `per` seconds were all sent before these were over, and none ended before they began.
  So at their end each of them still has its place;
- one more request, sent while all places are taken, could be counted at once, together with those in flight,
  and within `per` seconds of those that ended.

The price is that a place becomes free `per` seconds after the answer, and not after the departure. One thing
is beyond any client: a request that ends unanswered, by a time-out or a cancel, may still be on its way, and
be counted who knows when. It is taken for counted when it ends.

**Even distances** are those of departures, and an answer changes nothing. So requests that were held up on
the way can arrive with later ones, and be more than `requests` in `per` seconds, by as many as were held up.
To wait for their answers would pace a service of slow answers by these: one that allows a request every two
seconds, and takes five for it, would get one every seven. Where a service counts in windows and the way
there can be slow, the shape to declare is `"window"`.

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

    A request that leaves later than it might have shifts the next one by `lateness` seconds at most. While
    the next moment depends on when a request ends, `opens_at` is infinite.
    """

    opens_at: float
    per_second: float
    lateness: float

    @property
    def rest(self) -> float | None:
        """Seconds to rest after a refusal that names no wait; `None` where the shape does not tell."""
        ...

    def soonest(self, now: float) -> float:
        """Return before which moment the next request cannot be sent, whenever those in flight end."""
        ...

    def sent(self, now: float) -> None:
        """Let the next request wait its time."""
        ...

    def ended(self, now: float) -> None:
        """Take a request for counted that was sent before: it is no longer in flight."""
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

    def soonest(self, now: float) -> float:  # noqa: ARG002  no request in flight delays it
        return self.opens_at

    def sent(self, now: float) -> None:
        self.opens_at = max(self.opens_at, now) + 1 / self.per_second

    def ended(self, now: float) -> None:
        """Change nothing: the distances are those of departures."""

    def is_idle(self, now: float) -> bool:
        return now >= self.opens_at


@define
class _Window:
    """As many requests as come, until all places are taken; `_ended_at` tells when they become free again."""

    per_second: float
    lateness: float
    requests: int
    rest: float
    opens_at: float = field(default=-math.inf, init=False)
    _in_flight: int = field(default=0, init=False)
    _ended_at: deque[float] = field(factory=deque[float], init=False, repr=False)

    def soonest(self, now: float) -> float:
        return self.opens_at if self.opens_at < math.inf else self._free_at(now)

    def sent(self, now: float) -> None:  # noqa: ARG002  it counts from its end, not from now
        if self._are_all_taken:
            _ = self._ended_at.popleft()
        self._in_flight += 1
        self._reckon()

    def ended(self, now: float) -> None:
        self._in_flight -= 1
        self._ended_at.append(now)
        self._reckon()

    def is_idle(self, now: float) -> bool:
        return not self._in_flight and (not self._ended_at or now >= self._free_at(self._ended_at[-1]))

    @property
    def _are_all_taken(self) -> bool:
        return self._in_flight + len(self._ended_at) >= self.requests

    def _reckon(self) -> None:
        if not self._are_all_taken:
            self.opens_at = -math.inf
        else:
            self.opens_at = self._free_at(self._ended_at[0]) if self._ended_at else math.inf

    def _free_at(self, ended_at: float) -> float:
        return ended_at + self.requests / self.per_second
