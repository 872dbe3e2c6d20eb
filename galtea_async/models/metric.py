"""A metric of the catalogue, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue

__all__ = ["Metric"]


@define(kw_only=True)
class Metric:
    """A metric that sessions can be evaluated with. Only `id` is certain.

    Example:
        >>> Metric(id="metric_1", name="accuracy").name
        'accuracy'
    """

    id: str
    name: str | None = None
    organization_id: str | None = None
    product_id: str | None = None
    metric_group_id: str | None = None
    description: str | None = None
    source: str | None = None
    judge_prompt: str | None = None
    evaluation_params: JsonValue = None
    tags: list[str] | None = None
    pass_threshold: float | None = None
    applicability_scope: JsonValue = None
    applicability_threshold: float | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    legacy_at: datetime | None = None
    disabled_at: datetime | None = None
    excluded_from_analytics_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
