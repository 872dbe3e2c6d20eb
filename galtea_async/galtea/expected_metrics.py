"""Which metrics each session of a job gets, so that a half-done session can be told from a done one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import final

from attrs import define, field

from galtea_async.bulk.provider import JobSettings
from galtea_async.errors import BadRequestError, NotFoundError
from galtea_async.galtea.listing import Listing
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.metric import Metric
from galtea_async.models.metric_input import MetricInput

__all__ = ["ExpectedMetrics", "missing_metrics"]


@final
@define
class ExpectedMetrics:
    """The metrics of a job by id; names are looked up once.

    Args:
        catalogue: The service's metrics.
        settings: What the sessions are evaluated with.
    """

    catalogue: Listing[Metric]
    settings: JobSettings
    _ids_by_name: dict[str, str] | None = field(default=None, init=False)

    async def of(self, chosen: tuple[MetricInput, ...] | None) -> dict[str, MetricInput] | None:
        """Return the metrics that each session gets, by id.

        Args:
            chosen: The metrics of a chunk that completes others; `None` for the job's own.

        Returns:
            The metrics; `None` where the service chooses them, or does not know one of the names.
        """
        metrics = self.settings.metrics if chosen is None else chosen
        if not metrics or (chosen is None and self.settings.specification_ids):
            return None
        ids = await self._names()
        found = {metric.id or ids.get(metric.name or "", ""): metric for metric in metrics}
        return None if "" in found else found

    async def _names(self) -> dict[str, str]:
        """Look up the names of the job's metrics; one that several metrics have stays unknown."""
        if self._ids_by_name is None:
            names = [metric.name for metric in self.settings.metrics if metric.id is None and metric.name]
            found = await self._named(names) if names else []
            times = Counter(metric.name for metric in found)
            self._ids_by_name = {
                metric.name: metric.id for metric in found if metric.name and times[metric.name] == 1
            }
        return self._ids_by_name

    async def _named(self, names: list[str]) -> list[Metric]:
        try:
            return [metric async for metric in self.catalogue.rows({"names": names})]
        except (BadRequestError, NotFoundError):
            return []


def missing_metrics(
    rows: Iterable[Evaluation], expected: Mapping[str, MetricInput]
) -> dict[str, tuple[MetricInput, ...]]:
    """Return, for each session with rows that lacks some of the expected metrics, which it lacks."""
    present: dict[str, set[str | None]] = {}
    for row in rows:
        if row.session_id is not None:
            present.setdefault(row.session_id, set()).add(row.metric_id)
    return {
        session_id: tuple(metric for id_, metric in expected.items() if id_ not in metric_ids)
        for session_id, metric_ids in present.items()
        if not expected.keys() <= metric_ids
    }
