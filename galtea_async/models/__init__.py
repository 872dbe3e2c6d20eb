"""Wire objects as attrs classes, one noun a file, and the converter that reads and writes them."""

from galtea_async.models.batch_evaluation import BatchEvaluation, SessionFailure
from galtea_async.models.evaluation import Evaluation, EvaluationStatus
from galtea_async.models.json_value import JsonValue
from galtea_async.models.metric import Metric
from galtea_async.models.metric_input import MetricInput, MetricLike, metric_inputs
from galtea_async.models.open_enum import OpenEnum
from galtea_async.models.run import Run, RunKind, RunOpener, RunStatus
from galtea_async.models.session import Session, SessionStatus
from galtea_async.models.session_input import SessionInput
from galtea_async.models.version import Version

__all__ = [
    "BatchEvaluation",
    "Evaluation",
    "EvaluationStatus",
    "JsonValue",
    "Metric",
    "MetricInput",
    "MetricLike",
    "OpenEnum",
    "Run",
    "RunKind",
    "RunOpener",
    "RunStatus",
    "Session",
    "SessionFailure",
    "SessionInput",
    "SessionStatus",
    "Version",
    "metric_inputs",
]
