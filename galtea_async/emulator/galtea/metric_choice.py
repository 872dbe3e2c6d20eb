"""Which metrics a session is evaluated for: those that a request names, and those of specifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.galtea.scoring import Metric
from galtea_async.emulator.galtea.service import Service
from galtea_async.emulator.replies import Problem
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from galtea_async.emulator.galtea.bodies import MetricReference
    from galtea_async.emulator.galtea.evaluations import Subject

__all__ = ["MetricChoice"]


@attrs.define(kw_only=True, eq=False)
class MetricChoice:
    """Chooses the metrics of each session of a request.

    Attributes:
        service: Where metrics and specifications are kept.
        named: The metrics that the request names; they hold for every session.
        specification_ids: The specifications that the request names.
    """

    service: Service
    named: tuple[Metric, ...]
    specification_ids: tuple[str, ...]
    _chosen: dict[tuple[str, str | None], tuple[Metric, ...]] = attrs.field(
        factory=dict["tuple[str, str | None]", "tuple[Metric, ...]"], init=False
    )

    @classmethod
    def of_request(
        cls,
        service: Service,
        references: Sequence[MetricReference],
        specification_ids: Sequence[str],
        subjects: Iterable[Subject],
    ) -> MetricChoice:
        """Look up what a request names.

        Raises:
            Problem: A metric or a specification does not exist, a score is missing or out of range, or
                nothing is named and the products of the sessions have no specification with a metric.
        """
        product_ids = {subject.product_id for subject in subjects}
        named = {metric.id: metric for metric in (_named(service, one, product_ids) for one in references)}
        _check_specifications(service, specification_ids)
        choice = cls(service=service, named=tuple(named.values()), specification_ids=tuple(specification_ids))
        if not named and not specification_ids and product_ids:
            choice.check_products(product_ids)
        return choice

    def check_products(self, product_ids: Iterable[str]) -> None:
        """Refuse a request that names nothing when there is nothing to follow from either.

        Raises:
            Problem: With status 400.
        """
        statement = (
            "SELECT 1 FROM specification_metrics JOIN specifications ON id = specification_id"
            " WHERE product_id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL"
        )
        if self.service.store.row(statement, (json_array(product_ids),)) is None:
            raise Problem(
                400,
                "metrics or specificationIds are required: no specification of the product has metrics",
            )

    def for_session(self, subject: Subject) -> tuple[Metric, ...]:
        """The metrics of one session, each of them once."""
        key = (subject.product_id, subject.test_id)
        if key not in self._chosen:
            self._chosen[key] = self._choose(subject)
        return self._chosen[key]

    def _choose(self, subject: Subject) -> tuple[Metric, ...]:
        if self.named and not self.specification_ids:
            return self.named
        metrics = {metric.id: metric for metric in self._metrics_of(self._specifications_of(subject))}
        return tuple((metrics | {metric.id: metric for metric in self.named}).values())

    def _specifications_of(self, subject: Subject) -> list[str]:
        if self.service.rules.specification_scope == "request" and self.specification_ids:
            return list(self.specification_ids)
        own = self._own_specifications(subject)
        if not self.specification_ids:
            return own
        return [specification_id for specification_id in own if specification_id in self.specification_ids]

    def _own_specifications(self, subject: Subject) -> list[str]:
        match self.service.rules.specification_scope:
            case "session":
                is_free = subject.test_id is None
                return self._of_product(subject) if is_free else self._of_dataset(subject)
            case "origin":
                return self._of_dataset(subject)[:1] or self._of_product(subject)
            case "strict":
                return self._of_dataset(subject)[:1]
            case "request":
                return self._of_product(subject)

    def _of_product(self, subject: Subject) -> list[str]:
        statement = "SELECT id FROM specifications WHERE product_id = ? AND deleted_at IS NULL ORDER BY rowid"
        return self.service.store.column(statement, (subject.product_id,))

    def _of_dataset(self, subject: Subject) -> list[str]:
        statement = (
            "SELECT specification_id FROM specification_tests JOIN specifications ON id = specification_id"
            " WHERE test_id = ? AND deleted_at IS NULL ORDER BY specifications.rowid"
        )
        return self.service.store.column(statement, (subject.test_id,))

    def _metrics_of(self, specification_ids: Sequence[str]) -> list[Metric]:
        # A specification cannot start a metric whose score only the caller can compute.
        statement = (
            "SELECT DISTINCT metrics.id, metrics.name, metrics.source FROM specification_metrics"
            " JOIN metrics ON metrics.id = metric_id"
            " WHERE specification_id IN (SELECT value FROM json_each(?))"
            " AND deleted_at IS NULL AND disabled_at IS NULL"
            " AND source <> 'SELF_HOSTED' ORDER BY metrics.rowid"
        )
        rows = self.service.store.rows(statement, (json_array(specification_ids),))
        return [Metric(id=identifier, name=name, source=source) for identifier, name, source in rows]


def _named(service: Service, reference: MetricReference, product_ids: Iterable[str]) -> Metric:
    if reference.id is None and reference.name is None:
        raise Problem(400, "Each metric needs an id or a name")
    if reference.score is not None and not 0 <= reference.score <= 1:
        raise Problem(400, "A metric's score must be between 0 and 1")
    statement = (
        "SELECT id, name, source FROM metrics"
        " WHERE deleted_at IS NULL AND (id = ?1 OR (?1 IS NULL AND name = ?2"
        " AND (product_id IS NULL OR product_id IN (SELECT value FROM json_each(?3)))))"
        " ORDER BY product_id IS NULL"
    )
    row = service.store.row(statement, (reference.id, reference.name, json_array(product_ids)))
    if row is None:
        raise Problem(
            service.rules.unknown_metric_status, f"Metrics not found: {reference.id or reference.name}"
        )
    identifier, name, source = row
    if source == "SELF_HOSTED" and reference.score is None:
        raise Problem(400, f"Metric {name!r} is self-hosted: a score is required")
    return Metric(id=identifier, name=name, source=source, score=reference.score)


def _check_specifications(service: Service, specification_ids: Sequence[str]) -> None:
    statement = (
        "SELECT value FROM json_each(?)"
        " WHERE value NOT IN (SELECT id FROM specifications WHERE deleted_at IS NULL)"
    )
    missing = service.store.column(statement, (json_array(specification_ids),))
    if missing:
        raise Problem(404, f"Specifications not found: {', '.join(missing)}")
