"""The lists of Galtea that this library walks through."""

from __future__ import annotations

from typing import TypeVar

from attrs import frozen

from galtea_async.galtea.cursor import Row
from galtea_async.galtea.filters import (
    EvaluationFilters,
    InferenceResultFilters,
    MetricFilters,
    ProductFilters,
    RunFilters,
    SessionFilters,
    SpecificationFilters,
    VersionFilters,
    names_of,
)
from galtea_async.galtea.listing import Listing
from galtea_async.http.channel import Channel
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.inference_result import InferenceResult
from galtea_async.models.metric import Metric
from galtea_async.models.product import Product
from galtea_async.models.run import Run
from galtea_async.models.session import Session
from galtea_async.models.specification import Specification
from galtea_async.models.version import Version

__all__ = ["Listings"]

_RowType = TypeVar("_RowType", bound=Row)


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

    def inference_results(self) -> Listing[InferenceResult]:
        """Return the list of inference results, the turns of sessions."""
        return self._listing("/inferenceResults", InferenceResult, InferenceResultFilters)

    def products(self) -> Listing[Product]:
        """Return the list of products."""
        return self._listing("/products", Product, ProductFilters)

    def versions(self) -> Listing[Version]:
        """Return the list of versions."""
        return self._listing("/versions", Version, VersionFilters)

    def specifications(self) -> Listing[Specification]:
        """Return the list of specifications."""
        return self._listing("/specifications", Specification, SpecificationFilters)

    def metrics(self) -> Listing[Metric]:
        """Return the list of metrics."""
        return self._listing("/metrics", Metric, MetricFilters)

    def _listing(self, path: str, model: type[_RowType], filters: type) -> Listing[_RowType]:
        return Listing(self.channel, path, model, names_of(filters), len(self.base_url))
