"""A metric of the catalogue, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["Metric", "MetricScope", "MetricSource"]


class MetricSource(OpenEnum):
    """Who or what scores with a metric.

    Example:
        >>> (await galtea.metrics.get(metric_id)).source.is_known
        True
    """

    SELF_HOSTED = "SELF_HOSTED"
    FULL_PROMPT = "FULL_PROMPT"
    PARTIAL_PROMPT = "PARTIAL_PROMPT"
    HUMAN_EVALUATION = "HUMAN_EVALUATION"
    GEVAL = "GEVAL"
    DEEPEVAL = "DEEPEVAL"
    DETERMINISTIC = "DETERMINISTIC"
    CLASSIFIER = "CLASSIFIER"


class MetricScope(OpenEnum):
    """For which sessions the service first checks whether a metric applies to them.

    Example:
        >>> MetricScope("PRODUCTION").is_known
        True
    """

    NONE = "NONE"
    DEVELOPMENT = "DEVELOPMENT"
    PRODUCTION = "PRODUCTION"
    ALL = "ALL"


@define(kw_only=True)
class Metric:
    """A metric that sessions can be evaluated with. Only `id` is certain.

    Whatever the service leaves out is `None`; fields that this library does not know yet are kept in `extra`
    under their wire names. Times are aware, in UTC. Both thresholds run from 0 to 1. A metric that is changed
    becomes another one with the same `metric_group_id`, and the old one gets a `legacy_at`.

    See GET /metrics/{id}.

    Example:
        >>> (await galtea.metrics.get(metric_id)).name
        'Politeness'
    """

    id: str
    name: str | None = None
    organization_id: str | None = None
    product_id: str | None = None
    metric_group_id: str | None = None
    description: str | None = None
    documentation_url: str | None = None
    source: MetricSource | None = None
    judge_prompt: str | None = None
    judge_generation_settings: JsonValue = None
    classifier_question: JsonValue = None
    evaluator_model_name: str | None = None
    evaluation_params: list[str] | None = None
    user_group_ids: list[str] | None = None
    tags: list[str] | None = None
    pass_threshold: float | None = None
    applicability_scope: MetricScope | None = None
    applicability_threshold: float | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    legacy_at: datetime | None = None
    disabled_at: datetime | None = None
    excluded_from_analytics_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
