"""The client of the Galtea service and its endpoint groups."""

from galtea_async.galtea.client import AsyncGaltea
from galtea_async.galtea.evaluations import Evaluations
from galtea_async.galtea.filters import EvaluationFilters, SessionFilters
from galtea_async.galtea.runs import Runs
from galtea_async.galtea.sessions import Sessions
from galtea_async.galtea.waiting import EvaluationWatch, wait_for_evaluations, watch_evaluations

__all__ = [
    "AsyncGaltea",
    "EvaluationFilters",
    "EvaluationWatch",
    "Evaluations",
    "Runs",
    "SessionFilters",
    "Sessions",
    "wait_for_evaluations",
    "watch_evaluations",
]
