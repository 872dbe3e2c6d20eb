"""No verdict came: what was not sent, not answered, not understood or of unknown outcome."""

from __future__ import annotations

from typing import ClassVar, Unpack

from galtea_async.errors.root import Asked, GalteaError

__all__ = [
    "DecodeError",
    "NoAnswerError",
    "NotSentError",
    "TransportError",
    "UnknownOutcomeError",
    "WouldWaitError",
]


class TransportError(GalteaError):
    """No verdict came from the service; its three subclasses say what that means for you.

    Example:
        >>> issubclass(UnknownOutcomeError, TransportError)
        True
    """


class NotSentError(TransportError):
    """The request provably never left: refused connection, DNS, TLS, or no slot in time.

    Example:
        >>> print(NotSentError("could not connect", method="POST", path="/sessions"))
        POST /sessions: could not connect -> nothing was sent; it is safe to call again
    """

    advice_by_default: ClassVar[str | None] = "nothing was sent; it is safe to call again"


class WouldWaitError(NotSentError):
    """The request's turn did not come, or could not come, within the time that the caller gave it.

    Raised for `Timeout.queue`, for `RetryPolicy.deadline`, and where the service asked for a longer rest than
    `RetryPolicy.max_retry_after`. `wait` is how many seconds more it would have been at least; `None` where
    that depends on the other requests of the client.

    Example:
        >>> impatient = galtea.with_options(timeout=Timeout(queue=0))
        >>> (await impatient.sessions.get(session_ids[0])).id == session_ids[0]
        True
        >>> WouldWaitError("no free slot").wait is None
        True
    """

    advice_by_default: ClassVar[str | None] = "nothing was sent; call again later, or allow a longer wait"

    def __init__(self, message: str, *, wait: float | None = None, **asked: Unpack[Asked]) -> None:
        super().__init__(message, **asked)
        self.wait = wait


class NoAnswerError(TransportError):
    """A read was sent and its answer never came whole.

    Example:
        >>> print(NoAnswerError("no answer within 60 s", method="GET", path="/sessions"))
        GET /sessions: no answer within 60 s -> it is safe to call again
    """

    advice_by_default: ClassVar[str | None] = "it is safe to call again"


class UnknownOutcomeError(TransportError):
    """A write was sent without a verdict: time-out, reset, 5xx, 408, or an unreadable 2xx.

    The service may or may not have done the work, so nothing repeats it blindly. The bulk helpers
    look at what exists and send only what is missing. `status` is the HTTP status, where one came.

    Example:
        >>> UnknownOutcomeError("no answer within 60 s").status is None
        True
    """

    advice_by_default: ClassVar[str | None] = "the service may have done it: look before you send it again"

    def __init__(self, message: str, *, status: int | None = None, **asked: Unpack[Asked]) -> None:
        super().__init__(message, **asked)
        self.status = status


class DecodeError(GalteaError):
    """A 2xx answer to a read that cannot be understood; says where in the answer.

    Example:
        >>> print(DecodeError("expected a string at $[3].id", method="GET", path="/sessions"))
        GET /sessions: expected a string at $[3].id
    """
