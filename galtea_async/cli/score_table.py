"""A table with what each metric gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

from galtea_async.cli.table import table

__all__ = ["MetricScores", "score_table"]

_HEADINGS: Final = ("metric", "evaluations", "scored", "mean", "min", "max", "failed", "skipped")


@frozen(kw_only=True)
class MetricScores:
    """What a metric gave.

    Attributes:
        metric: Its name.
        evaluations: How often it was asked.
        scores: The scores that it gave.
        failed: How often it failed.
        skipped: How often it did not apply.
    """

    metric: str
    evaluations: int
    scores: Sequence[float]
    failed: int
    skipped: int = 0


def score_table(metrics: Iterable[MetricScores]) -> str:
    """Write a table with a row for each metric."""
    return f"Scores\n{table([_HEADINGS, *sorted(map(_row, metrics))])}"


def _row(given: MetricScores) -> tuple[str, ...]:
    scores = given.scores
    figures = (sum(scores) / len(scores), min(scores), max(scores)) if scores else ()
    return (
        given.metric,
        f"{given.evaluations:,}",
        f"{len(scores):,}",
        *((f"{figure:.2f}" for figure in figures) if figures else ("-",) * 3),
        f"{given.failed:,}",
        f"{given.skipped:,}",
    )
