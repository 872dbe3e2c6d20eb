"""One kind of requests to a service: its limit, its pace, and the line before it."""

from __future__ import annotations

import asyncio
import math
from collections import deque

from attrs import define, field

from galtea_async.http.adaptive_limit import AdaptiveLimit
from galtea_async.http.rate import Rate

__all__ = ["RouteClass", "Turn"]


@define(eq=False)
class Turn:
    """A request that stands in the line.

    Attributes:
        number: Its place among all requests of the client.
        until: When its caller's patience ends, by the loop's clock.
        longest_rest: How many seconds of rest its caller bears that the service asks for.
        granted: Done when its turn has come, or never will.
    """

    number: int
    until: float
    longest_rest: float
    granted: asyncio.Future[None]


@define(kw_only=True, eq=False)
class RouteClass:
    """Requests that fare alike, because the same part of the service answers them.

    Args:
        name: Such as `reads`.
        limit: How many of them may be in flight; classes that are slow together share it.
        rate: When the next of them may be sent; classes that the service counts together share it.

    Attributes:
        in_flight: How many of them hold a slot; the limit may count those of other classes too.
        urgent: The line of those that others wait for.
        ordinary: The line of all others.
    """

    name: str
    limit: AdaptiveLimit
    rate: Rate
    in_flight: int = field(default=0, init=False)
    urgent: deque[Turn] = field(factory=deque[Turn], init=False, repr=False)
    ordinary: deque[Turn] = field(factory=deque[Turn], init=False, repr=False)

    @property
    def waiting(self) -> int:
        """How many requests stand in the line."""
        return sum(not turn.granted.done() for line in (self.urgent, self.ordinary) for turn in line)

    def head(self) -> Turn | None:
        """Return who is next, the urgent before the others; drops those who left."""
        for line in (self.urgent, self.ordinary):
            while line and line[0].granted.done():
                _ = line.popleft()
            if line:
                return line[0]
        return None

    def pop(self) -> Turn:
        """Take the head out of its line."""
        return (self.urgent or self.ordinary).popleft()

    def is_idle(self, now: float) -> bool:
        """Return whether a new class of this name would behave the same from now on."""
        return not self.in_flight and self.head() is None and self.rate.is_idle(now)

    def opens_at(self) -> float:
        """Return when the next request may be sent; infinity while the limit is reached."""
        return math.inf if self.limit.is_reached else self.rate.opens_at
