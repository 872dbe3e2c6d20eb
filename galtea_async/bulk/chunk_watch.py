"""Looks at what a chunk that was sent has made, until that can be believed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Final, final

from attrs import define, evolve, field

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
@define(kw_only=True)
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
    _settling: int = field(default=0, init=False)
    _at_work: int = field(default=0, init=False)

    def pause(self) -> str | None:
        """Return what is waited for between two looks, while nothing is in flight; `None` for nothing."""
        if self.service.gauge.in_flight():
            return None
        if self._settling:
            return f"the rows of {_batches(self._settling)} to stay the same for {self._settle:g} s"
        return f"the end of {_batches(self._at_work)}" if self._at_work else None

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
        with self._counted(answer):
            return await reconciliation.watch(find, partial(settlement.name_all, answer))

    @contextmanager
    def _counted(self, answer: BatchAnswer | None) -> Generator[None]:
        """Count a chunk among those that are watched, while it is."""
        is_accepted = _is_accepted(answer)
        self._at_work += is_accepted
        self._settling += not is_accepted
        try:
            yield
        finally:
            self._at_work -= is_accepted
            self._settling -= not is_accepted

    @property
    def _settle(self) -> float:
        return max(self.policy.settle, self.service.least_settle)

    def _policy_for(self, answer: BatchAnswer | None) -> ReconcilePolicy:
        return evolve(
            self.policy,
            settle=self._settle,
            timeout=self.policy.timeout * (_TIMES_AS_PATIENT if _is_accepted(answer) else 1),
        )

    def _since(self, chunk: Chunk) -> float:
        """Return the earliest at which a chunk can have been sent, by the service's clock as known now."""
        if chunk.sent_at is not None:
            return self.service.gauge.service_time(chunk.sent_at)[0]
        assert chunk.since is not None, "only what was sent can be found"
        return chunk.since


def _is_accepted(answer: BatchAnswer | None) -> bool:
    return answer is not None and not answer.is_final


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count} batches"
