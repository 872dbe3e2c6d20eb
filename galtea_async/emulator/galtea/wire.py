"""What the service sends: the shapes of answers, and rows turned into them.

The fields of an answer are the columns of the query that fills it, in the same order and under the same names
in snake case. So each shape writes its own list of columns (`columns`), and a row becomes an answer without a
mapping in between. SQLite has neither truth values nor JSON, so fields of these kinds stand last in each
shape, and are converted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from galtea_async.emulator.store import Row

__all__ = [
    "ORGANIZATION_ID",
    "Answer",
    "BatchAnswer",
    "BatchFailure",
    "ErrorAnswer",
    "EvaluationAnswer",
    "EvaluationStatus",
    "InferenceResultAnswer",
    "InferenceResultStatus",
    "Moment",
    "NextTurnAnswer",
    "Page",
    "PendingReviewsAnswer",
    "RawObject",
    "RawStrings",
    "RetryAnswer",
    "RunAnswer",
    "RunStatus",
    "SdkVersionAnswer",
    "SessionAnswer",
    "SessionStatus",
    "UserAnswer",
    "columns",
    "evaluation",
    "inference_result",
    "json_text",
    "raw",
    "run",
    "session",
]

ORGANIZATION_ID = "organization_emulator0123456789abcdef"
"""The organization to which everything in an emulator belongs."""


SessionStatus = Literal["PENDING", "COMPLETED", "FAILED"]
InferenceResultStatus = Literal["PENDING", "GENERATED", "FAILED", "SKIPPED"]
RunStatus = Literal["RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
EvaluationStatus = Literal[
    "PENDING", "PENDING_HUMAN", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED", "OUTDATED"
]

Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A time in ISO 8601."""

RawObject = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object", "nullable": True})]
"""A column with a JSON object, or with nothing."""

RawStrings = Annotated[
    msgspec.Raw, Meta(extra_json_schema={"type": "array", "items": {"type": "string"}, "nullable": True})
]
"""A column with a JSON array of texts, or with nothing."""

_Row = TypeVar("_Row", bound="Answer")


class Answer(msgspec.Struct, rename="camel", gc=False):
    """An object in an answer."""


def columns(shape: type[Answer]) -> str:
    """The columns that fill an answer, for a `SELECT`; fields with a default have none."""
    fields = shape.__struct_fields__
    return ", ".join(fields[: len(fields) - len(shape.__struct_defaults__)])


class SessionAnswer(Answer):
    """A session."""

    id: str
    version_id: str
    custom_id: str | None
    user_id: str | None
    test_case_id: str | None
    stopping_reason: str | None
    error: str | None
    status: SessionStatus
    created_at: Moment
    deleted_at: Moment | None
    product_id: str
    run_id: str | msgspec.UnsetType | None
    is_production: bool
    context: RawObject
    metadata: RawObject
    is_seed: bool = False
    recording_uri: str | None = None


class InferenceResultAnswer(Answer):
    """One turn of a session: what went in and what came out."""

    id: str
    session_id: str
    user_id: str | None
    turn_index: int = msgspec.field(name="index")
    status: InferenceResultStatus
    error: str | None
    latency: float | None
    input_tokens: float | None
    output_tokens: float | None
    cache_read_input_tokens: float | None
    tokens: float | None
    cost_per_input_token: float | None
    cost_per_output_token: float | None
    cost_per_cache_read_input_token: float | None
    cost: float | None
    conversation_simulator_version: str | None
    created_at: Moment
    deleted_at: Moment | None
    retrieval_context: str | msgspec.UnsetType | None
    input: RawObject
    actual_output: msgspec.Raw
    credits_used: int | None = None
    trace_id: str | None = None


class Page(Answer, Generic[_Row]):
    """A page of rows as older services wrapped it."""

    data: Sequence[_Row]
    total: int
    page: int
    limit: int


class EvaluationAnswer(Answer):
    """An evaluation."""

    id: str
    metric_id: str
    session_id: str
    user_id: str | None
    status: EvaluationStatus
    test_case_id: str | None
    inference_result_id: str | None
    score: float | None
    reason: str | None
    error: str | None
    credits_used: int | None
    human_evaluator_id: str | None
    human_evaluator_started_at: Moment | None
    human_evaluator_finished_at: Moment | None
    human_score: float | None
    human_reason: str | None
    created_at: Moment
    deleted_at: Moment | None
    evaluated_at: Moment | None
    metric_legacy_at: Moment | None
    metric_disabled_at: Moment | None
    retries_attempted: int
    product_id: str
    judge_input_tokens: int | None
    judge_output_tokens: int | None
    metric_pass_threshold: float
    run_id: str | msgspec.UnsetType | None
    can_retry: bool | None
    passed: bool | None
    failed_turns: RawStrings
    conversation_simulator_version: str | None = None
    test_case_legacy_at: Moment | None = None
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
    status: RunStatus
    kind: str | None
    created_at: Moment
    finished_at: Moment | None
    deleted_at: Moment | None
    evaluation_count: int
    session_count: int
    request: RawObject
    relaunched_from_run_id: str | None = None
    job_id: str | None = None
    error: str | None = None
    resolved_inputs: dict[str, list[str]] | None = None


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
    errors: list[str]


class PendingReviewsAnswer(Answer):
    """The evaluations that wait for a person whom nobody is yet."""

    evaluations: list[EvaluationAnswer]
    total: int
    claimed_by_others: int


class NextTurnAnswer(Answer):
    """What the simulated user says next."""

    next_message: str
    finished: bool
    stopping_reason: str | None
    simulator_version: str
    inference_result_id: str


class UserAnswer(Answer):
    """Who holds the key."""

    id: str
    organization_id: str = ORGANIZATION_ID


class ErrorAnswer(Answer):
    """What is wrong. Who has no valid key is told in one word more."""

    message: str
    error: str | msgspec.UnsetType = msgspec.UNSET


class SdkVersionAnswer(Answer):
    """Which versions of the official client the service works with."""

    latest_sdk_version_published: str
    minimum_sdk_version_supported: str


def session(row: Row) -> SessionAnswer:
    """Turn a row into an answer."""
    *plain, is_production, context, metadata = row
    values: list[Any] = [*plain, is_production == 1, raw(context), raw(metadata)]
    return SessionAnswer(*values)


def evaluation(row: Row) -> EvaluationAnswer:
    """Turn a row into an answer."""
    *plain, can_retry, passed, failed_turns = row
    values: list[Any] = [
        *plain,
        can_retry == 1,
        None if passed is None else passed == 1,
        raw(failed_turns),
    ]
    return EvaluationAnswer(*values)


def run(row: Row) -> RunAnswer:
    """Turn a row into an answer."""
    *plain, request = row
    values: list[Any] = [*plain, raw(request)]
    return RunAnswer(*values)


def inference_result(row: Row) -> InferenceResultAnswer:
    """Turn a row into an answer."""
    *plain, sent, received = row
    values: list[Any] = [*plain, raw(sent), raw(received)]
    return InferenceResultAnswer(*values)


def json_text(value: object) -> str | None:
    """Write a value for a column that holds JSON; `None` leaves the column empty."""
    return None if value is None else msgspec.json.encode(value).decode()


def raw(text: str | None) -> msgspec.Raw:
    """Take a column that holds JSON as it is, and `null` where it holds nothing."""
    return msgspec.Raw(b"null" if text is None else text.encode())
