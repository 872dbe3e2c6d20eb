"""The client of the PandaProbe service and its endpoint groups."""

from galtea_async.pandaprobe.client import AsyncPandaProbe
from galtea_async.pandaprobe.filters import (
    RecordedSessionFilters,
    RunStatusFilter,
    SessionRunFilters,
    SessionScoreFilters,
)
from galtea_async.pandaprobe.recorded_sessions import RecordedSessions
from galtea_async.pandaprobe.session_metrics import SessionMetrics
from galtea_async.pandaprobe.session_runs import SessionRuns
from galtea_async.pandaprobe.session_scores import SessionScores
from galtea_async.pandaprobe.traces import Traces

__all__ = [
    "AsyncPandaProbe",
    "RecordedSessionFilters",
    "RecordedSessions",
    "RunStatusFilter",
    "SessionMetrics",
    "SessionRunFilters",
    "SessionRuns",
    "SessionScoreFilters",
    "SessionScores",
    "Traces",
]
