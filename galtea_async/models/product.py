"""A product, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["AutoCloseScope", "ClosedSessionPolicy", "Product"]


class AutoCloseScope(OpenEnum):
    """Which idle sessions of a product the service closes by itself.

    Example:
        >>> AutoCloseScope("PRODUCTION").is_known
        True
    """

    NONE = "NONE"
    DEVELOPMENT = "DEVELOPMENT"
    PRODUCTION = "PRODUCTION"
    ALL = "ALL"


class ClosedSessionPolicy(OpenEnum):
    """What becomes of a turn that is added to a closed session.

    `REJECT` answers 400, `IGNORE` answers with success and stores nothing, `REOPEN_AND_REEVALUATE` stores it
    and opens the session again.

    Example:
        >>> ClosedSessionPolicy("REJECT").is_known
        True
    """

    REJECT = "REJECT"
    IGNORE = "IGNORE"
    REOPEN_AND_REEVALUATE = "REOPEN_AND_REEVALUATE"


@define(kw_only=True)
class Product:
    """A product, whose versions have sessions. Only `id` is certain.

    Whatever the service leaves out is `None`; fields that this library does not know yet are kept in `extra`
    under their wire names. Times are aware, in UTC; `auto_close_inactivity_minutes` is in minutes.

    See GET /products/{id}.

    Example:
        >>> product = await galtea.products.get(product_id)
        >>> product.id == product_id
        True
    """

    id: str
    name: str | None = None
    organization_id: str | None = None
    description: str | None = None
    risk_level: str | None = None
    operator_type: str | None = None
    interaction_mode: str | None = None
    primary_task: str | None = None
    capabilities: str | None = None
    policies: str | None = None
    inabilities: str | None = None
    auto_close_scope: AutoCloseScope | None = None
    auto_close_inactivity_minutes: float | None = None
    closed_session_inference_creation_policy: ClosedSessionPolicy | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
