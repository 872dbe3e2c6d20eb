"""The service answered that it did not do it: a class for each way to go on."""

from __future__ import annotations

from typing import ClassVar, Unpack

from galtea_async.errors.root import Asked, GalteaError, shortened

__all__ = [
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestBlockedError",
    "ServerError",
]


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
        self, status: int, message: str, request_id: str | None = None, **asked: Unpack[Asked]
    ) -> None:
        super().__init__(message, **asked)
        self.status = status
        self.request_id = request_id

    def happened(self) -> str:
        """Say what happened, with the status and the service's id of the request."""
        trace = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.status} {shortened(self.message)}{trace}"


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
        **asked: Unpack[Asked],
    ) -> None:
        super().__init__(status, message, request_id, **asked)
        self.retry_after = retry_after


class ServerError(ApiError):
    """5xx to a read, after every permitted attempt; or 408, which proxies say for 504.

    Example:
        >>> print(ServerError(502, "Bad Gateway", method="GET", path="/sessions", attempts=5))
        GET /sessions: 502 Bad Gateway (after 5 attempts)
    """
