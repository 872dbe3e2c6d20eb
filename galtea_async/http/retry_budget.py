"""How many repeats a client can afford, so that they never make an outage worse.

A purse of 500 tokens, shared by all calls of a client, as in the AWS SDKs' standard retry mode. A repeat
after a transient failure costs 14 of them, one after a 429 costs 5. A repeat that succeeds gets back what it
cost, and a call that succeeds at once puts 1 in. While the service is well the purse is full and nobody
notices it; when nothing works, 35 repeats are made in all, and from then on a call that fails just fails:
the extra load is bounded however many calls there are. An emptied purse fills with successes, at a
fourteenth of a repeat each.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field

from galtea_async.http.verdict import Repeat

__all__ = ["RetryBudget"]

_CAPACITY: Final = 500
_COSTS: Final = {Repeat.SOON: 14, Repeat.THROTTLED: 5}
_EARNED: Final = 1


@define
class RetryBudget:
    """The purse.

    Attributes:
        tokens: What is in it.
    """

    tokens: int = field(default=_CAPACITY, init=False)

    def spend(self, repeat: Repeat) -> int | None:
        """Pay for a repeat.

        Args:
            repeat: Why the attempt failed.

        Returns:
            What it cost; `None` where there is not enough.
        """
        cost = _COSTS[repeat]
        if cost > self.tokens:
            return None
        self.tokens -= cost
        return cost

    def succeeded(self, paid: int) -> None:
        """Take back what was paid for the last repeat of a call that succeeded; 1 where there was none."""
        self.tokens = min(_CAPACITY, self.tokens + (paid or _EARNED))
