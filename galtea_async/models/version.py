"""A version of a product, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue

__all__ = ["Version"]


@define(kw_only=True)
class Version:
    """A version of a product. Only `id` is certain.

    Whatever the service leaves out is `None`; fields that this library does not know yet are kept in `extra`
    under their wire names. Times are aware, in UTC. `number` counts the versions of a product from 1; `facts`
    are texts by name, which no other version of the product has.

    See GET /versions/{id}.

    Example:
        >>> version = await galtea.versions.get(version_id)
        >>> version.product_id == product_id
        True
    """

    id: str
    name: str | None = None
    product_id: str | None = None
    number: int | None = None
    description: str | None = None
    system_prompt: str | None = None
    model_id: str | None = None
    dataset_description: str | None = None
    dataset_uri: str | None = None
    guardrails: str | None = None
    parent_version_id: str | None = None
    facts: JsonValue = None
    conversation_endpoint_connection_id: str | None = None
    initialization_endpoint_connection_id: str | None = None
    finalization_endpoint_connection_id: str | None = None
    phone_connection_id: str | None = None
    web_rtc_connection_id: str | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
