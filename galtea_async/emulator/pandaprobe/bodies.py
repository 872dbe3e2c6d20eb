"""The bodies that requests carry, and how a body with the wrong form is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from galtea_async.emulator.pandaprobe.problems import validation_error
from galtea_async.emulator.pandaprobe.wire import TraceStatus

if TYPE_CHECKING:
    from galtea_async.emulator.routes import Call

__all__ = ["NewBatchRun", "NewFilteredRun", "NewTrace", "SessionFilters", "body_of"]

_Shape = TypeVar("_Shape", bound=msgspec.Struct)
_Names = Annotated[list[str], msgspec.Meta(min_length=1)]

_MISSING_FIELD = re.compile(r"Object missing required field `(?P<name>\w+)`")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>[^\]]+)\]")


class NewBatchRun(msgspec.Struct, kw_only=True):
    """A run over sessions that are named."""

    session_ids: _Names
    metrics: _Names
    name: str | None = None
    model: str | None = None
    signal_weights: dict[str, float] | None = None


class SessionFilters(msgspec.Struct, kw_only=True):
    """Which sessions a run is about."""

    date_from: str | None = None
    date_to: str | None = None
    user_id: str | None = None
    has_error: bool | None = None
    tags: list[str] | None = None
    min_trace_count: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)] | None = None


class NewFilteredRun(msgspec.Struct, kw_only=True):
    """A run over the sessions that some filters let through."""

    metrics: _Names
    name: str | None = None
    filters: SessionFilters = msgspec.field(default_factory=SessionFilters)
    sampling_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    model: str | None = None
    signal_weights: dict[str, float] | None = None


class NewTrace(msgspec.Struct, kw_only=True):
    """One turn of a session. What the emulator does nothing with may be sent too."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    started_at: str
    session_id: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    trace_id: str | None = None
    status: TraceStatus = "COMPLETED"
    input: object = None
    output: object = None
    ended_at: str | None = None
    user_id: str | None = None
    tags: list[str] = msgspec.field(default_factory=list[str])
    metadata: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    spans: Annotated[list[dict[str, object]], msgspec.Meta(max_length=500)] = msgspec.field(
        default_factory=list[dict[str, object]]
    )


def body_of(call: Call, shape: type[_Shape]) -> _Shape:
    """Read a call's body; fields that the shape does not know are ignored.

    Raises:
        Refusal: With status 422 and the path to the first field that is wrong.
    """
    try:
        return msgspec.convert(call.payload, shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        missing = _MISSING_FIELD.match(message)
        steps = _steps(path)
        if missing is not None:
            raise validation_error(" -> ".join([*steps, missing["name"]]), "Field required") from None
        raise validation_error(" -> ".join(steps), message) from None


def _steps(path: str) -> list[str]:
    return [step["name"] or step["index"] for step in _STEP.finditer(path)]
