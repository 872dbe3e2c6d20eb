"""One metric's verdict on one session, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["Evaluation", "EvaluationStatus"]


class EvaluationStatus(OpenEnum):
    """Where an evaluation is in its life; `PENDING` alone is unsettled.

    Example:
        >>> EvaluationStatus.SUCCESS.is_settled, EvaluationStatus.PENDING.is_settled
        (True, False)
    """

    PENDING = "PENDING"
    PENDING_HUMAN = "PENDING_HUMAN"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"
    OUTDATED = "OUTDATED"

    @property
    def is_settled(self) -> bool:
        """Whether the service is done with it; unknown statuses count as settled."""
        return self is not EvaluationStatus.PENDING


@define(kw_only=True)
class Evaluation:
    """One metric's verdict on one session.

    Only `id` is certain; whatever the service leaves out is `None`. Scores run from 0 to 1. Fields that
    this library does not know yet are kept in `extra` under their wire names. Times are aware, in UTC.

    See the API page "Get evaluations" (GET /evaluations).

    Example:
        >>> batch = await galtea.evaluations.from_sessions(session_ids=session_ids)
        >>> rows = await galtea.evaluations.list(session_ids=session_ids)
        >>> {row.session_id for row in rows} == set(session_ids)
        True
    """

    id: str
    metric_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    product_id: str | None = None
    run_id: str | None = None
    test_case_id: str | None = None
    inference_result_id: str | None = None
    status: EvaluationStatus | None = None
    score: float | None = None
    reason: str | None = None
    error: str | None = None
    confidence: float | None = None
    passed: bool | None = None
    metric_pass_threshold: float | None = None
    score_breakdown: JsonValue = None
    can_retry: bool | None = None
    retries_attempted: int | None = None
    credits_used: float | None = None
    judge_input_tokens: int | None = None
    judge_output_tokens: int | None = None
    judge_reasoning_tokens: int | None = None
    long_input: bool | None = None
    conversation_simulator_version: str | None = None
    failed_turns: list[str] | None = None
    human_evaluator_id: str | None = None
    human_evaluator_started_at: datetime | None = None
    human_evaluator_finished_at: datetime | None = None
    human_score: float | None = None
    human_reason: str | None = None
    created_at: datetime | None = None
    evaluated_at: datetime | None = None
    deleted_at: datetime | None = None
    metric_legacy_at: datetime | None = None
    metric_disabled_at: datetime | None = None
    test_case_legacy_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
