"""Every exception of `galtea_async`, in one tree that is split by what the caller can do next.

```text
GalteaError
├── ConfigurationError        fix the settings of the client
├── InvalidRequestError       fix the arguments; nothing was sent              (also a ValueError)
├── LifecycleError            open the client, or use it in its own loop       (also a RuntimeError)
├── TransportError
│   ├── NotSentError          nothing left this machine: repeat it freely
│   ├── NoAnswerError         a read whose answer never came whole: repeat it
│   └── UnknownOutcomeError   a write without a verdict: look before repeating
├── DecodeError               the service answered a read with something unreadable
├── ApiError                  the service said no; nothing was done
│   ├── BadRequestError       400, 422
│   ├── AuthenticationError   401
│   ├── PaymentRequiredError  402, or a refusal that speaks of credits or quota
│   ├── PermissionDeniedError 403
│   ├── RequestBlockedError   a proxy refused the request (403/413/414/431): send a smaller one
│   ├── NotFoundError         404
│   ├── ConflictError         409, or a `customId` that exists
│   ├── RateLimitedError      429, after every permitted wait
│   └── ServerError           5xx to a read
├── BulkEvaluationError       a bulk run ended early; carries its report
└── JournalError              the journal file cannot be used
    └── JournalMismatchError  it belongs to another job
```

Errors are plain data: they pickle, copy and print, and hold no key. Those of aiohttp are never chained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self, TypedDict, Unpack

if TYPE_CHECKING:
    from galtea_async.bulk.report import BulkReport

__all__ = [
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "BulkEvaluationError",
    "ConfigurationError",
    "ConflictError",
    "DecodeError",
    "GalteaError",
    "InvalidRequestError",
    "JournalError",
    "JournalMismatchError",
    "LifecycleError",
    "NoAnswerError",
    "NotFoundError",
    "NotSentError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestBlockedError",
    "ServerError",
    "TransportError",
    "UnknownOutcomeError",
]

_MESSAGE_LIMIT = 500


class _Asked(TypedDict, total=False):
    method: str | None
    path: str | None
    attempts: int
    advice: str | None


class GalteaError(Exception):
    """The root of every error that this library raises.

    `message` says what happened, `advice` what to do; `method`, `path` and `attempts` what was asked.

    Example:
        >>> print(GalteaError("it broke", method="GET", path="/sessions/{id}", attempts=2, advice="mend it"))
        GET /sessions/{id}: it broke (after 2 attempts) -> mend it
    """

    advice_by_default: ClassVar[str | None] = None

    def __init__(self, message: str, **asked: Unpack[_Asked]) -> None:
        super().__init__(message)
        advice = asked.get("advice")
        self.message: str = message
        self.method: str | None = asked.get("method")
        self.path: str | None = asked.get("path")
        self.attempts: int = asked.get("attempts", 0)
        self.advice: str | None = advice if advice is not None else self.advice_by_default

    def __str__(self) -> str:
        asked = f"{self.method} {self.path}: " if self.method else ""
        tries = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        advice = f" -> {self.advice}" if self.advice else ""
        return f"{asked}{self.happened()}{tries}{advice}"

    def happened(self) -> str:
        """Say what happened, without what was asked."""
        return _shorten(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by class and attributes, so that keyword-only arguments survive."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))

    def copy_for(self, *, attempts: int) -> Self:
        """Return the same error with another count."""
        state = {**self.__dict__, "attempts": attempts}
        copied = _rebuild(type(self), self.args, state)
        assert isinstance(copied, type(self))
        return copied


def _rebuild(kind: type[GalteaError], args: tuple[object, ...], state: Mapping[str, object]) -> GalteaError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def _shorten(text: str) -> str:
    """Cut a text that came from elsewhere to what an error message can bear."""
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return flat if len(flat) <= _MESSAGE_LIMIT else f"{flat[:_MESSAGE_LIMIT]}..."


class ConfigurationError(GalteaError):
    """The settings of the client make no sense; raised while it is built.

    Example:
        >>> AsyncGaltea("gsk_key", base_url="not a url")
        Traceback (most recent call last):
        galtea_async.errors.ConfigurationError: base_url must be an http(s) URL with a host, not 'not a url'
    """


class InvalidRequestError(GalteaError, ValueError):
    """The arguments cannot be right; refused before anything was sent.

    Example:
        >>> await galtea.sessions.create()
        Traceback (most recent call last):
        galtea_async.errors.InvalidRequestError: sessions.create needs version_id or product_id
    """


class LifecycleError(GalteaError, RuntimeError):
    """The client is not open, is closed, or belongs to another event loop or process.

    Example:
        >>> closed = AsyncGaltea("gsk_key")
        >>> await closed.sessions.get("session_1")
        Traceback (most recent call last):
        galtea_async.errors.LifecycleError: the client is not open -> use it inside "async with"
    """


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


class NoAnswerError(TransportError):
    """A read was sent and its answer never came whole.

    Example:
        >>> print(NoAnswerError("no answer within 60 s", method="GET", path="/sessions"))
        GET /sessions: no answer within 60 s -> it is safe to call again
    """

    advice_by_default: ClassVar[str | None] = "it is safe to call again"


class UnknownOutcomeError(TransportError):
    """A write was sent without a verdict: time-out, reset, 5xx, or an unreadable 2xx.

    The service may or may not have done the work, so nothing repeats it blindly. The bulk helpers
    look at what exists and send only what is missing. `status` is the HTTP status, where one came.

    Example:
        >>> UnknownOutcomeError("no answer within 60 s").status is None
        True
    """

    advice_by_default: ClassVar[str | None] = "the service may have done it: look before you send it again"

    def __init__(self, message: str, *, status: int | None = None, **asked: Unpack[_Asked]) -> None:
        super().__init__(message, **asked)
        self.status = status


class DecodeError(GalteaError):
    """A 2xx answer to a read that cannot be understood; says where in the answer.

    Example:
        >>> print(DecodeError("expected a string at $[3].id", method="GET", path="/sessions"))
        GET /sessions: expected a string at $[3].id
    """


class ApiError(GalteaError):
    """The service answered that it did not do it; `request_id` is its own id of the request, if it gave one.

    Example:
        >>> try:
        ...     await galtea.sessions.get("session_that_is_not_there")
        ... except ApiError as error:
        ...     print(error.status)
        404
    """

    def __init__(
        self, status: int, message: str, request_id: str | None = None, **asked: Unpack[_Asked]
    ) -> None:
        super().__init__(message, **asked)
        self.status = status
        self.request_id = request_id

    def happened(self) -> str:
        """Say what happened, with the status and the service's id of the request."""
        trace = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.status} {_shorten(self.message)}{trace}"


