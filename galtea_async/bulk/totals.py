"""The running sums of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import define, field

from galtea_async.bulk.chunk import Settlement
from galtea_async.bulk.outcome import OutcomeStatus
from galtea_async.bulk.report import BulkReport
from galtea_async.models.batch_evaluation import SessionFailure

__all__ = ["FAILURES_KEPT", "MESSAGES_KEPT", "Totals"]

FAILURES_KEPT: Final = 1_000
MESSAGES_KEPT: Final = 100


@define(kw_only=True)
class Totals:
    """What the settled chunks of a job add up to; of fixed size however large the job."""

    evaluated: int = 0
    failed: int = 0
    skipped: int = 0
    evaluations: int = 0
    reconciled: int = 0
    failures: list[SessionFailure] = field(factory=list[SessionFailure])
    messages: list[str] = field(factory=list[str])
    requests: int = 0
    retries: int = 0
    elapsed: float = 0.0

    @property
    def done(self) -> int:
        """How many sessions have a final outcome."""
        return self.evaluated + self.failed + self.skipped

    def add(self, settlement: Settlement) -> None:
        """Add a chunk that has settled."""
        self.evaluated += settlement.evaluated
        self.failed += settlement.count(OutcomeStatus.FAILED)
        self.skipped += settlement.count(OutcomeStatus.SKIPPED)
        self.evaluations += settlement.evaluations
        self.reconciled += settlement.reconciled
        for session_id, (status, error) in settlement.others.items():
            if status is OutcomeStatus.FAILED and len(self.failures) < FAILURES_KEPT:
                self.failures.append(SessionFailure(session_id=session_id, error=error))
        message = settlement.message
        if message is not None and message not in self.messages and len(self.messages) < MESSAGES_KEPT:
            self.messages.append(message)

    def report(
        self, *, unresolved: int, requests: int, retries: int, elapsed: float, journal: Path | None
    ) -> BulkReport:
        """Return the account, with what has happened since the totals were loaded."""
        return BulkReport(
            sessions_requested=self.done + unresolved,
            sessions_evaluated=self.evaluated,
            sessions_failed=self.failed,
            sessions_skipped=self.skipped,
            sessions_unresolved=unresolved,
            evaluations_created=self.evaluations,
            failures=tuple(self.failures),
            messages=tuple(self.messages),
            requests=self.requests + requests,
            retries=self.retries + retries,
            reconciled=self.reconciled,
            elapsed=self.elapsed + elapsed,
            journal=None if journal is None else str(journal),
        )
