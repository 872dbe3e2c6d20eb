"""How long to wait before looking again."""

from __future__ import annotations

from random import Random
from typing import Final

from attrs import define, field

__all__ = ["Interval"]

_FIRST: Final = 1.0
_LONGEST: Final = 30.0
_GROWTH: Final = 1.5
_JITTER: Final = 0.25


@define
class Interval:
    """Seconds between two looks: few when the wait is young, and never the same for two waits.

    Each is half as long again as the one before, up to 30 seconds. So a look comes later than it might have
    by no more than about a third of the time that has been waited anyway. A quarter more or less is drawn by
    lot, so that waits which began together do not ask together.

    Args:
        first: The first of them.
    """

    first: float | None = None
    _random: Random = field(factory=Random, repr=False)
    _now: float = field(init=False)
    _longest: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with the shortest."""
        self._now = _FIRST if self.first is None else self.first
        self._longest = max(_LONGEST, self._now)

    def next(self, cost: float) -> float:
        """Return the next one.

        Args:
            cost: The seconds that the last look took; no less is waited, so that half of the time is rest.
        """
        seconds = max(self._now, cost) * self._random.uniform(1 - _JITTER, 1 + _JITTER)
        self._now = min(self._longest, self._now * _GROWTH)
        return seconds
