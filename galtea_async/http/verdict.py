"""What an exchange means: four outcomes, decided in one place and without any I/O.

| outcome  | when                                                        | repeat               |
|----------|-------------------------------------------------------------|----------------------|
| done     | 2xx with a whole body                                       | no need              |
| rejected | the service answered that it did not do it: 3xx, 4xx        | only a 429, later    |
| not sent | no attempt got a connection                                 | yes                  |
| unknown  | sent, no verdict: lost, 5xx, 408, 1xx, or a 2xx cut short   | a read yes, a write no |

A 408 should say that the request did not arrive whole. Proxies also say it when they have waited too long for
the service behind them, which may go on working; so it is worth no more than a 504.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from attrs import frozen

from galtea_async.errors import (
    DecodeError,
    GalteaError,
    NoAnswerError,
    NotSentError,
    RateLimitedError,
    ServerError,
    UnknownOutcomeError,
)
from galtea_async.http.call import Call
from galtea_async.http.dialect import Dialect
from galtea_async.http.exchange import Answer, Exchange, Loss

__all__ = ["Repeat", "Verdict", "judge", "request_id", "unreadable"]

_GAVE_UP_WAITING: Final = 408
_REQUEST_ID_HEADERS: Final = ("x-request-id", "x-correlation-id", "x-amzn-trace-id", "cf-ray")


class Repeat(Enum):
    """Whether, and how patiently, the request may be sent again."""

    NEVER = auto()
    SOON = auto()
    THROTTLED = auto()


@frozen
class Verdict:
    """What went wrong, and whether repeating is safe."""

    error: GalteaError
    repeat: Repeat


def judge(call: Call[Any], exchange: Exchange, refusals: Dialect) -> Verdict | None:
    """Decide what an exchange means.

    Args:
        call: What was asked.
        exchange: What came of it.
        refusals: How the service words what it refuses.

    Returns:
        `None` where it was done, else the verdict.
    """
    match exchange:
        case Loss(sends=0):
            return Verdict(_not_sent(call, exchange.reason), Repeat.SOON)
        case Loss():
            return _no_verdict(call, exchange.reason, None)
        case Answer(status=status) if 200 <= status < 300:
            return None if exchange.problem is None else _no_verdict(call, exchange.problem, status)
        case Answer(status=status) if 300 <= status < 500 and status != _GAVE_UP_WAITING:
            return _refusal(call, exchange, refusals)
        case _:
            return _server_fault(call, exchange, refusals.message_of(exchange))


def unreadable(call: Call[Any], problem: str, status: int) -> Verdict:
    """Decide what a 2xx answer means that cannot be decoded: for a write, nothing is known."""
    reason = f"unreadable answer: {problem}"
    if call.is_write:
        return _no_verdict(call, reason, status)
    return Verdict(DecodeError(reason, method=call.method, path=call.template), Repeat.SOON)


def _not_sent(call: Call[Any], reason: str) -> NotSentError:
    return NotSentError(reason, method=call.method, path=call.template)


def _no_verdict(call: Call[Any], reason: str, status: int | None) -> Verdict:
    if call.is_write:
        error = UnknownOutcomeError(reason, status=status, method=call.method, path=call.template)
        return Verdict(error, Repeat.NEVER)
    return Verdict(NoAnswerError(reason, method=call.method, path=call.template), Repeat.SOON)


def _server_fault(call: Call[Any], answer: Answer, message: str) -> Verdict:
    if call.is_write:
        return _no_verdict(call, f"{answer.status} {message}", answer.status)
    error = ServerError(
        answer.status, message, request_id(answer.headers), method=call.method, path=call.template
    )
    return Verdict(error, Repeat.SOON)


def _refusal(call: Call[Any], answer: Answer, refusals: Dialect) -> Verdict:
    kind, advice = refusals.kind_of(answer)
    error = kind(
        answer.status,
        refusals.message_of(answer),
        request_id(answer.headers),
        method=call.method,
        path=call.template,
        advice=advice,
    )
    return Verdict(error, Repeat.THROTTLED if kind is RateLimitedError else Repeat.NEVER)


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the service's own id of a request, or `None` where its answer has none."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
