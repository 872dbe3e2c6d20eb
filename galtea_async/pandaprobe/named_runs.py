"""Finds a run by its name, which the service has no filter for.

The list of runs comes newest first, and each row echoes all ids of its run. So it is read in small pages, and
only back to the moment at which the run can have been made at the earliest. Runs that others make meanwhile
push rows down onto the next page: pages overlap, and a row that comes twice does no harm. A run that is
deleted meanwhile pulls one up unseen; whoever looks for a run looks several times, so the next look finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from attrs import frozen

from galtea_async.http.channel import Channel
from galtea_async.http.requests import list_call
from galtea_async.http.target import query_of
from galtea_async.models.session_run import SessionRun

__all__ = ["NamedRuns"]

_PAGE: Final = 10
_MARGIN: Final = 2.0
"""Seconds by which a run may seem older than the request that made it: times may lack their fractions."""


@final
@frozen
class NamedRuns:
    """The runs of a project, found by name.

    Args:
        channel: The way to the service.
        metrics: What the runs that are looked for evaluate with.
    """

    channel: Channel
    metrics: Sequence[str]

    async def find(self, name: str, session_ids: Sequence[str], since: float) -> SessionRun | None:
        """Look for a run.

        Args:
            name: Its name.
            session_ids: Its sessions, each once.
            since: When it can have been made at the earliest: seconds since the epoch by the service's clock.

        Returns:
            The run, or `None` where there is none now.

        Raises:
            GalteaError: The service does not tell now.
        """
        offset = 0
        while True:
            page = await self._page(offset)
            for run in page:
                if run.name == name and self._fits(run, session_ids):
                    return run
            if len(page) < _PAGE or _began_before(page[-1], since - _MARGIN):
                return None
            offset += _PAGE - 1

    async def _page(self, offset: int) -> list[SessionRun]:
        parameters = query_of({"limit": _PAGE, "offset": offset})
        return await self.channel.send(list_call("/evaluations/session-runs", SessionRun, parameters))

    def _fits(self, run: SessionRun, session_ids: Sequence[str]) -> bool:
        """Guard against a run that only has the name: it must evaluate the same, where it tells."""
        if run.metric_names is not None and run.metric_names != list(self.metrics):
            return False
        named = run.filters.get("session_ids") if isinstance(run.filters, dict) else None
        return named is None or named == list(session_ids)


def _began_before(run: SessionRun, moment: float) -> bool:
    return run.created_at is not None and run.created_at.timestamp() < moment
