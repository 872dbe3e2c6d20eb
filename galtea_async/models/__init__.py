"""Wire objects as attrs classes, one noun a file, and the converter that reads and writes them."""

from galtea_async.models.batch_evaluation import BatchEvaluation, SessionFailure
from galtea_async.models.evaluation import Evaluation, EvaluationStatus
from galtea_async.models.inference_result import InferenceResult, InferenceResultStatus
from galtea_async.models.json_value import JsonValue
from galtea_async.models.metric import Metric, MetricScope, MetricSource
from galtea_async.models.metric_input import MetricInput, MetricLike, metric_inputs
from galtea_async.models.open_enum import OpenEnum
from galtea_async.models.product import AutoCloseScope, ClosedSessionPolicy, Product
from galtea_async.models.recorded_session import RecordedSession
from galtea_async.models.retry_result import RetryAnswer, RetryResult
from galtea_async.models.run import Run, RunInput, RunKind, RunOpener, RunStatus
from galtea_async.models.session import Session, SessionStatus
from galtea_async.models.session_input import SessionInput
from galtea_async.models.session_metric import SessionMetric
from galtea_async.models.session_run import SessionRun, SessionRunStatus
from galtea_async.models.session_score import SessionScore, SessionScoreSource, SessionScoreStatus
from galtea_async.models.specification import Specification, SpecificationType
from galtea_async.models.trace import Trace, TraceInput, TraceReceipt, TraceStatus
from galtea_async.models.turn import Turn, TurnLike, TurnRole, turns_of
from galtea_async.models.unset import UNSET, Unset
from galtea_async.models.version import Version

__all__ = [
    "UNSET",
    "AutoCloseScope",
    "BatchEvaluation",
    "ClosedSessionPolicy",
    "Evaluation",
    "EvaluationStatus",
    "InferenceResult",
    "InferenceResultStatus",
    "JsonValue",
    "Metric",
    "MetricInput",
    "MetricLike",
    "MetricScope",
    "MetricSource",
    "OpenEnum",
    "Product",
    "RecordedSession",
    "RetryAnswer",
    "RetryResult",
    "Run",
    "RunInput",
    "RunKind",
    "RunOpener",
    "RunStatus",
    "Session",
    "SessionFailure",
    "SessionInput",
    "SessionMetric",
    "SessionRun",
    "SessionRunStatus",
    "SessionScore",
    "SessionScoreSource",
    "SessionScoreStatus",
    "SessionStatus",
    "Specification",
    "SpecificationType",
    "Trace",
    "TraceInput",
    "TraceReceipt",
    "TraceStatus",
    "Turn",
    "TurnLike",
    "TurnRole",
    "Unset",
    "Version",
    "metric_inputs",
    "turns_of",
]
