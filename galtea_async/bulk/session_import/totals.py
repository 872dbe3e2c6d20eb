"""The running sums of an import."""

from __future__ import annotations

from typing import Final

from attrs import define, field

from galtea_async.bulk.session_import.outcome import ImportOutcome, ImportStatus
from galtea_async.bulk.session_import.report import ImportReport

__all__ = ["FAILURES_KEPT", "ImportTotals"]

FAILURES_KEPT: Final = 1_000


@define(kw_only=True)
class ImportTotals:
    """What the outcomes of an import add up to; of fixed size however large the import."""

    created: int = 0
    existed: int = 0
    failed: int = 0
    unresolved: int = 0
    failures: list[ImportOutcome] = field(factory=list[ImportOutcome])
    requests: int = 0
    retries: int = 0
    elapsed: float = 0.0

    @property
    def done(self) -> int:
        """How many inputs have an outcome."""
        return self.created + self.existed + self.failed + self.unresolved

    def add(self, outcome: ImportOutcome) -> None:
        """Add an outcome."""
        match outcome.status:
            case ImportStatus.CREATED:
                self.created += 1
            case ImportStatus.EXISTED:
                self.existed += 1
            case ImportStatus.UNRESOLVED:
                self.unresolved += 1
            case ImportStatus.FAILED:
                self.failed += 1
                if len(self.failures) < FAILURES_KEPT:
                    self.failures.append(outcome)

    def report(self, *, requests: int, retries: int, elapsed: float) -> ImportReport:
        """Return the account, with what this run has cost so far."""
        return ImportReport(
            sessions_requested=self.done,
            sessions_created=self.created,
            sessions_existed=self.existed,
            sessions_failed=self.failed,
            sessions_unresolved=self.unresolved,
            failures=tuple(self.failures),
            requests=self.requests + requests,
            retries=self.retries + retries,
            elapsed=self.elapsed + elapsed,
        )
