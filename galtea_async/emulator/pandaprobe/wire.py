"""What the service answers with, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

__all__ = [
    "Health",
    "Metric",
    "Page",
    "Run",
    "Score",
    "Session",
    "SessionDetail",
    "Trace",
    "TraceReceipt",
    "built",
]


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

    id: str
    name: str | None
    status: str
    metric_names: list[str]
    total_targets: int
    evaluated_count: int
    failed_count: int
    created_at: str
    completed_at: str | None
    project_id: str
    target_type: str = "SESSION"
    filters: msgspec.Raw
    sampling_rate: float
    model: str | None
    monitor_id: str | None = None
    error_message: str | None


class Score(msgspec.Struct, kw_only=True, frozen=True):
    """A session's score by a metric; the value is a decimal number in a string."""

    id: str
    session_id: str
    project_id: str
    name: str
    data_type: str = "NUMERIC"
    value: str | None
    source: str = "AUTOMATED"
    status: str
    eval_run_id: str | None
    author_user_id: str | None = None
    reason: str | None
    metadata: msgspec.Raw
    created_at: str
    updated_at: str


class Trace(msgspec.Struct, kw_only=True, frozen=True):
    """A turn of a session."""

    trace_id: str
    name: str
    status: str
    input: msgspec.Raw
    output: msgspec.Raw
    started_at: str
    ended_at: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str]


class Session(msgspec.Struct, kw_only=True, frozen=True):
    """What the traces of a session have in common."""

    session_id: str
    trace_count: int
    first_trace_at: str
    last_trace_at: str | None
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

    trace_id: str
    task_id: str


class Page(msgspec.Struct, kw_only=True, frozen=True):
    """A part of a list, and how long the list is."""

    items: Sequence[object]
    total: int
    limit: int
    offset: int


def built(run: Run, count_field: Literal["total_targets", "total_traces"]) -> object:
    """A run with its sessions counted under the name that the service's version uses."""
    if count_field == "total_targets":
        return run
    fields = {name: getattr(run, name) for name in run.__struct_fields__}
    return {count_field if name == "total_targets" else name: value for name, value in fields.items()}
