"""What the service answers with, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

__all__ = [
    "Exceeded",
    "Health",
    "Invalid",
    "InvalidField",
    "Metric",
    "OlderRun",
    "Page",
    "Refused",
    "Run",
    "RunStatus",
    "Score",
    "ScoreSource",
    "ScoreStatus",
    "Session",
    "SessionDetail",
    "Trace",
    "TraceReceipt",
    "TraceStatus",
    "built",
    "shape_of_run",
]

RunStatus = Literal["COMPLETED", "FAILED", "PENDING", "RUNNING"]
ScoreStatus = Literal["FAILED", "PENDING", "SUCCESS"]
ScoreSource = Literal["ANNOTATION", "AUTOMATED", "PROGRAMMATIC"]
TraceStatus = Literal["PENDING", "RUNNING", "COMPLETED", "ERROR"]

_Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
_Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
_Object = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]
_Anything = Annotated[msgspec.Raw, Meta(extra_json_schema={"nullable": True})]
_Strings = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "array", "items": {"type": "string"}})]
_Objects = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "array", "items": {"type": "object"}})]
_Item = TypeVar("_Item")


class Refused(msgspec.Struct, kw_only=True, frozen=True):
    """Why a request is refused."""

    detail: str


class InvalidField(msgspec.Struct, kw_only=True, frozen=True):
    """What is wrong with one part of a request."""

    field: str
    message: str


class Invalid(msgspec.Struct, kw_only=True, frozen=True):
    """Why a request is refused, and where it has the wrong form if it has."""

    detail: str
    errors: list[InvalidField] = []


class Exceeded(msgspec.Struct, kw_only=True, frozen=True):
    """Which bound is exceeded: that of the rate in `error`, that of the quota in `detail`."""

    error: str | msgspec.UnsetType = msgspec.UNSET
    detail: str | msgspec.UnsetType = msgspec.UNSET


class Health(msgspec.Struct, kw_only=True, frozen=True):
    """Whether the service is up."""

    status: str
    version: str


class Metric(msgspec.Struct, kw_only=True, frozen=True):
    """A metric of sessions."""

    name: str
    description: str
    category: str


class Run(msgspec.Struct, kw_only=True, frozen=True):
    """A run over sessions. Its filters hold all the ids that it names, in every answer."""

    id: _Id
    name: str | None
    status: RunStatus
    metric_names: list[str]
    total_targets: int
    evaluated_count: int
    failed_count: int
    created_at: _Moment
    completed_at: _Moment | None
    project_id: _Id
    target_type: str = "SESSION"
    filters: _Object
    sampling_rate: float
    model: str | None
    monitor_id: str | None = None
    error_message: str | None


class OlderRun(Run, kw_only=True, frozen=True):
    """A run as older services show it."""

    total_targets: int = msgspec.field(name="total_traces")


class Score(msgspec.Struct, kw_only=True, frozen=True):
    """A session's score by a metric; the value is a decimal number in a string."""

    id: _Id
    session_id: str
    project_id: _Id
    name: str
    data_type: str = "NUMERIC"
    value: str | None
    source: ScoreSource = "AUTOMATED"
    status: ScoreStatus
    eval_run_id: _Id | None
    author_user_id: str | None = None
    reason: str | None
    metadata: _Object
    created_at: _Moment
    updated_at: _Moment


class Trace(msgspec.Struct, kw_only=True, frozen=True):
    """A turn of a session, with the steps that it took."""

    trace_id: _Id
    project_id: _Id
    name: str
    status: TraceStatus
    input: _Anything
    output: _Anything
    metadata: _Object
    started_at: _Moment
    ended_at: _Moment | None
    session_id: str | None
    user_id: str | None
    tags: _Strings
    spans: _Objects


class Session(msgspec.Struct, kw_only=True, frozen=True):
    """What the traces of a session have in common."""

    session_id: str
    trace_count: int
    first_trace_at: _Moment
    last_trace_at: _Moment | None
    total_latency_ms: float | None
    has_error: bool
    user_id: str | None
    tags: list[str]
    total_span_count: int = 0
    total_tokens: int = 0
    total_cost: float = 0.0


class SessionDetail(Session, kw_only=True, frozen=True):
    """A session with its traces."""

    traces: list[Trace]


class TraceReceipt(msgspec.Struct, kw_only=True, frozen=True):
    """What the sender of a trace is told: it will be stored."""

    trace_id: _Id
    task_id: str


class Page(msgspec.Struct, Generic[_Item], kw_only=True, frozen=True):
    """A part of a list, and how long the list is."""

    items: Sequence[_Item]
    total: int
    limit: int
    offset: int


def shape_of_run(count_field: Literal["total_targets", "total_traces"]) -> type[Run]:
    """How a run looks that has its sessions counted under the name that the service's version uses."""
    return Run if count_field == "total_targets" else OlderRun


def built(run: Run, shape: type[Run]) -> Run:
    """A run in a shape."""
    return run if shape is Run else shape(**msgspec.structs.asdict(run))
