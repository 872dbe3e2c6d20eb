"""What a client tells its observers: one frozen record for each step of a call.

    Queued ─► Sent ─► Answered ─┬─► Done
      ▲                         │
      └────── Retrying ◄────────┘         and Resting, when the service asks the whole client to wait

An observer is any callable that takes one record. It is called in the loop of the client, between two steps
of a request, so it should be quick; what it raises is logged, and harms no request. Without observers, and
with the logger `galtea_async` at WARNING or above, no record is made at all.

No record holds a key, a header or a body, and paths are templates such as `/sessions/{id}`. What the service
itself says in a refusal is passed on, and may name an id.

Example:
    >>> from galtea_async.events import Event, Retrying
    >>> def tell(event: Event) -> None:
    ...     if isinstance(event, Retrying):
    ...         print(f"{event.path}: again in {event.delay:.1f} s, because {event.reason}")
    >>> observed = AsyncGaltea(emulator.api_key, base_url=emulator.url, observers=[tell])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

__all__ = ["Answered", "Done", "Event", "Observer", "Queued", "Resting", "Retrying", "Sent"]


@frozen(kw_only=True)
class Queued:
    """An attempt waits for its turn; often for no time at all.

    Attributes:
        call: The number of the call within its client; the same in all records of the call.
        method: The HTTP method.
        path: The path template.
        attempt: The number of the attempt, from 1.

    Example:
        >>> from galtea_async.events import Queued
        >>> Queued(call=7, method="GET", path="/sessions/{id}", attempt=1).attempt
        1
    """

    call: int
    method: str
    path: str
    attempt: int


@frozen(kw_only=True)
class Sent:
    """An attempt has its turn and goes out.

    Attributes:
        call: The number of the call within its client.
        method: The HTTP method.
        path: The path template.
        attempt: The number of the attempt, from 1.
        waited: Seconds that it waited for its turn.

    Example:
        >>> from galtea_async.events import Sent
        >>> Sent(call=7, method="GET", path="/sessions/{id}", attempt=1, waited=0.25).waited
        0.25
    """

    call: int
    method: str
    path: str
    attempt: int
    waited: float


@frozen(kw_only=True)
class Answered:
    """An attempt has ended: with an answer, or with the certainty that none will come.

    Attributes:
        call: The number of the call within its client.
        method: The HTTP method.
        path: The path template.
        attempt: The number of the attempt, from 1.
        status: The HTTP status; `None` where no answer came.
        request_id: The service's own id of the request, where it gave one.
        seconds: How long the exchange took, without the wait before it.
        problem: What went wrong; `None` where nothing did.

    Example:
        >>> from galtea_async.events import Answered
        >>> Answered(call=7, method="GET", path="/sessions/{id}", attempt=1, status=200, seconds=0.05).problem
    """

    call: int
    method: str
    path: str
    attempt: int
    status: int | None
    request_id: str | None = None
    seconds: float
    problem: str | None = None


@frozen(kw_only=True)
class Retrying:
    """A call will be tried again; told before the wait begins.

    Attributes:
        call: The number of the call within its client.
        method: The HTTP method.
        path: The path template.
        attempt: The number of the attempt that failed, from 1.
        delay: Seconds until the call takes its place in the line again.
        reason: Why the attempt failed.

    Example:
        >>> from galtea_async.events import Retrying
        >>> Retrying(call=7, method="GET", path="/runs", attempt=1, delay=0.2, reason="502 Bad Gateway").delay
        0.2
    """

    call: int
    method: str
    path: str
    attempt: int
    delay: float
    reason: str


@frozen(kw_only=True)
class Resting:
    """The service asked to be left alone, and no request of the client leaves before that time is over.

    Attributes:
        seconds: For how long, from now on.
        reason: What it said.

    Example:
        >>> from galtea_async.events import Resting
        >>> Resting(seconds=30.0, reason="429 Too many requests").seconds
        30.0
    """

    seconds: float
    reason: str


@frozen(kw_only=True)
class Done:
    """A call has ended.

    Attributes:
        call: The number of the call within its client.
        method: The HTTP method.
        path: The path template.
        attempts: How many attempts it took.
        seconds: How long it took, all waits included.
        error: What the caller gets instead of a result, a cancel included; `None` where it gets one.

    Example:
        >>> from galtea_async.events import Done
        >>> Done(call=7, method="GET", path="/sessions/{id}", attempts=1, seconds=0.05).error is None
        True
    """

    call: int
    method: str
    path: str
    attempts: int
    seconds: float
    error: BaseException | None = None


Event: TypeAlias = Queued | Sent | Answered | Retrying | Resting | Done
"""What an observer gets."""

Observer: TypeAlias = Callable[[Event], None]
"""What is told."""
