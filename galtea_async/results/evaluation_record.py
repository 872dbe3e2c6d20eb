"""An evaluation as a flat record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from galtea_async.models.evaluation import Evaluation

__all__ = ["EvaluationRecord", "evaluation_record"]


class EvaluationRecord(TypedDict):
    """An evaluation, with the name of its metric and your own id of its session.

    What the service leaves out is `None`; so is the name of a metric and the custom id of a session that it
    does not list any more. What is nested in an `Evaluation`, such as its score breakdown, is left out.

    Example:
        >>> from galtea_async.results import evaluation_records
        >>> _ = await galtea.evaluations.from_sessions(session_ids=session_ids)
        >>> rows = galtea.evaluations.iterate(session_ids=session_ids)
        >>> {record["metric"] async for record in evaluation_records(galtea, rows)}
        {'accuracy'}
    """

    evaluation_id: str
    session_id: str | None
    session_custom_id: str | None
    metric_id: str | None
    metric: str | None
    status: str | None
    score: float | None
    passed: bool | None
    reason: str | None
    error: str | None
    human_score: float | None
    human_reason: str | None
    confidence: float | None
    metric_pass_threshold: float | None
    can_retry: bool | None
    retries_attempted: int | None
    credits_used: float | None
    judge_input_tokens: int | None
    judge_output_tokens: int | None
    judge_reasoning_tokens: int | None
    product_id: str | None
    run_id: str | None
    test_case_id: str | None
    inference_result_id: str | None
    user_id: str | None
    human_evaluator_id: str | None
    created_at: str | None
    evaluated_at: str | None


def evaluation_record(
    evaluation: Evaluation, *, session_custom_id: str | None, metric: str | None
) -> EvaluationRecord:
    """Flatten an evaluation.

    Args:
        evaluation: The evaluation.
        session_custom_id: The caller's id of its session.
        metric: The name of its metric.

    Returns:
        The record.

    Example:
        >>> evaluation_record(Evaluation(id="e"), session_custom_id="chat-7", metric="tone")["metric"]
        'tone'
    """
    return EvaluationRecord(
        evaluation_id=evaluation.id,
        session_id=evaluation.session_id,
        session_custom_id=session_custom_id,
        metric_id=evaluation.metric_id,
        metric=metric,
        status=None if evaluation.status is None else str(evaluation.status),
        score=evaluation.score,
        passed=evaluation.passed,
        reason=evaluation.reason,
        error=evaluation.error,
        human_score=evaluation.human_score,
        human_reason=evaluation.human_reason,
        confidence=evaluation.confidence,
        metric_pass_threshold=evaluation.metric_pass_threshold,
        can_retry=evaluation.can_retry,
        retries_attempted=evaluation.retries_attempted,
        credits_used=evaluation.credits_used,
        judge_input_tokens=evaluation.judge_input_tokens,
        judge_output_tokens=evaluation.judge_output_tokens,
        judge_reasoning_tokens=evaluation.judge_reasoning_tokens,
        product_id=evaluation.product_id,
        run_id=evaluation.run_id,
        test_case_id=evaluation.test_case_id,
        inference_result_id=evaluation.inference_result_id,
        user_id=evaluation.user_id,
        human_evaluator_id=evaluation.human_evaluator_id,
        created_at=_time(evaluation.created_at),
        evaluated_at=_time(evaluation.evaluated_at),
    )


def _time(moment: datetime | None) -> str | None:
    """Write a time so that all are of the same length, and sort as texts."""
    if moment is None:
        return None
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
