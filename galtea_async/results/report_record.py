"""The account of a job as a record, for a table with a row for each job."""

from __future__ import annotations

from typing import TypedDict

from galtea_async.bulk.report import BulkReport

__all__ = ["ReportRecord", "report_record"]


class ReportRecord(TypedDict):
    """The counts of a `BulkReport`, and the seconds that its job has run.

    Example:
        >>> from galtea_async.results import report_record
        >>> report = await evaluate_sessions(galtea, session_ids)
        >>> report_record(report)["evaluations_created"]
        5
    """

    sessions_requested: int
    sessions_evaluated: int
    sessions_failed: int
    sessions_skipped: int
    sessions_unresolved: int
    evaluations_created: int
    requests: int
    retries: int
    reconciled: int
    elapsed: float


def report_record(report: BulkReport) -> ReportRecord:
    """Flatten a report; its failures and messages, which are lists, are left out.

    Args:
        report: What a bulk helper returned.

    Returns:
        One record; see `outcome_records` for one of each session.

    Example:
        >>> report = await evaluate_sessions(galtea, session_ids)
        >>> record = report_record(report)
        >>> record["sessions_requested"], record["sessions_failed"]
        (5, 0)
    """
    return ReportRecord(
        sessions_requested=report.sessions_requested,
        sessions_evaluated=report.sessions_evaluated,
        sessions_failed=report.sessions_failed,
        sessions_skipped=report.sessions_skipped,
        sessions_unresolved=report.sessions_unresolved,
        evaluations_created=report.evaluations_created,
        requests=report.requests,
        retries=report.retries,
        reconciled=report.reconciled,
        elapsed=report.elapsed,
    )
