"""How fast requests may follow each other, learnt from the refusals of a service that does not say.

**The service's side.** Somewhere a counter allows so many requests a second. It may be a bucket of any
depth, a fixed window or a sliding one; all that is seen of it is that a request is answered, or refused with
429 and a time to wait, mostly in whole seconds. A refusal is dear: everybody rests until that time is over,
even if the counter needs only a fiftieth of it. So the rate is found in few refusals and then kept just
under.

**The algorithm.** Nothing is limited before the first refusal. Each refusal ends a *phase*, which began with
the first answer after the rest before, and sets the *base* rate of the next:

- a phase of a second or more has shown the rate that the service bears: the base is 0.92 of what it accepted
  in the last one to two seconds, or since the refusal before, where that is more;
- a shorter one has shown only that the rate was far too high. The truth lies between that rate and the one
  accepted since the last refusal, rest included; the base is their geometric mean, but at most half and at
  least 0.15 of the rate.

Within a phase the rate grows as `base * (1 + (t / patience)^2)`: hardly at first, then faster and faster, so
it stays near a rate that is right and leaves one that is not, be it that the guess was low or that the
service allows more than it did. `patience` is 4 s after a guess and grows with the length of the phase
before, up to 60 s: then the next refusal is half a minute away. At twice the rate that was last refused,
there is no limit any more, and it is forgotten.

Refusals of requests that were under way when the phase ended belong to it and teach nothing. Nor does any
while it is in doubt whether refusals come of the rate at all: then `galtea_async.http.doubt` sets the base.
"""

from __future__ import annotations

import math
from typing import Final

from attrs import define, field

from galtea_async.http.doubt import Doubt

__all__ = ["LearnedRate"]

_TELLING: Final = 1.0
_KEPT: Final = 0.92
_MOST_KEPT_OF_GUESS: Final = 0.5
_LEAST_KEPT_OF_GUESS: Final = 0.15
_SHORTEST_PATIENCE: Final = 4.0
_LONGEST_PATIENCE: Final = 60.0
_PATIENCE_PER_SECOND: Final = 20.0
_FORGOTTEN_AT: Final = 2.0
_PATIENCE_PER_TRIAL: Final = 4.0
"""In the seconds of a trial, the rate grows by a sixteenth."""

_SLOWEST: Final = 0.2
"""Requests a second that are always tried: a service that nobody asked much of has shown no rate, and one
that wants less will say for how long."""

_SHORTEST_PHASE: Final = 0.02
"""Seconds; answers that come together are counted as if they had taken so long."""

_LONGEST_GAP: Final = 2.0
"""Seconds between two answers; if there are more, nobody asked."""


@define
class _Tally:
    """Counts what was accepted in a phase, and in its last one to two seconds.

    Attributes:
        began: When the first answer came.
        total: How many came.
        busy: For how many seconds they came, without the time in which nobody asked.
        late: How many came meanwhile that belong to the phase before.
    """

    began: float = math.inf
    total: int = 0
    busy: float = 0.0
    late: int = 0
    _last: float = 0.0
    _bin_began: float = 0.0
    _in_bin: int = 0
    _in_last_bin: int = 0

    def add(self, now: float) -> None:
        if not self.total:
            self.began = self._last = self._bin_began = now
        elif now - self._bin_began >= _TELLING:
            self._roll(now)
        self.busy += min(_LONGEST_GAP, now - self._last)
        self._last = now
        self.total += 1
        self._in_bin += 1

    def lasted(self, now: float) -> float:
        return max(0.0, now - self.began)

    def recent_rate(self, now: float) -> float:
        self._roll(now)
        return (self._in_last_bin + self._in_bin) / (_TELLING + now - self._bin_began)

    def _roll(self, now: float) -> None:
        bins = int((now - self._bin_began) / _TELLING)
        if bins:
            self._in_last_bin = self._in_bin if bins == 1 else 0
            self._in_bin = 0
            self._bin_began += bins * _TELLING


