"""A conversation that PandaProbe has recorded, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.trace import Trace

__all__ = ["RecordedSession"]


@define(kw_only=True)
class RecordedSession:
    """What the traces that share a session id have in common. Only `session_id` is certain.

    There is nothing else to a session: it begins with its first trace, and an id without traces is unknown.
    `traces` has the traces themselves where one session was asked for, and is `None` in lists.

    Example:
        >>> session = await panda.sessions.get(panda_session_ids[0])
        >>> session.trace_count, session.has_error, len(session.traces)
        (1, False, 1)
    """

    session_id: str
    trace_count: int | None = None
    first_trace_at: datetime | None = None
    last_trace_at: datetime | None = None
    total_latency_ms: float | None = None
    has_error: bool | None = None
    user_id: str | None = None
    tags: list[str] | None = None
    total_span_count: int | None = None
    total_tokens: int | None = None
    total_cost: float | None = None
    traces: list[Trace] | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
