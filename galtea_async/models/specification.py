"""A specification of a product, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["Specification", "SpecificationType"]


class SpecificationType(OpenEnum):
    """What a specification demands: that the product can do something, cannot, or keeps to a rule.

    Example:
        >>> (await galtea.specifications.list(product_ids=product_id))[0].type
        <SpecificationType.CAPABILITY: 'CAPABILITY'>
    """

    CAPABILITY = "CAPABILITY"
    INABILITY = "INABILITY"
    POLICY = "POLICY"


@define(kw_only=True)
class Specification:
    """One thing that is expected of a product, with the metrics that measure it. Only `id` is certain.

    Whatever the service leaves out is `None`; fields that this library does not know yet are kept in `extra`
    under their wire names. Times are aware, in UTC.

    See GET /specifications/{id}.

    Example:
        >>> (specification,) = await galtea.specifications.list(product_ids=product_id)
        >>> [(await galtea.metrics.get(id)).name for id in specification.metric_ids]
        ['accuracy']
    """

    id: str
    product_id: str | None = None
    name: str | None = None
    description: str | None = None
    type: SpecificationType | None = None
    test_type: str | None = None
    test_variant: str | None = None
    metric_ids: list[str] | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
