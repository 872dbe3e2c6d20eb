"""Finds a run by its name, which the service has no filter for.

The list of runs comes newest first, and each row echoes all ids of its run. So it is read in small pages, and
only back to the moment at which the run can have been made at the earliest.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import Final, final

from attrs import frozen

from galtea_async.http.channel import Channel
from galtea_async.models.session_run import SessionRun
from galtea_async.pandaprobe.listings import Listings

__all__ = ["NamedRuns"]

_PAGE: Final = 10
_MARGIN: Final = 60.0
"""Seconds by which a run may seem older than the request that made it: the clock that dates answers may be a
proxy's, and not the one that dates runs. Too much costs a few pages, too little a second run."""


@final
@frozen
class NamedRuns:
    """The runs of a project, found by name.

    Args:
        channel: The way to the service.
    """

    channel: Channel

    async def find(self, name: str, since: float) -> SessionRun | None:
        """Look for a run.

        Args:
            name: Its name.
            since: When it can have been made at the earliest: seconds since the epoch by the service's clock.

        Returns:
            The run, or `None` where there is none now.

        Raises:
            GalteaError: The service does not tell now.
        """
        rows = Listings(self.channel).session_runs().rows({}, page_size=_PAGE)
        async with aclosing(rows) as runs:
            async for run in runs:
                if run.name == name:
                    return run
                if _was_made_before(run, since - _MARGIN):
                    return None
        return None


def _was_made_before(run: SessionRun, moment: float) -> bool:
    return run.created_at is not None and run.created_at.timestamp() < moment
