"""A metric by which PandaProbe evaluates sessions, as the service returns it."""

from __future__ import annotations

from attrs import define, field

from galtea_async.models.json_value import JsonValue

__all__ = ["SessionMetric"]


@define(kw_only=True)
class SessionMetric:
    """A metric by which sessions are evaluated. Only `name`, by which runs name it, is certain.

    Example:
        >>> [metric.name for metric in await panda.session_metrics.list()]
        ['agent_reliability', 'agent_consistency']
    """

    name: str
    description: str | None = None
    category: str | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
