"""A group of evaluations that were started together, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field, frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum
from galtea_async.models.text import is_id, why_no_id

__all__ = ["Run", "RunInput", "RunKind", "RunOpener", "RunStatus"]


class RunStatus(OpenEnum):
    """Where a run is in its life; what is unknown counts as still open.

    Example:
        >>> RunStatus("RUNNING")
        <RunStatus.RUNNING: 'RUNNING'>
        >>> RunStatus.RUNNING.is_ended, RunStatus.COMPLETED.is_ended, RunStatus("PAUSED").is_ended
        (False, True, False)
    """

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_ended(self) -> bool:
        """Whether nothing can be added to it any more."""
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


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


@frozen(kw_only=True)
class RunInput:
    """A run to be opened (POST /runs).

    Attributes:
        product_id: The product.
        version_id: The version; the run then takes work of this version only.
        custom_id: The caller's own id of it, unique among the product's runs.

    Raises:
        InvalidRequestError: One of them is no id.
    """

    product_id: str
    version_id: str | None = None
    custom_id: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what the service would refuse."""
        optional = {"version_id": self.version_id, "custom_id": self.custom_id}
        given = {name: value for name, value in optional.items() if value is not None}
        for name, value in {"product_id": self.product_id, **given}.items():
            if not is_id(value):
                raise InvalidRequestError(f"{name}: an id {why_no_id(value)}")