class BadRequestError(ApiError):
    """400 or 422: the service does not accept the arguments.

    Example:
        >>> print(BadRequestError(400, "Metric not found: tone"))
        400 Metric not found: tone
    """


class AuthenticationError(ApiError):
    """401: the key is missing, wrong or revoked. A bulk run stops at once.

    Example:
        >>> print(AuthenticationError(401, "Invalid API key"))
        401 Invalid API key -> check the API key
    """

    advice_by_default: ClassVar[str | None] = "check the API key"


class PaymentRequiredError(ApiError):
    """402, or a 400, 422 or 429 that speaks of credits or quota. A bulk run stops at once.

    Example:
        >>> print(PaymentRequiredError(402, "Not enough credits"))
        402 Not enough credits -> add credits or wait for the next period, then resume
    """

    advice_by_default: ClassVar[str | None] = "add credits or wait for the next period, then resume"


class PermissionDeniedError(ApiError):
    """403 in JSON: the key may not do this. A bulk run stops at once.

    Example:
        >>> print(PermissionDeniedError(403, "Forbidden"))
        403 Forbidden
    """


class RequestBlockedError(ApiError):
    """A proxy in front of the service refused the request: 403 in HTML, 413, 414 or 431.

    It says nothing about the key. The bulk helpers and `iterate` send a smaller request.

    Example:
        >>> print(RequestBlockedError(414, "Request-URI Too Large"))
        414 Request-URI Too Large -> send a smaller request: fewer ids at once
    """

    advice_by_default: ClassVar[str | None] = "send a smaller request: fewer ids at once"