@define
class LearnedRate:
    """The pace of requests to a service whose limit is not known.

    Attributes:
        phase: The number of the current phase; a request belongs to the one that it was sent in.
        opens_at: When the next request may be sent, by the loop's clock.
    """

    phase: int = field(default=0, init=False)
    opens_at: float = field(default=-math.inf, init=False)
    _base: float | None = field(default=None, init=False)
    _refused: float = field(default=math.inf, init=False)
    _refused_at: float | None = field(default=None, init=False)
    _since: float = field(default=0.0, init=False)
    _patience: float = field(default=_SHORTEST_PATIENCE, init=False)
    _tally: _Tally = field(factory=_Tally, init=False)
    _doubt: Doubt = field(factory=Doubt, init=False)

    @property
    def is_known(self) -> bool:
        """Whether there is a limit."""
        return self._base is not None

    def is_idle(self, now: float) -> bool:
        """Return whether there is no limit, or none that the next request would not forget."""
        rate = self.rate(now)
        return rate is None or rate >= _FORGOTTEN_AT * self._refused

    def rate(self, now: float) -> float | None:
        """Return how many requests a second are sent at most; `None` where no limit is known."""
        if self._base is None:
            return None
        return self._base * (1 + (max(0.0, now - self._since) / self._patience) ** 2)

    def sent(self, now: float) -> None:
        """Let the next request wait its time."""
        rate = self.rate(now)
        if rate is None:
            return
        if rate >= _FORGOTTEN_AT * self._refused:
            self._forget()
            return
        self.opens_at = max(self.opens_at, now) + 1 / rate

    def accepted(self, phase: int, now: float) -> None:
        """Learn from an answer to a request of some phase."""
        if phase == self.phase:
            self._tally.add(now)
        else:
            self._tally.late += 1

    def refused(self, phase: int, now: float, resumes_at: float) -> None:
        """Learn from a refusal of a request of some phase, after which everybody rests until a moment."""
        if phase == self.phase:
            self._weigh(now)
            if self._doubt.is_on:
                self._follow(self._doubt)
            else:
                self._learn(now)
            self.phase += 1
            self._tally = _Tally()
            self._refused_at = now
        self._since = self.opens_at = max(self.opens_at, resumes_at)

    def _weigh(self, now: float) -> None:
        """Ask whether the refusal that ends a phase comes of the rate."""
        if self._refused_at is not None:
            rest = max(0.0, min(self._since, now) - self._refused_at)
            seconds = rest + max(_SHORTEST_PHASE, self._tally.busy)
            self._doubt.refused(self.rate(now), self._tally.total + self._tally.late, seconds)

    def _follow(self, doubt: Doubt) -> None:
        """Set the pace where refusals do not tell it."""
        self._base = max(_SLOWEST, doubt.pace)
        self._refused = _FORGOTTEN_AT * self._base
        self._patience = max(_SHORTEST_PATIENCE, _PATIENCE_PER_TRIAL * doubt.trial)

    def _learn(self, now: float) -> None:
        lasted = self._tally.lasted(now)
        was_limited = self._base is not None
        rate = self.rate(now) or (self._tally.total + 1) / max(lasted, _SHORTEST_PHASE)
        accepted = self._accepted_since_refusal(now)
        if lasted >= _TELLING:
            self._base = max(_SLOWEST, _KEPT * max(self._tally.recent_rate(now), accepted))
            longer = min(_LONGEST_PATIENCE, max(_SHORTEST_PATIENCE, _PATIENCE_PER_SECOND * lasted))
            self._patience = longer if was_limited else _SHORTEST_PATIENCE
        else:
            guess = math.sqrt(rate * accepted) if accepted else math.inf
            most, least = _MOST_KEPT_OF_GUESS * rate, _LEAST_KEPT_OF_GUESS * rate
            self._base = max(_SLOWEST, least, min(most, guess))
            self._patience = _SHORTEST_PATIENCE
        self._refused = rate

    def _accepted_since_refusal(self, now: float) -> float:
        """Return the rate of acceptance since the refusal before this one, rest included."""
        if self._refused_at is None or now <= self._refused_at:
            return 0.0
        return self._tally.total / (now - self._refused_at)

    def _forget(self) -> None:
        self._base = None
        self._refused = math.inf
        self._doubt = Doubt()
        self.opens_at = -math.inf
