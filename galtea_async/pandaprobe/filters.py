"""The filters of the lists and of runs, as typed keywords: the API's parameter names.

The service ignores a parameter that it does not know, and then gives everything. So what is not named here
is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypedDict, cast

from galtea_async.errors import InvalidRequestError
from galtea_async.http.target import Parameter, query_of
from galtea_async.models.session_run import SessionRunStatus
from galtea_async.models.session_score import SessionScoreSource, SessionScoreStatus
from galtea_async.pandaprobe.arguments import checked_text, checked_texts, checked_whole_number

__all__ = [
    "RecordedSessionFilters",
    "RunStatusFilter",
    "SessionRunFilters",
    "SessionScoreFilters",
    "parameters_of",
    "run_filters",
]


class RunStatusFilter(TypedDict, total=False):
    """What `session_runs.list` and `.iterate` filter by; the service knows nothing else."""

    status: SessionRunStatus | str


class SessionRunFilters(TypedDict, total=False):
    """Which sessions a run of `session_runs.create` is about; each filter narrows the choice.

    `date_from` includes its own instant, `date_to` does not; `tags` takes sessions with any of the tags.
    """

    date_from: datetime
    date_to: datetime
    user_id: str
    has_error: bool
    tags: Iterable[str]
    min_trace_count: int


class SessionScoreFilters(TypedDict, total=False):
    """What `session_scores.list` and `.iterate` filter by; each filter narrows the result.

    `name` is the metric's. `date_from` includes its own instant, `date_to` does not; both are about the time
    at which a score was made.
    """

    session_id: str
    name: str
    source: SessionScoreSource | str
    status: SessionScoreStatus | str
    eval_run_id: str
    date_from: datetime
    date_to: datetime


class RecordedSessionFilters(TypedDict, total=False):
    """What `sessions.list` and `.iterate` filter by; each filter narrows the result.

    `query` takes a part of a session's id. `tags` takes sessions with any of the tags.
    """

    user_id: str
    has_error: bool
    started_after: datetime
    started_before: datetime
    tags: Iterable[str]
    query: str


def parameters_of(kind: type, filters: Mapping[str, object], *, route: str) -> list[Parameter]:
    """Turn filters into parameters.

    Args:
        kind: The class that declares the filters of the route.
        filters: Those that were given; `None` leaves one out.
        route: What they are for, for messages.

    Returns:
        The parameters, in the order in which the class declares them.

    Raises:
        TypeError: There is no such filter.
        InvalidRequestError: A value cannot be sent, or has a wrong type.
    """
    return query_of(_checked(kind, filters, route))


def run_filters(filters: SessionRunFilters) -> dict[str, object]:
    """Return the `filters` of a run's body.

    Raises:
        TypeError: There is no such filter.
        InvalidRequestError: A value has a wrong type.
    """
    return _checked(SessionRunFilters, filters, "session_runs.create")


def _checked(kind: type, filters: Mapping[str, object], route: str) -> dict[str, object]:
    known = list(kind.__annotations__)
    unknown = next((name for name in filters if name not in known), None)
    if unknown is not None:
        raise TypeError(f"{route} has no filter {unknown!r}; it has: {', '.join(sorted(known))}")
    given = {name: filters[name] for name in known if filters.get(name) is not None}
    return {name: _CHECKS.get(name, checked_text)(name, cast(Any, value)) for name, value in given.items()}


def _moment(name: str, value: object) -> datetime:
    if not isinstance(value, datetime):
        raise InvalidRequestError(f"{name} is a datetime, not {value!r}")
    if value.utcoffset() is None:
        raise InvalidRequestError(f"{name}: a datetime needs a time zone, {value.isoformat()} has none")
    return value


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{name} is True or False, not {value!r}")
    return value


def _count(name: str, value: int) -> int:
    return checked_whole_number(name, value, at_least=1)


_CHECKS: Final[dict[str, Callable[[str, Any], object]]] = {
    "date_from": _moment,
    "date_to": _moment,
    "started_after": _moment,
    "started_before": _moment,
    "has_error": _truth,
    "tags": checked_texts,
    "min_trace_count": _count,
}