class NotFoundError(ApiError):
    """404: no such thing, or no such route.

    Example:
        >>> await galtea.sessions.get("session_that_is_not_there")
        Traceback (most recent call last):
        galtea_async.errors.NotFoundError: GET /sessions/{id}: 404 Session session_that_is_not_there not found
    """


class ConflictError(ApiError):
    """409, or the 400 for a `customId` that exists already.

    Example:
        >>> first = await galtea.sessions.create(version_id=version_id, custom_id="chat-1")
        >>> await galtea.sessions.create(version_id=version_id, custom_id="chat-1")
        Traceback (most recent call last):
        galtea_async.errors.ConflictError: POST /sessions: 400 ...
    """


class RateLimitedError(ApiError):
    """429 after every permitted wait, or with one beyond `RetryPolicy.max_retry_after`.

    `retry_after` is the wait that the service asked for, in seconds, where it said so.

    Example:
        >>> RateLimitedError(429, "Too many requests", retry_after=30.0).retry_after
        30.0
    """

    def __init__(
        self,
        status: int,
        message: str,
        request_id: str | None = None,
        *,
        retry_after: float | None = None,
        **asked: Unpack[_Asked],
    ) -> None:
        super().__init__(status, message, request_id, **asked)
        self.retry_after = retry_after


class ServerError(ApiError):
    """5xx to a read, after every permitted attempt.

    Example:
        >>> print(ServerError(502, "Bad Gateway", method="GET", path="/sessions", attempts=5))
        GET /sessions: 502 Bad Gateway (after 5 attempts)
    """


class BulkEvaluationError(GalteaError):
    """A bulk run ended early; `report` has what happened, `reason` is the error that ended it. Resumable.

    Example:
        >>> async with AsyncGaltea("gsk_wrong", base_url=emulator.url) as stranger:
        ...     try:
        ...         await evaluate_sessions(stranger, session_ids)
        ...     except BulkEvaluationError as error:
        ...         print(error.report.sessions_evaluated, type(error.reason).__name__)
        0 AuthenticationError
    """

    advice_by_default: ClassVar[str | None] = (
        "mend the cause and call again with the same journal: what it has is kept"
    )

    def __init__(
        self, message: str, report: BulkReport, reason: GalteaError | None = None, **asked: Unpack[_Asked]
    ) -> None:
        super().__init__(message, **asked)
        self.report = report
        self.reason = reason


class JournalError(GalteaError):
    """The journal file cannot be used: foreign, torn, in use elsewhere, or its disk is full.

    Example:
        >>> _ = (path / "holiday.jpg").write_bytes(b"not a journal")
        >>> await evaluate_sessions(galtea, session_ids, journal=path / "holiday.jpg")
        Traceback (most recent call last):
        galtea_async.errors.JournalError: ...holiday.jpg is not a journal of galtea_async...
    """


class JournalMismatchError(JournalError):
    """The journal belongs to another job; `differences` has name -> (value in the journal, value asked for).

    Example:
        >>> report = await evaluate_sessions(galtea, session_ids, journal=path / "job.db")
        >>> await evaluate_sessions(galtea, session_ids, metrics=["accuracy"], journal=path / "job.db")
        Traceback (most recent call last):
        galtea_async.errors.JournalMismatchError: ...metrics...
    """

    advice_by_default: ClassVar[str | None] = (
        "use another journal file, or call with the settings that it was made with"
    )

    def __init__(self, message: str, differences: Mapping[str, tuple[str, str]] | None = None) -> None:
        super().__init__(message)
        self.differences: dict[str, tuple[str, str]] = dict(differences or {})
