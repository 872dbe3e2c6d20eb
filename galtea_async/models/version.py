"""A version of a product, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue

__all__ = ["Version"]


@define(kw_only=True)
class Version:
    """A version of a product. Only `id` is certain.

    Example:
        >>> Version(id="version_1", product_id="product_1").product_id
        'product_1'
    """

    id: str
    name: str | None = None
    product_id: str | None = None
    number: int | None = None
    description: str | None = None
    system_prompt: str | None = None
    model_id: str | None = None
    parent_version_id: str | None = None
    facts: JsonValue = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
