"""Finds out what became of a batch whose answer was lost.

**The service's rules.** There is no idempotency key and no receipt: the only trace of a batch is the rows
that it made. The service may still be at work when its client gives up, and makes the rows of a batch one
session after another. So "no row" proves nothing at first, and a row proves something only about its own
session.

**The algorithm.** List the rows of the batch again and again, at first quickly, then slower. Believe them
when two listings, of which one begins `settle` seconds after the other has ended, and all between them agree;
any change starts the wait anew. (A listing may take long, and what it does not show may have come into being
after it began: it is evidence for the time of its beginning.)
The wait begins at the first listing after giving up, so it is never shorter than `settle` from giving up.
When the service has not answered a listing for `timeout` seconds, give up on it: unresolved.

A service that accepts work and does it later can tell how far it is (`Stage`). While a batch is under way,
nothing is believed however long it stays the same; what is final is believed at once.

**The invariants.**

- Nothing is sent again before its absence was believed.
- What is believed of a session is never revised within the run: a covered session is evaluated, for good.
- A listing that fails is no evidence: it neither confirms nor restarts the wait.

What no client can see is work that the service *begins* more than `settle` seconds after its client gave up.
A read time-out and a `settle` longer than the service's slowest call make that impossible. A connection that
breaks at once ends the reading early, so the one does not make up for the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from attrs import frozen

from galtea_async.bulk.outage import Outage
from galtea_async.bulk.provider import Findings, Stage
from galtea_async.bulk.stopping import ends_run
from galtea_async.errors import GalteaError, LifecycleError
from galtea_async.settings import ReconcilePolicy

__all__ = ["Reconciliation"]

_FIRST_INTERVAL: Final = 0.5
_SHORTEST_WAIT: Final = 0.01
"""A timer may ring a little early; without a least wait, the rest would be spent listing."""

_INTERVAL_GROWTH: Final = 1.6
_LONGEST_INTERVAL: Final = 15.0

_PATIENCE: Final = 5
"""So many time-outs long a service may answer look-ups without ever completing this listing."""

_Never = object()


@frozen
class Reconciliation:
    """Watches the rows of a batch until they can be believed.

    Args:
        policy: How long to watch.
        clock: The loop's clock.
        sleep: Waits; returns whether to go on.
        heard_at: When the service last answered a look-up of the job. A listing takes several requests, and
            one that breaks off half-way shows that the service is there.
        outage: Whether the service is away, and may be asked.
    """

    policy: ReconcilePolicy
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[bool]]
    heard_at: Callable[[], float]
    outage: Outage

    async def watch(
        self, find: Callable[[], Awaitable[Findings]], enough: Callable[[Findings], bool]
    ) -> Findings | None:
        """Watch until the rows have settled.

        Args:
            find: Lists what exists now.
            enough: Whether the findings are already known to be all there will be.

        Returns:
            What settled; `None` where the service stayed silent or the run was told to stop.

        Raises:
            ApiError: The service refuses the listing itself, for want of a valid key or a right.
        """
        began = last_answer = last_change = self.clock()
        mark: object = _Never
        interval = _FIRST_INTERVAL
        while True:
            asked_at = self.clock()
            findings = await self._listing(find)
            now = self.clock()
            if findings is not None:
                last_answer = now
                if findings.mark != mark or findings.stage is Stage.UNDER_WAY:
                    mark, last_change = findings.mark, now
                settled_at = last_change + self.policy.settle
                if enough(findings) or _is_decided(findings, asked_at >= settled_at):
                    return findings
                wait = max(_SHORTEST_WAIT, _wait(findings, min(interval, settled_at - now)))
            elif self._is_silent(now, last_answer):
                return None
            else:
                wait = interval
            if not await self.sleep(wait):
                return None
            interval = min(interval * _INTERVAL_GROWTH, _LONGEST_INTERVAL, max(_FIRST_INTERVAL, now - began))

    def _is_silent(self, now: float, last_answer: float) -> bool:
        """Tell whether to give up on the listing."""
        timeout = self.policy.timeout
        return now - max(last_answer, self.heard_at()) >= timeout or now - last_answer >= _PATIENCE * timeout

    async def _listing(self, find: Callable[[], Awaitable[Findings]]) -> Findings | None:
        """List once; `None` where the service does not tell now, or need not be asked."""
        if not self.outage.may_ask():
            return None
        try:
            findings = await find()
        except LifecycleError:
            raise
        except GalteaError as error:
            if ends_run(error):
                raise
            self.outage.failed()
            return None
        self.outage.answered()
        return findings


def _is_decided(findings: Findings, has_settled: bool) -> bool:  # noqa: FBT001  one of two proofs
    return findings.stage in (Stage.FINAL, Stage.STUCK) or (findings.stage is Stage.OPEN and has_settled)


def _wait(findings: Findings, otherwise: float) -> float:
    return findings.look_again if findings.stage is Stage.UNDER_WAY else otherwise
