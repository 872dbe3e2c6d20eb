"""Evaluates any number of sessions, each exactly once; knows no service.

The way of the data, a file a station: ids -> `intake` -> `chunk` -> `journal` -> `run` -> `provider` (the
service) -> `settlement`, or `reconciliation` where an answer was lost -> `outcome` -> `report`.
"""

from galtea_async.bulk.bulk_evaluation import BulkEvaluation, open_bulk_evaluation
from galtea_async.bulk.evaluate_sessions import evaluate_sessions
from galtea_async.bulk.evaluate_version import evaluate_version
from galtea_async.bulk.journal_reader import JournalSummary, journal_outcomes, read_journal
from galtea_async.bulk.outcome import OutcomeStatus, SessionOutcome
from galtea_async.bulk.progress import Progress
from galtea_async.bulk.report import BulkReport
from galtea_async.bulk.resume import resume_bulk_evaluation

__all__ = [
    "BulkEvaluation",
    "BulkReport",
    "JournalSummary",
    "OutcomeStatus",
    "Progress",
    "SessionOutcome",
    "evaluate_sessions",
    "evaluate_version",
    "journal_outcomes",
    "open_bulk_evaluation",
    "read_journal",
    "resume_bulk_evaluation",
]
