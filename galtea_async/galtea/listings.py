"""The lists of Galtea that this library walks through."""

from __future__ import annotations

from typing import TypeVar

from attrs import frozen

from galtea_async.galtea.filters import (
    EvaluationFilters,
    MetricFilters,
    RunFilters,
    SessionFilters,
    names_of,
)
from galtea_async.galtea.listing import Listing
from galtea_async.http.channel import Channel
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.metric import Metric
from galtea_async.models.run import Run
from galtea_async.models.session import Session

__all__ = ["Listings"]

_Row = TypeVar("_Row", Session, Evaluation, Run, Metric)


@frozen
class Listings:
    """Makes a listing for each noun.

    Args:
        channel: The way to the service.
        base_url: Where it is; its length counts towards that of a URL.
    """

    channel: Channel
    base_url: str

    def sessions(self) -> Listing[Session]:
        """Return the list of sessions."""
        return self._listing("/sessions", Session, SessionFilters)

    def evaluations(self) -> Listing[Evaluation]:
        """Return the list of evaluations."""
        return self._listing("/evaluations", Evaluation, EvaluationFilters)

    def runs(self) -> Listing[Run]:
        """Return the list of runs."""
        return self._listing("/runs", Run, RunFilters)

    def metrics(self) -> Listing[Metric]:
        """Return the list of metrics."""
        return self._listing("/metrics", Metric, MetricFilters)

    def _listing(self, path: str, model: type[_Row], filters: type) -> Listing[_Row]:
        return Listing(self.channel, path, model, names_of(filters), len(self.base_url))
