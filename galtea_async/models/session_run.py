"""A run of PandaProbe: the evaluation of a number of sessions, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["SessionRun", "SessionRunStatus"]


class SessionRunStatus(OpenEnum):
    """Where a session run is in its life.

    FAILED may be followed by RUNNING: the service tries a run up to three times, with about ten seconds
    between a failure and the next attempt. `session_runs.wait` knows how to tell.

    Example:
        >>> SessionRunStatus("RUNNING")
        <SessionRunStatus.RUNNING: 'RUNNING'>
        >>> SessionRunStatus.RUNNING.is_ended, SessionRunStatus.COMPLETED.is_ended
        (False, True)
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_ended(self) -> bool:
        """Whether nothing is done for it now; a status that this library does not know counts as open."""
        return self in (SessionRunStatus.COMPLETED, SessionRunStatus.FAILED, SessionRunStatus.CANCELLED)


@define(kw_only=True)
class SessionRun:
    """The evaluation of a number of sessions by PandaProbe. Only `id` is certain.

    `total_targets` counts the sessions, `evaluated_count` those that were gone through, unknown ones and
    failures included, and `failed_count` pairs of a session and a metric without a score. `filters` has all
    ids of a run over ids, under `session_ids`, so that a run over many sessions is a large answer each time.
    `error_message` is for those who run the service; it may show the insides of its database.

    Example:
        >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
        >>> run.total_targets, run.evaluated_count
        (5, 0)
    """

    id: str
    name: str | None = None
    status: SessionRunStatus | None = None
    metric_names: list[str] | None = None
    total_targets: int | None = None
    evaluated_count: int | None = None
    failed_count: int | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    project_id: str | None = None
    target_type: str | None = None
    filters: JsonValue = None
    sampling_rate: float | None = None
    model: str | None = None
    monitor_id: str | None = None
    error_message: str | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
