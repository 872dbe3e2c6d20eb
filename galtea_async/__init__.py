"""The async client for evaluating recorded LLM sessions on Galtea, each exactly once.

    async with AsyncGaltea() as galtea:
        report = await evaluate_version(galtea, "version_...")

See `AsyncGaltea` for the client; `create_sessions`, `evaluate_sessions`, `evaluate_version` and
`wait_for_evaluations` for bulk work, from recorded conversations to their scores; and `galtea_async.errors`
for what can go wrong.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from galtea_async._homes import HOMES as _HOMES
from galtea_async._version import __version__

if TYPE_CHECKING:
    from galtea_async.bulk import (
        BulkEvaluation,
        BulkReport,
        JournalSummary,
        OutcomeStatus,
        Progress,
        SessionOutcome,
        evaluate_sessions,
        evaluate_version,
        journal_outcomes,
        open_bulk_evaluation,
        read_journal,
        resume_bulk_evaluation,
    )
    from galtea_async.bulk.session_import import (
        ImportOutcome,
        ImportProgress,
        ImportReport,
        ImportStatus,
        create_sessions,
        imported_sessions,
    )
    from galtea_async.errors import (
        ApiError,
        AuthenticationError,
        BadRequestError,
        BulkEvaluationError,
        BulkImportError,
        ConfigurationError,
        ConflictError,
        DecodeError,
        GalteaError,
        InvalidRequestError,
        JournalError,
        JournalMismatchError,
        LifecycleError,
        NoAnswerError,
        NotFoundError,
        NotSentError,
        PaymentRequiredError,
        PermissionDeniedError,
        RateLimitedError,
        RequestBlockedError,
        ServerError,
        StuckRunError,
        TransportError,
        UnknownOutcomeError,
        WaitTimeoutError,
        WouldWaitError,
    )
    from galtea_async.galtea import AsyncGaltea, EvaluationWatch, wait_for_evaluations, watch_evaluations
    from galtea_async.http import RouteStatistics, Statistics
    from galtea_async.models import (
        UNSET,
        AutoCloseScope,
        BatchEvaluation,
        ClosedSessionPolicy,
        Evaluation,
        EvaluationStatus,
        InferenceResult,
        InferenceResultStatus,
        Metric,
        MetricInput,
        MetricScope,
        MetricSource,
        Product,
        RecordedSession,
        RetryResult,
        Run,
        RunKind,
        RunOpener,
        RunStatus,
        Session,
        SessionFailure,
        SessionInput,
        SessionMetric,
        SessionRun,
        SessionRunStatus,
        SessionScore,
        SessionScoreSource,
        SessionScoreStatus,
        SessionStatus,
        Specification,
        SpecificationType,
        Trace,
        TraceReceipt,
        TraceStatus,
        Turn,
        Unset,
        Version,
    )
    from galtea_async.pandaprobe import AsyncPandaProbe
    from galtea_async.settings import (
        CompletionPolicy,
        RateLimit,
        ReconcilePolicy,
        RetryPolicy,
        StopPolicy,
        Timeout,
    )
else:
    # Hidden from type checkers, which would take any name for one of the package.
    def __getattr__(name: str) -> object:
        """Import a name when it is first asked for, so that nobody waits for what he does not use."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(home), name)
        globals()[name] = value
        return value


__all__ = [
    "UNSET",
    "ApiError",
    "AsyncGaltea",
    "AsyncPandaProbe",
    "AuthenticationError",
    "AutoCloseScope",
    "BadRequestError",
    "BatchEvaluation",
    "BulkEvaluation",
    "BulkEvaluationError",
    "BulkImportError",
    "BulkReport",
    "ClosedSessionPolicy",
    "CompletionPolicy",
    "ConfigurationError",
    "ConflictError",
    "DecodeError",
    "Evaluation",
    "EvaluationStatus",
    "EvaluationWatch",
    "GalteaError",
    "ImportOutcome",
    "ImportProgress",
    "ImportReport",
    "ImportStatus",
    "InferenceResult",
    "InferenceResultStatus",
    "InvalidRequestError",
    "JournalError",
    "JournalMismatchError",
    "JournalSummary",
    "LifecycleError",
    "Metric",
    "MetricInput",
    "MetricScope",
    "MetricSource",
    "NoAnswerError",
    "NotFoundError",
    "NotSentError",
    "OutcomeStatus",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "Product",
    "Progress",
    "RateLimit",
    "RateLimitedError",
    "ReconcilePolicy",
    "RecordedSession",
    "RequestBlockedError",
    "RetryPolicy",
    "RetryResult",
    "RouteStatistics",
    "Run",
    "RunKind",
    "RunOpener",
    "RunStatus",
    "ServerError",
    "Session",
    "SessionFailure",
    "SessionInput",
    "SessionMetric",
    "SessionOutcome",
    "SessionRun",
    "SessionRunStatus",
    "SessionScore",
    "SessionScoreSource",
    "SessionScoreStatus",
    "SessionStatus",
    "Specification",
    "SpecificationType",
    "Statistics",
    "StopPolicy",
    "StuckRunError",
    "Timeout",
    "Trace",
    "TraceReceipt",
    "TraceStatus",
    "TransportError",
    "Turn",
    "UnknownOutcomeError",
    "Unset",
    "Version",
    "WaitTimeoutError",
    "WouldWaitError",
    "__version__",
    "create_sessions",
    "evaluate_sessions",
    "evaluate_version",
    "imported_sessions",
    "journal_outcomes",
    "open_bulk_evaluation",
    "read_journal",
    "resume_bulk_evaluation",
    "wait_for_evaluations",
    "watch_evaluations",
]


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
