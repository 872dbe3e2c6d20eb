"""What an exchange means: four outcomes, decided in one place and without any I/O.

| outcome  | when                                                        | repeat               |
|----------|-------------------------------------------------------------|----------------------|
| done     | 2xx with a whole body                                       | no need              |
| rejected | the service answered that it did not do it: 3xx, 4xx        | only a 429, later    |
| not sent | no attempt got a connection                                 | yes                  |
| unknown  | sent, no verdict: lost, 5xx, 1xx, or a 2xx cut short        | a read yes, a write no |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final, cast

import msgspec
from attrs import frozen

from galtea_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DecodeError,
    GalteaError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RequestBlockedError,
    ServerError,
    UnknownOutcomeError,
)
from galtea_async.http.call import Call
from galtea_async.http.exchange import Answer, Exchange, Loss

__all__ = ["Repeat", "Verdict", "judge", "request_id", "unreadable"]

_CREDIT_WORDS: Final = re.compile(r"\b(credits?|quota|payment|billing|subscription)\b", re.IGNORECASE)
_EXISTS_WORDS: Final = re.compile(
    r"with the same\b.*custom|custom.*\b(already exists|with the same)", re.IGNORECASE | re.DOTALL
)
_TAG: Final = re.compile(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_TEXT_LIMIT: Final = 4_000
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


def judge(call: Call[Any], exchange: Exchange) -> Verdict | None:
    """Decide what an exchange means.

    Args:
        call: What was asked.
        exchange: What came of it.

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
        case Answer(status=status) if 300 <= status < 500:
            return _refusal(call, exchange)
        case _:
            return _server_fault(call, exchange)


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


def _server_fault(call: Call[Any], answer: Answer) -> Verdict:
    message = _message(answer)
    if call.is_write:
        return _no_verdict(call, f"{answer.status} {message}", answer.status)
    error = ServerError(
        answer.status, message, request_id(answer.headers), method=call.method, path=call.template
    )
    return Verdict(error, Repeat.SOON)


def _refusal(call: Call[Any], answer: Answer) -> Verdict:
    kind, advice = _kind(answer)
    error = kind(
        answer.status,
        _message(answer),
        request_id(answer.headers),
        method=call.method,
        path=call.template,
        advice=advice,
    )
    return Verdict(error, Repeat.THROTTLED if kind is RateLimitedError else Repeat.NEVER)


def _kind(answer: Answer) -> tuple[type[ApiError], str | None]:
    """Choose the class of a 3xx or 4xx answer, with advice where the class alone gives none."""
    status, message = answer.status, _message(answer)
    if status < 400:
        return ApiError, "redirects are not followed: check base_url"
    if status == 402 or (status in (400, 422, 429) and _CREDIT_WORDS.search(message)):
        return PaymentRequiredError, None
    if status in (413, 414, 431) or (status == 403 and _is_html(answer)):
        return RequestBlockedError, None
    if status == 409 or (status == 400 and _EXISTS_WORDS.search(message)):
        return ConflictError, None
    if status == 404 and _is_html(answer):
        return NotFoundError, "there is no such route: check base_url"
    kinds: dict[int, type[ApiError]] = {
        400: BadRequestError,
        401: AuthenticationError,
        403: PermissionDeniedError,
        404: NotFoundError,
        422: BadRequestError,
        429: RateLimitedError,
    }
    return kinds.get(status, ApiError), None


def _is_html(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the service's own id of a request, or `None` where its answer has none."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)


def _message(answer: Answer) -> str:
    """Find the service's words: `message`, `error` or `detail` of a JSON object, else the text itself."""
    body = answer.body[:_TEXT_LIMIT]
    try:
        decoded = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = None
    if isinstance(decoded, dict):
        fields = cast(dict[str, object], decoded)
        texts = [fields.get(name) for name in ("message", "detail", "error")]
        said = next((text for text in texts if isinstance(text, str) and text.strip()), None)
        if said is not None:
            return said
    text = " ".join(_TAG.sub(" ", body.decode("utf-8", "replace")).split())
    return text or "no message"
