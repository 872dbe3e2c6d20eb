"""How many requests of one kind may be in flight at once, learnt from how they fare.

Additive increase, multiplicative decrease, as in TCP and in Netflix's concurrency-limits:

- A sign of overload (429, 503, 504, a time-out) takes the limit down to 0.7 of itself, and never below 1.
  The requests that were under way at that moment say nothing new, so only those sent later can take it down
  again: at most once in a round trip, however many of a volley fail.
- A limit's worth of successes takes it up by 1, and never above the ceiling. Successes count only while at
  least half of the limit is in use: an idle client learns nothing about what a busy one may do.
- Any other failure, such as a 404, says nothing about load and changes nothing.

The floor is 1, since a higher one can be above what a service bears, for good. It begins at the ceiling:
that was chosen by somebody who knows the service, and ten requests should not have to earn their concurrency
first.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field

__all__ = ["AdaptiveLimit"]

_DECREASE: Final = 0.7


@define
class AdaptiveLimit:
    """A limit, and the number of requests under it.

    Args:
        ceiling: The highest the limit can be.
    """

    ceiling: int
    limit: int = field(init=False)
    in_flight: int = field(default=0, init=False)
    _successes: int = field(default=0, init=False, repr=False)
    _decreased_at: float = field(default=float("-inf"), init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Begin at the ceiling."""
        self.limit = self.ceiling

    @property
    def is_reached(self) -> bool:
        """Whether no other request may be sent now."""
        return self.in_flight >= self.limit

    def succeeded(self) -> None:
        """Learn from a request, still in flight, that did well."""
        if self.limit == self.ceiling or 2 * self.in_flight < self.limit:
            return
        self._successes += 1
        if self._successes >= self.limit:
            self.limit += 1
            self._successes = 0

    def overloaded(self, sent_at: float, now: float) -> None:
        """Learn from a request, sent at some moment, that met an overloaded service."""
        if sent_at <= self._decreased_at:
            return
        self.limit = max(1, int(self.limit * _DECREASE))
        self._successes = 0
        self._decreased_at = now
