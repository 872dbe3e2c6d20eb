"""Looks at what a chunk that was sent has made, until that can be believed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, final

from attrs import evolve, frozen

from galtea_async.bulk import settlement
from galtea_async.bulk.chunk import Chunk
from galtea_async.bulk.outage import Outage
from galtea_async.bulk.provider import BatchAnswer, BatchService, Findings
from galtea_async.bulk.reconciliation import Reconciliation
from galtea_async.bulk.stop_signal import StopSignal
from galtea_async.bulk.stopping import Patience
from galtea_async.settings import ReconcilePolicy

__all__ = ["ChunkWatch"]

_TIMES_AS_PATIENT: Final = 5
"""Accepted work goes on while the service does not tell, so to wait for it costs nothing."""


@final
@frozen(kw_only=True)
class ChunkWatch:
    """Watches the chunks of a run.

    Args:
        service: Where they were sent.
        policy: How long to look.
        clock: The loop's clock.
        stop_signal: Ends the watch.
        patience: Is told when the service tells about accepted work.
        outage: Whether the service is away, and may be asked.
    """

    service: BatchService
    policy: ReconcilePolicy
    clock: Callable[[], float]
    stop_signal: StopSignal
    patience: Patience
    outage: Outage

    async def watch(self, chunk: Chunk, token: str, answer: BatchAnswer | None) -> Findings | None:
        """Look until what was found can be believed.

        Args:
            chunk: What was sent.
            token: Its name.
            answer: What the service answered; `None` where that was lost.

        Returns:
            What was found; `None` where the service does not tell, or the run was told to stop.

        Raises:
            ApiError: The service refuses the look itself, for want of a valid key or a right.
        """

        async def find() -> Findings:
            findings = await self.service.find(chunk.content, token, self._since(chunk), answer)
            if answer is not None:
                self.patience.heard(self.clock())
            return findings

        reconciliation = Reconciliation(
            self._policy_for(answer),
            self.clock,
            self.stop_signal.sleep,
            self.service.gauge.heard_at,
            self.outage,
        )
        return await reconciliation.watch(find, partial(settlement.name_all, answer))

    def _policy_for(self, answer: BatchAnswer | None) -> ReconcilePolicy:
        is_accepted = answer is not None and not answer.is_final
        return evolve(
            self.policy,
            settle=max(self.policy.settle, self.service.least_settle),
            timeout=self.policy.timeout * (_TIMES_AS_PATIENT if is_accepted else 1),
        )

    def _since(self, chunk: Chunk) -> float:
        """Return the earliest at which a chunk can have been sent, by the service's clock as known now."""
        if chunk.sent_at is not None:
            return self.service.gauge.service_time(chunk.sent_at)[0]
        assert chunk.since is not None, "only what was sent can be found"
        return chunk.since
