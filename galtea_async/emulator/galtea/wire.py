"""What the service sends and takes: the shapes of bodies, and rows turned into them.

The fields of an answer are the columns of the query that fills it, in the same order and under the same names
in snake case. So each shape writes its own list of columns (`columns`), and a row becomes an answer without a
mapping in between. SQLite has neither truth values nor JSON, so fields of these kinds stand last in each
shape, and are converted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from galtea_async.emulator.store import Row

__all__ = [
    "Answer",
    "BatchAnswer",
    "BatchBody",
    "BatchFailure",
    "CloseSessionBody",
    "CreateRunBody",
    "CreateSessionBody",
    "EvaluationAnswer",
    "MetricAnswer",
    "MetricReference",
    "ProductAnswer",
    "RetryAnswer",
    "RetryBody",
    "RunAnswer",
    "SdkVersionAnswer",
    "SessionAnswer",
    "SessionBody",
    "SessionPage",
    "SpecificationAnswer",
    "SubmitBody",
    "UpdateSessionBody",
    "VersionAnswer",
    "columns",
    "evaluation",
    "run",
    "session",
    "specification",
]


class Answer(msgspec.Struct, rename="camel", gc=False):
    """An object in an answer."""


class _Body(msgspec.Struct, rename="camel"):
    """The body of a request. Unknown keys are ignored, as the service does."""


def columns(shape: type[Answer]) -> str:
    """The columns that fill an answer, for a `SELECT`; fields with a default have none."""
    fields = shape.__struct_fields__
    return ", ".join(fields[: len(fields) - len(shape.__struct_defaults__)])


class ProductAnswer(Answer):
    """A product."""

    id: str
    name: str
    description: str
    created_at: str
    deleted_at: str | None


class VersionAnswer(Answer):
    """A version of a product."""

    id: str
    product_id: str
    name: str
    number: int
    created_at: str
    deleted_at: str | None


class MetricAnswer(Answer):
    """A metric."""

    id: str
    product_id: str | None
    name: str
    source: str
    pass_threshold: float
    excluded_from_analytics_at: str | None
    legacy_at: str | None
    disabled_at: str | None
    created_at: str
    deleted_at: str | None


class SpecificationAnswer(Answer):
    """A specification, with the metrics linked to it."""

    id: str
    product_id: str
    name: str
    description: str
    type: str
    created_at: str
    deleted_at: str | None
    metric_ids: msgspec.Raw


class SessionAnswer(Answer):
    """A session."""

    id: str
    version_id: str
    custom_id: str | None
    user_id: str | None
    test_case_id: str | None
    stopping_reason: str | None
    error: str | None
    status: str
    created_at: str
    deleted_at: str | None
    product_id: str
    run_id: str | msgspec.UnsetType | None
    is_production: bool
    context: msgspec.Raw
    metadata: msgspec.Raw
    is_seed: bool = False
    recording_uri: str | None = None


class SessionPage(Answer):
    """A page of sessions as older services wrapped it."""

    data: list[SessionAnswer]
    total: int
    page: int
    limit: int


class EvaluationAnswer(Answer):
    """An evaluation."""

    id: str
    metric_id: str
    session_id: str
    user_id: str | None
    status: str
    test_case_id: str | None
    score: float | None
    reason: str | None
    error: str | None
    credits_used: int | None
    human_evaluator_id: str | None
    human_evaluator_started_at: str | None
    human_evaluator_finished_at: str | None
    human_score: float | None
    human_reason: str | None
    created_at: str
    deleted_at: str | None
    evaluated_at: str | None
    metric_legacy_at: str | None
    metric_disabled_at: str | None
    retries_attempted: int
    product_id: str
    judge_input_tokens: int | None
    judge_output_tokens: int | None
    run_id: str | msgspec.UnsetType | None
    can_retry: bool
    failed_turns: msgspec.Raw
    inference_result_id: str | None = None
    conversation_simulator_version: str | None = None
    test_case_legacy_at: str | None = None
    judge_reasoning_tokens: int | None = None
    score_breakdown: dict[str, float] | None = None
    confidence: float | None = None
    long_input: bool | None = None


class RunAnswer(Answer):
    """A run."""

    id: str
    product_id: str
    version_id: str | None
    user_id: str | None
    ordinal: int
    custom_id: str | None
    opened_by: str
    status: str
    kind: str | None
    created_at: str
    finished_at: str | None
    deleted_at: str | None
    evaluation_count: int
    session_count: int
    request: msgspec.Raw
    relaunched_from_run_id: str | None = None
    job_id: str | None = None
    error: str | None = None
    resolved_inputs: dict[str, str] | None = None


class BatchFailure(Answer):
    """A session that a batch could not evaluate."""

    session_id: str
    error: str


class BatchAnswer(Answer, kw_only=True):
    """The summary of a batch."""

    sessions_evaluated: int
    sessions_failed: int
    evaluations_created: int
    failures: list[BatchFailure]
    message: str
    total_sessions_available: int | None
    truncated: bool
    run_ids: list[str] | msgspec.UnsetType = msgspec.UNSET


class RetryAnswer(Answer):
    """What became of evaluations that were to be retried."""

    retried: int
    skipped: int
    errors: list[dict[str, str]]


class SdkVersionAnswer(Answer):
    """Which versions of the official client the service works with."""

    latest_sdk_version_published: str
    minimum_sdk_version_supported: str


class MetricReference(_Body):
    """A metric by id or by name, with the score where the caller computes it."""

    id: str | None = None
    name: str | None = None
    score: float | None = None


class BatchBody(_Body):
    """The body of `POST /evaluations/fromSessions`."""

    session_ids: list[str] | None = None
    version_id: str | None = None
    metrics: list[MetricReference] = []
    specification_ids: list[str] = []
    run_id: str | None = None


class SessionBody(_Body):
    """The body of `POST /evaluations/fromSession`."""

    session_id: str
    inference_result_id: str | None = None
    metrics: list[MetricReference] = []
    specification_ids: list[str] = []
    run_id: str | None = None


class CreateSessionBody(_Body):
    """The body of `POST /sessions`."""

    version_id: str | None = None
    product_id: str | None = None
    custom_id: str | None = None
    test_case_id: str | None = None
    is_production: bool | None = None
    context: str | dict[str, object] | None = None
    metadata: dict[str, object] = {}
    status: str | None = None
    run_id: str | None = None


class UpdateSessionBody(_Body):
    """The body of `PATCH /sessions/{id}`."""

    custom_id: str | None = None
    status: str | None = None
    context: str | dict[str, object] | None = None
    stopping_reason: str | None = None
    metadata: dict[str, object] | None = None
    error: str | None = None


class CloseSessionBody(_Body):
    """The body of `PATCH /sessions/{id}/finish`."""

    stopping_reason: str | None = None
    error: str | None = None


class SubmitBody(_Body):
    """The body of `POST /evaluations/{id}/submit`."""

    score: float
    reason: str | None = None


class RetryBody(_Body):
    """The body of `POST /evaluations/retry`."""

    ids: list[str]


class CreateRunBody(_Body):
    """The body of `POST /runs`."""

    product_id: str
    version_id: str | None = None
    custom_id: str | None = None


def session(row: Row) -> SessionAnswer:
    """Turn a row into an answer."""
    *plain, is_production, context, metadata = row
    values: list[Any] = [*plain, is_production == 1, _raw(context), _raw(metadata)]
    return SessionAnswer(*values)


def evaluation(row: Row) -> EvaluationAnswer:
    """Turn a row into an answer."""
    *plain, can_retry, failed_turns = row
    values: list[Any] = [*plain, can_retry == 1, _raw(failed_turns)]
    return EvaluationAnswer(*values)


def run(row: Row) -> RunAnswer:
    """Turn a row into an answer."""
    *plain, request = row
    values: list[Any] = [*plain, _raw(request)]
    return RunAnswer(*values)


def specification(row: Row) -> SpecificationAnswer:
    """Turn a row into an answer."""
    *plain, metric_ids = row
    values: list[Any] = [*plain, _raw(metric_ids)]
    return SpecificationAnswer(*values)


def _raw(text: str | None) -> msgspec.Raw:
    return msgspec.Raw(b"null" if text is None else text.encode())
