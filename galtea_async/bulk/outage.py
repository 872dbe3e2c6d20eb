"""How often a run asks a service that does not answer whether it is back: now and then, not once a worker.

Each worker of a run finds out by itself that the service is away, since its own request fails. If each then
kept asking, an outage would be met with as many questions as there are workers. So they share one clock: when
five requests in a row were not answered, one of the workers may ask now and then, and the others take it that
the answer would be no. The pause doubles from half a second up to ten; the first answer ends it for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define, field

__all__ = ["Outage"]

_TELLING: Final = 5
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0


@define
class Outage:
    """Whether the service is away, as far as a run knows.

    Args:
        clock: The loop's clock.
    """

    clock: Callable[[], float]
    _failures: int = field(default=0, init=False)
    _pause: float = field(default=0.0, init=False)
    _next_at: float = field(default=float("-inf"), init=False)

    def may_ask(self) -> bool:
        """Tell whether a request may be sent now; during an outage, that is the one question for all."""
        now = self.clock()
        if now < self._next_at:
            return False
        if self._pause:
            self._next_at = now + self._pause
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
        return True

    def failed(self) -> None:
        """Note a request that was not answered."""
        self._failures += 1
        if self._failures == _TELLING:
            self._pause = _FIRST_PAUSE
            self._next_at = self.clock() + _FIRST_PAUSE

    def answered(self) -> None:
        """Note an answer: the service is there."""
        self._failures = 0
        self._pause = 0.0
        self._next_at = float("-inf")
