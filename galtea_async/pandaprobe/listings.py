"""The lists of PandaProbe that this library walks through."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import frozen

from galtea_async.http.channel import Channel
from galtea_async.models.recorded_session import RecordedSession
from galtea_async.models.session_run import SessionRun
from galtea_async.models.session_score import SessionScore
from galtea_async.pandaprobe.addresses import RUNS
from galtea_async.pandaprobe.filters import RecordedSessionFilters, RunStatusFilter, SessionScoreFilters
from galtea_async.pandaprobe.listing import Listing

__all__ = ["Listings"]

_LEAST_RECENT_FIRST: Final = (("sort_by", "recent"), ("sort_order", "asc"))


@frozen
class Listings:
    """Makes a listing for each noun.

    Args:
        channel: The way to the service.
    """

    channel: Channel

    def session_runs(self) -> Listing[SessionRun]:
        """Return the list of session runs, which comes newest first."""
        return Listing(
            channel=self.channel,
            path=RUNS,
            model=SessionRun,
            filters=RunStatusFilter,
            id_of=_id_of,
            moment_of=_created_at,
        )

    def session_scores(self) -> Listing[SessionScore]:
        """Return the list of session scores, which comes newest first."""
        return Listing(
            channel=self.channel,
            path="/evaluations/session-scores",
            model=SessionScore,
            filters=SessionScoreFilters,
            id_of=_id_of,
            moment_of=_created_at,
        )

    def sessions(self) -> Listing[RecordedSession]:
        """Return the list of sessions. A walk through all takes first whose latest trace is the oldest."""
        return Listing(
            channel=self.channel,
            path="/sessions",
            model=RecordedSession,
            filters=RecordedSessionFilters,
            id_of=_session_id,
            moment_of=_last_trace_at,
            order=_LEAST_RECENT_FIRST,
        )


def _id_of(row: SessionRun | SessionScore) -> str:
    return row.id


def _created_at(row: SessionRun | SessionScore) -> datetime | None:
    return row.created_at


def _session_id(session: RecordedSession) -> str:
    return session.session_id


def _last_trace_at(session: RecordedSession) -> datetime | None:
    return session.last_trace_at
