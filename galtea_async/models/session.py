"""A recorded conversation, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["Session", "SessionStatus"]


class SessionStatus(OpenEnum):
    """Where a session is in its life: open (PENDING) or closed.

    Example:
        >>> (await galtea.sessions.get(session_ids[0])).status
        <SessionStatus.COMPLETED: 'COMPLETED'>
    """

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@define(kw_only=True)
class Session:
    """A recorded conversation.

    Only `id` is certain; whatever the service leaves out is `None`. Fields that this library does not
    know yet are kept in `extra` under their wire names. Times are aware, in UTC.

    See the API page "Create session" (POST /sessions).

    Example:
        >>> session = await galtea.sessions.get(session_ids[0])
        >>> session.version_id == version_id
        True
    """

    id: str
    version_id: str | None = None
    product_id: str | None = None
    custom_id: str | None = None
    user_id: str | None = None
    test_case_id: str | None = None
    run_id: str | None = None
    context: JsonValue = None
    metadata: JsonValue = None
    status: SessionStatus | None = None
    stopping_reason: str | None = None
    error: str | None = None
    is_production: bool | None = None
    is_seed: bool | None = None
    recording_uri: str | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
