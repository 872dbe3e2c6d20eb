"""One turn of a conversation, as PandaProbe takes and returns it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import define, field, frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum
from galtea_async.models.text import is_id, is_text, why_no_id

__all__ = ["Trace", "TraceInput", "TraceReceipt", "TraceStatus"]

_LONGEST_NAME: Final = 512
_LONGEST_SESSION_ID: Final = 255


class TraceStatus(OpenEnum):
    """How a turn went.

    Example:
        >>> TraceStatus("ERROR")
        <TraceStatus.ERROR: 'ERROR'>
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


@define(kw_only=True)
class Trace:
    """One turn of a recorded conversation. Only `trace_id` is certain.

    Example:
        >>> session = await panda.sessions.get(panda_session_ids[0])
        >>> [(trace.name, trace.status) for trace in session.traces]
        [('turn', <TraceStatus.COMPLETED: 'COMPLETED'>)]
    """

    trace_id: str
    name: str | None = None
    status: TraceStatus | None = None
    input: JsonValue = None
    output: JsonValue = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: list[str] | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])


@define(kw_only=True)
class TraceReceipt:
    """What the service says to a trace that it was sent: it will be stored, under this id.

    Example:
        >>> now = datetime.datetime.now(datetime.UTC)
        >>> receipt = await panda.traces.create(name="turn", started_at=now, session_id="chat-1")
        >>> type(receipt.trace_id)
        <class 'str'>
    """

    trace_id: str
    task_id: str | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])


@frozen(kw_only=True)
class TraceInput:
    """A turn to be recorded (POST /traces).

    Raises:
        InvalidRequestError: A field is something that the service would refuse, or break down over.
    """

    name: str
    started_at: datetime
    session_id: str | None = None
    trace_id: str | None = None
    status: str | None = None
    input: object = None
    output: object = None
    ended_at: datetime | None = None
    user_id: str | None = None
    tags: list[str] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what the service would refuse."""
        _check_length("name", self.name, _LONGEST_NAME)
        if self.session_id is not None:
            _check_length("session_id", self.session_id, _LONGEST_SESSION_ID)
        for name, text in {"trace_id": self.trace_id, "user_id": self.user_id}.items():
            if text is not None and not is_id(text):
                raise InvalidRequestError(f"{name}: an id {why_no_id(text)}")
        for name, moment in {"started_at": self.started_at, "ended_at": self.ended_at}.items():
            _check_moment(name, moment)
        for tag in self.tags or ():
            if not isinstance(tag, str) or not is_text(tag) or "\0" in tag:
                raise InvalidRequestError(f"tags: a tag is a text, not {tag!r}")


def _check_length(name: str, text: object, longest: int) -> None:
    if not is_id(text):
        raise InvalidRequestError(f"{name} {why_no_id(text)}")
    if len(text) > longest:
        raise InvalidRequestError(f"{name} has {len(text)} characters, and {longest} are the most")


def _check_moment(name: str, moment: object) -> None:
    if moment is None and name == "ended_at":
        return
    if not isinstance(moment, datetime):
        raise InvalidRequestError(f"{name} is a datetime, not {moment!r}")
    if moment.utcoffset() is None:
        raise InvalidRequestError(f"{name}: a datetime needs a time zone, {moment.isoformat()} has none")
