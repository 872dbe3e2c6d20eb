"""The filters of the list routes, as typed keywords: the API's parameter names in snake case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias, TypedDict

from galtea_async.models.evaluation import EvaluationStatus
from galtea_async.models.session import SessionStatus
from galtea_async.models.specification import SpecificationType

__all__ = [
    "EvaluationFilters",
    "EvaluationStatuses",
    "InferenceResultFilters",
    "MetricFilters",
    "Moment",
    "OneOrMore",
    "ProductFilters",
    "RunFilters",
    "SessionFilters",
    "SessionStatuses",
    "SpecificationFilters",
    "SpecificationTypes",
    "VersionFilters",
    "names_of",
]

OneOrMore: TypeAlias = str | Iterable[str]
"""One id, or any number of them."""

SessionStatuses: TypeAlias = SessionStatus | str | Iterable[SessionStatus | str]
EvaluationStatuses: TypeAlias = EvaluationStatus | str | Iterable[EvaluationStatus | str]
SpecificationTypes: TypeAlias = SpecificationType | str | Iterable[SpecificationType | str]
Moment: TypeAlias = datetime | str


class SessionFilters(TypedDict, total=False):
    """What `sessions.list` and `sessions.iterate` filter by; each filter narrows the result.

    `from_created_at` and `to_created_at` include their own instant. An empty text in `test_ids` or
    `exclude_test_ids` means "without a test".
    """

    ids: OneOrMore
    custom_ids: OneOrMore
    product_ids: OneOrMore
    version_ids: OneOrMore
    test_case_ids: OneOrMore
    test_ids: OneOrMore
    exclude_test_ids: OneOrMore
    statuses: SessionStatuses
    user_ids: OneOrMore
    run_ids: OneOrMore
    involved_in_run_ids: OneOrMore
    comment_labels: OneOrMore
    from_created_at: Moment
    to_created_at: Moment


class EvaluationFilters(TypedDict, total=False):
    """What `evaluations.list` and `evaluations.iterate` filter by; each filter narrows the result.

    `from_created_at` and `to_created_at` include their own instant. An empty text in `test_ids` or
    `exclude_test_ids` means "without a test". Score bounds run from 0 to 1.
    """

    ids: OneOrMore
    product_ids: OneOrMore
    session_ids: OneOrMore
    inference_result_ids: OneOrMore
    metric_ids: OneOrMore
    metric_group_ids: OneOrMore
    metric_sources: OneOrMore
    test_case_ids: OneOrMore
    test_ids: OneOrMore
    exclude_test_ids: OneOrMore
    version_ids: OneOrMore
    specification_ids: OneOrMore
    run_ids: OneOrMore
    user_ids: OneOrMore
    monitor_ids: OneOrMore
    monitor_alert_ids: OneOrMore
    statuses: EvaluationStatuses
    evaluation_types: OneOrMore
    can_retry: bool
    passed: bool
    human_evaluator_id: str
    include_excluded_from_analytics: bool
    score_gt: float
    score_gte: float
    score_lt: float
    score_lte: float
    human_score_gt: float
    human_score_gte: float
    human_score_lt: float
    human_score_lte: float
    from_created_at: Moment
    to_created_at: Moment


class RunFilters(TypedDict, total=False):
    """What the list of runs filters by; `search` takes `#42` for the run with that number."""

    ids: OneOrMore
    product_ids: OneOrMore
    version_ids: OneOrMore
    custom_ids: OneOrMore
    statuses: OneOrMore
    search: str
    from_created_at: Moment
    to_created_at: Moment


class InferenceResultFilters(TypedDict, total=False):
    """What `inference_results.list` and `.iterate` filter by; each filter narrows the result.

    `from_created_at` and `to_created_at` include their own instant.
    """

    ids: OneOrMore
    session_ids: OneOrMore
    from_created_at: Moment
    to_created_at: Moment


class ProductFilters(TypedDict, total=False):
    """What `products.list` and `.iterate` filter by; each filter narrows the result.

    `from_created_at` and `to_created_at` include their own instant.
    """

    ids: OneOrMore
    names: OneOrMore
    from_created_at: Moment
    to_created_at: Moment


class VersionFilters(TypedDict, total=False):
    """What `versions.list` and `.iterate` filter by; each filter narrows the result.

    `from_created_at` and `to_created_at` include their own instant.
    """

    ids: OneOrMore
    product_ids: OneOrMore
    names: OneOrMore
    parent_version_ids: OneOrMore
    from_created_at: Moment
    to_created_at: Moment


class MetricFilters(TypedDict, total=False):
    """What `metrics.list` and `.iterate` filter by; each filter narrows the result.

    `tags` takes metrics with any of the tags. `include_legacy=False` leaves out metrics that were replaced,
    which the service includes by default. `from_created_at` and `to_created_at` include their own instant.
    """

    ids: OneOrMore
    names: OneOrMore
    product_ids: OneOrMore
    specification_ids: OneOrMore
    tags: OneOrMore
    include_legacy: bool
    include_excluded_from_analytics: bool
    from_created_at: Moment
    to_created_at: Moment


class SpecificationFilters(TypedDict, total=False):
    """What `specifications.list` and `.iterate` filter by; each filter narrows the result.

    `name` takes a part of a name, in any case of letters. `from_created_at` and `to_created_at` include their
    own instant.
    """

    ids: OneOrMore
    product_ids: OneOrMore
    types: SpecificationTypes
    test_types: OneOrMore
    name: str
    from_created_at: Moment
    to_created_at: Moment


def names_of(filters: type) -> frozenset[str]:
    """Return the names of the filters that a class of them declares."""
    return frozenset(filters.__annotations__)
