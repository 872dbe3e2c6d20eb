"""Waits for the verdicts on a version's sessions, and sums them up by metric."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from galtea_async import AsyncGaltea, Evaluation, EvaluationStatus
from galtea_async.cli.score_table import MetricScores, score_table

__all__ = ["scores_as_text", "settled_evaluations"]

_BETWEEN_LOOKS: Final = 0.25


async def settled_evaluations(galtea: AsyncGaltea, version_id: str) -> list[Evaluation]:
    """Wait until none of a version's evaluations is pending, and return them all."""
    pending = EvaluationStatus.PENDING
    while True:
        if not await galtea.evaluations.list(version_ids=version_id, statuses=pending, limit=1):
            return [evaluation async for evaluation in galtea.evaluations.iterate(version_ids=version_id)]
        await asyncio.sleep(_BETWEEN_LOOKS)


async def scores_as_text(galtea: AsyncGaltea, evaluations: Iterable[Evaluation]) -> str:
    """Write a table with a row for each metric."""
    by_metric: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        by_metric.setdefault(evaluation.metric_id or "no metric", []).append(evaluation)
    names = await _names(galtea, by_metric)
    return score_table(_given(names.get(id_, id_), verdicts) for id_, verdicts in by_metric.items())


def _given(metric: str, evaluations: list[Evaluation]) -> MetricScores:
    statuses = [evaluation.status for evaluation in evaluations]
    return MetricScores(
        metric=metric,
        evaluations=len(evaluations),
        scores=[evaluation.score for evaluation in evaluations if evaluation.score is not None],
        failed=statuses.count(EvaluationStatus.FAILED),
        skipped=statuses.count(EvaluationStatus.SKIPPED),
    )


async def _names(galtea: AsyncGaltea, metric_ids: Iterable[str]) -> Mapping[str, str]:
    ids = list(metric_ids)
    metrics = await galtea.request("GET", "/metrics", params={"ids": ids}) if ids else []
    assert isinstance(metrics, list)
    return {str(metric["id"]): str(metric["name"]) for metric in metrics if isinstance(metric, dict)}
