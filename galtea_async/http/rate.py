"""When the next request may be sent to a service that counts requests: rests, a known pace, a learnt pace.

Three things bound it, and the latest of their moments counts: a rest after a refusal (`hold`), the pace of a
limit that is known beforehand (`DeclaredRate`), and the pace learnt from refusals (`LearnedRate`). How long a
rest is comes from the first that tells: the answer's `Retry-After`; else, where the limit is declared to be a
window, a quarter of it (`rest`), unless that is more than its caller bears or less than its back-off; else
the back-off of the refused call.
"""

from __future__ import annotations

import math
from typing import Final

from attrs import define, field

from galtea_async.http.declared_rate import DeclaredRate
from galtea_async.http.learned_rate import LearnedRate

__all__ = ["Rate"]

_LATENESS: Final = 0.02
"""Seconds."""


@define
class Rate:
    """What one counter of the service allows, as far as it is known.

    Args:
        declared: The pace of a limit that is known beforehand.

    Attributes:
        held_until: Until when the service asked to be left alone, by the loop's clock.
        learned: The pace learnt from refusals.
        opens_at: When the next request may be sent, all things considered; infinite while that depends on
            when a request ends.
    """

    declared: DeclaredRate | None = None
    held_until: float = field(default=-math.inf, init=False)
    learned: LearnedRate = field(factory=LearnedRate, init=False)
    opens_at: float = field(default=-math.inf, init=False)

    def due(self, now: float) -> float:
        """Return when a request that waited, and leaves now, might have left.

        A loop wakes up a little late, and at hundreds of requests a second that adds up. So the next one is
        reckoned from the moment at which this one was due, if that is not long ago.
        """
        lateness = _LATENESS if self.declared is None else min(_LATENESS, self.declared.lateness)
        return max(self.opens_at, now - lateness)

    def soonest(self, now: float) -> float:
        """Return before which moment the next request certainly cannot be sent; never plus infinity."""
        if self.declared is None:
            return self.opens_at
        return max(self.held_until, self.declared.soonest(now), self.learned.opens_at)

    def per_second(self, now: float) -> float | None:
        """Return how many requests a second are sent at most; `None` where no limit is known."""
        learned = self.learned.rate(now)
        if self.declared is None:
            return learned
        return self.declared.per_second if learned is None else min(learned, self.declared.per_second)

    def is_idle(self, now: float) -> bool:
        """Return whether nothing is left to know: no rest, nothing counted, no pace learnt."""
        is_counting = self.declared is not None and not self.declared.is_idle(now)
        return now >= self.held_until and not is_counting and self.learned.is_idle(now)

    @property
    def rest(self) -> float | None:
        """How many seconds to rest after a refusal that names no wait; `None` where no window tells."""
        return None if self.declared is None else self.declared.rest

    def sent(self, now: float) -> None:
        """Count a request that leaves now."""
        if self.declared is not None:
            self.declared.sent(now)
        elif not self.learned.is_known:
            return
        self.learned.sent(now)
        self._reckon()

    def ended(self, now: float) -> None:
        """Take a request for counted that was sent before, because it is no longer in flight."""
        if self.declared is not None:
            self.declared.ended(now)
            self._reckon()

    def accepted(self, phase: int, now: float) -> None:
        """Count an answer that is no refusal."""
        self.learned.accepted(phase, now)

    def refused(self, phase: int, now: float, until: float) -> None:
        """Learn from a refusal to go slower after the rest until a moment."""
        self.learned.refused(phase, now, until)
        self._reckon()

    def hold(self, until: float) -> None:
        """Send nothing before a moment; of several, the latest counts."""
        self.held_until = max(self.held_until, until)
        self._reckon()

    def _reckon(self) -> None:
        declared = -math.inf if self.declared is None else self.declared.opens_at
        self.opens_at = max(self.held_until, declared, self.learned.opens_at)
