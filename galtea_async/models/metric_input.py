"""A metric as a caller names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.models.text import is_id

__all__ = ["MetricInput", "MetricLike", "metric_inputs"]

MetricLike: TypeAlias = "str | MetricInput | Mapping[str, object]"
"""What is taken for a metric: a name, a `MetricInput`, or a mapping with `id`, `name` and `score`."""
_FIELDS: Final = frozenset({"id", "name", "score"})


@frozen(kw_only=True)
class MetricInput:
    """A metric to evaluate with, by id or by name.

    Attributes:
        id: The metric's id.
        name: The metric's name.
        score: A ready score from 0 to 1, for self-hosted metrics; it applies to every session of the request.

    Raises:
        InvalidRequestError: Neither id nor name is given, or the score is not between 0 and 1.

    Example:
        >>> MetricInput(name="accuracy")
        MetricInput(id=None, name='accuracy', score=None)
    """

    id: str | None = None
    name: str | None = None
    score: float | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what the service would refuse."""
        for text in (self.id, self.name):
            if text is not None and not is_id(text):
                raise InvalidRequestError(
                    f"a metric's id and name are texts that are not blank and have no NUL, not {text!r}"
                )
        if self.id is None and self.name is None:
            raise InvalidRequestError("a metric needs an id or a name")
        if self.score is not None and not (
            isinstance(self.score, int | float) and not isinstance(self.score, bool) and 0 <= self.score <= 1
        ):
            raise InvalidRequestError(f"a metric's score is a number from 0 to 1, not {self.score!r}")

    @classmethod
    def parse(cls, metric: MetricLike) -> MetricInput:
        """Read a metric in any of the forms that callers use.

        Args:
            metric: A name, a `MetricInput`, or a mapping with `id`, `name` and `score`.

        Returns:
            The metric.

        Raises:
            InvalidRequestError: It is none of these.

        Example:
            >>> MetricInput.parse({"id": "metric_1", "score": 0.5})
            MetricInput(id='metric_1', name=None, score=0.5)
        """
        if isinstance(metric, MetricInput):
            return metric
        if isinstance(metric, str):
            return cls(name=metric)
        if isinstance(metric, Mapping) and metric.keys() <= _FIELDS:
            return cls(**metric)  # type: ignore[arg-type]  # __attrs_post_init__ checks the values
        raise InvalidRequestError(
            f"a metric is a name, a MetricInput or a mapping with id, name and score, not {metric!r}"
        )


def metric_inputs(metrics: Iterable[MetricLike] | None) -> tuple[MetricInput, ...]:
    """Read a list of metrics; `None` is an empty one.

    Args:
        metrics: Metrics in any form that `MetricInput.parse` reads.

    Returns:
        The metrics in the order given, and as often.

    Raises:
        InvalidRequestError: A single text or mapping was given instead of a list, or a metric is wrong.

    Example:
        >>> from galtea_async.models import metric_inputs
        >>> [metric.name for metric in metric_inputs(["tone", "accuracy"])]
        ['tone', 'accuracy']
    """
    if metrics is None:
        return ()
    if isinstance(metrics, str | Mapping | MetricInput) or not isinstance(metrics, Iterable):
        raise InvalidRequestError(f"metrics is a list of metrics, not the single {metrics!r}")
    return tuple(MetricInput.parse(metric) for metric in metrics)
