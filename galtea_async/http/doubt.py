"""Whether refusals have anything to do with how fast requests follow each other.

**The problem.** A learnt rate takes every refusal for "slower". Some are not meant so: a gateway that sheds a
share of all requests, a quota that somebody else uses up, a service that is ill. Whoever goes slower then is
refused as often, goes slower still, and ends at a hundredth of what is granted. One refusal looks like
another; what tells them apart is whether it *helps* to go slower.

**The measure.** A *cycle* is the time from one refusal to the next, the rest included, and what was accepted
in it per second is *granted*. A counter of so many requests a second grants no more than that, however it is
asked; so a client that stays below what was granted is not refused by a counter. Time in which nobody asked
for anything does not count.

**The states.**

    TRUSTING ── refused twice running at what was granted ──► DOUBTING
        ▲                                                        │  ▲
        └── far more accepted than usual ── TRYING ◄── after n ──┘  │
                                              └── refused as ever ──┘

- While *trusting*, each refusal is a lesson about the rate. Two in a row at a rate that was just granted, or
  hardly above, are none: the first may mean that the service allows less than it did.
- While *doubting*, a refusal costs its rest and changes nothing. The pace is six times what is granted,
  measured anew: of the time between two refusals, a sixth is spent on pacing at most, and a client that
  doubts without reason still does not flood the service.
- After 4 refusals it is *tried* once whether going slower helps: at 0.8 of what is granted, for as long as it
  takes to accept four times as many requests as usual in a cycle. A counter lets them pass, and the rate is
  learnt again from there. Refusals at random do not, but for one trial in fifty (the chance of so many in a
  row is e^-4), and the next trial is after 8 refusals, then 16, then every 32.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from attrs import define, field

__all__ = ["Doubt"]

_HARDLY_ABOVE: Final = 1.05
_SURPRISES_BORNE: Final = 1
_FIRST_PERIOD: Final = 4
_LONGEST_PERIOD: Final = 32
_PACE_OF_DOUBT: Final = 6.0
_PACE_OF_TRIAL: Final = 0.8
_TELLING: Final = 4.0
_MEMORY_OF_TRUST: Final = 0.7
"""What a cycle counts for, against the next; short, since a limit may change."""

_MEMORY_OF_DOUBT: Final = 0.9


class _State(Enum):
    TRUSTING = auto()
    DOUBTING = auto()
    TRYING = auto()


@define
class _Granted:
    """What was granted in the last cycles, the latest counting most."""

    accepted: float = 0.0
    seconds: float = 0.0
    cycles: float = 0.0

    def add(self, accepted: int, seconds: float, memory: float) -> None:
        self.accepted = memory * self.accepted + accepted
        self.seconds = memory * self.seconds + seconds
        self.cycles = memory * self.cycles + 1

    @property
    def per_second(self) -> float:
        return self.accepted / self.seconds if self.seconds else 0.0

    @property
    def in_a_cycle(self) -> float:
        return self.accepted / self.cycles if self.cycles else 0.0

    @property
    def seconds_of_a_cycle(self) -> float:
        return self.seconds / self.cycles if self.cycles else 0.0


@define
class Doubt:
    """Watches whether to go slower helps."""

    _state: _State = field(default=_State.TRUSTING, init=False)
    _granted: _Granted = field(factory=_Granted, init=False)
    _granted_before: float = field(default=0.0, init=False)
    _surprises: int = field(default=0, init=False)
    _period: int = field(default=_FIRST_PERIOD, init=False)
    _refusals_left: int = field(default=0, init=False)

    @property
    def is_on(self) -> bool:
        """Whether refusals teach nothing about the rate for now."""
        return self._state is not _State.TRUSTING

    @property
    def pace(self) -> float:
        """How many requests a second to send in doubt."""
        granted = self._granted.per_second if self._granted.cycles else self._granted_before
        return granted * (_PACE_OF_TRIAL if self._state is _State.TRYING else _PACE_OF_DOUBT)

    @property
    def trial(self) -> float:
        """How many seconds it may take to see whether the pace helps; 0 where that is not the question."""
        if self._state is not _State.TRYING:
            return 0.0
        return _TELLING / _PACE_OF_TRIAL * self._granted.seconds_of_a_cycle

    def refused(self, pace: float | None, accepted: int, seconds: float) -> None:
        """Learn from the end of a cycle.

        Args:
            pace: How many requests a second were allowed at its end; `None` for any number.
            accepted: How many requests were accepted in it.
            seconds: How long it was, the rest at its beginning included.
        """
        match self._state:
            case _State.TRUSTING:
                self._compare(pace)
                if not self.is_on:
                    self._granted.add(accepted, seconds, _MEMORY_OF_TRUST)
            case _State.DOUBTING:
                self._granted.add(accepted, seconds, _MEMORY_OF_DOUBT)
                self._refusals_left -= 1
                if not self._refusals_left:
                    self._state = _State.TRYING
            case _State.TRYING:
                self._judge(accepted, seconds)

    def _compare(self, pace: float | None) -> None:
        """Be surprised by a refusal at a pace that was granted before."""
        is_surprise = pace is not None and pace < _HARDLY_ABOVE * self._granted.per_second
        self._surprises = self._surprises + 1 if is_surprise else 0
        if self._surprises > _SURPRISES_BORNE:
            self._granted_before = self._granted.per_second
            self._granted = _Granted()
            self._doubt_for(_FIRST_PERIOD)

    def _judge(self, accepted: int, seconds: float) -> None:
        if accepted < _TELLING * self._granted.in_a_cycle:
            self._doubt_for(min(_LONGEST_PERIOD, 2 * self._period))
            return
        self._state, self._surprises = _State.TRUSTING, 0
        self._granted.add(accepted, seconds, _MEMORY_OF_TRUST)

    def _doubt_for(self, refusals: int) -> None:
        self._state = _State.DOUBTING
        self._period = self._refusals_left = refusals
