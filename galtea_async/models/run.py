"""A group of evaluations that were started together, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["Run", "RunKind", "RunOpener", "RunStatus"]


class RunStatus(OpenEnum):
    """Where a run is in its life.

    Example:
        >>> RunStatus("RUNNING")
        <RunStatus.RUNNING: 'RUNNING'>
    """

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class RunOpener(OpenEnum):
    """Who opened a run: the caller, or the service for one launch.

    Example:
        >>> RunOpener.CALLER
        <RunOpener.CALLER: 'CALLER'>
    """

    LAUNCH = "LAUNCH"
    CALLER = "CALLER"


class RunKind(OpenEnum):
    """What a run that the service opened does.

    Example:
        >>> RunKind.EVALUATE_SESSION_BATCH
        <RunKind.EVALUATE_SESSION_BATCH: 'EVALUATE_SESSION_BATCH'>
    """

    GENERATE_INFERENCES = "GENERATE_INFERENCES"
    EVALUATE_SESSION = "EVALUATE_SESSION"
    EVALUATE_SESSION_BATCH = "EVALUATE_SESSION_BATCH"
    REPLAY_METRIC = "REPLAY_METRIC"


@define(kw_only=True)
class Run:
    """A group of evaluations that were started together. Only `id` is certain.

    Example:
        >>> Run(id="run_1", kind=RunKind.EVALUATE_SESSION_BATCH).status is None
        True
    """

    id: str
    product_id: str | None = None
    version_id: str | None = None
    user_id: str | None = None
    ordinal: int | None = None
    custom_id: str | None = None
    relaunched_from_run_id: str | None = None
    opened_by: RunOpener | None = None
    status: RunStatus | None = None
    kind: RunKind | None = None
    job_id: str | None = None
    error: str | None = None
    request: JsonValue = None
    resolved_inputs: JsonValue = None
    evaluation_count: int | None = None
    session_count: int | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    deleted_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
