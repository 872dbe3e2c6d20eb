"""`panda.session_metrics`: by what sessions can be evaluated."""

from __future__ import annotations

from typing import final

from attrs import frozen

from galtea_async.http.channel import Channel
from galtea_async.http.requests import list_call
from galtea_async.models.session_metric import SessionMetric

__all__ = ["SessionMetrics"]


@final
@frozen(repr=False)
class SessionMetrics:
    """The endpoint of session metrics; reached as `panda.session_metrics`."""

    _channel: Channel

    async def list(self) -> list[SessionMetric]:
        """List the metrics that the service has for sessions (GET /evaluations/session-metrics).

        Returns:
            All of them, in one answer.

        Raises:
            GalteaError: The call failed; see `galtea_async.errors`.

        Example:
            >>> metrics = await panda.session_metrics.list()
            >>> metrics[0].name, metrics[0].description
            ('agent_reliability', 'How reliably the agent gets through a session.')
        """
        return await self._channel.send(list_call("/evaluations/session-metrics", SessionMetric, ()))
