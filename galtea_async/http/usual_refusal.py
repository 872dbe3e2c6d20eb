"""How refusals are usually worded: which error a 3xx or 4xx answer is, and what the service says in it.

A provider with ways of its own reads its refusals itself, with the parts from here that fit; see `Dialect`.
"""

from __future__ import annotations

import re
from typing import Final, cast

import msgspec

from galtea_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RequestBlockedError,
)
from galtea_async.http.exchange import Answer

__all__ = ["is_html", "json_object", "kind_by_status", "plain_text", "usual_kind", "usual_message"]

_CREDIT_WORDS: Final = re.compile(r"\b(credits?|quota|payment|billing|subscription)\b", re.IGNORECASE)
_EXISTS_WORDS: Final = re.compile(
    r"with the same\b.*custom|custom.*\b(already exists|with the same)", re.IGNORECASE | re.DOTALL
)
_TAG: Final = re.compile(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_TEXT_LIMIT: Final = 4_000

_KINDS: Final[dict[int, type[ApiError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestBlockedError,
    414: RequestBlockedError,
    422: BadRequestError,
    429: RateLimitedError,
    431: RequestBlockedError,
}


def usual_kind(answer: Answer) -> tuple[type[ApiError], str | None]:
    """Choose the class of a 3xx or 4xx answer, with advice where the class alone gives none.

    Args:
        answer: What came.

    Returns:
        The class, and the advice or `None`.
    """
    status, message = answer.status, usual_message(answer)
    if status < 400:
        return ApiError, "redirects are not followed: check base_url"
    if status in (400, 422, 429) and _CREDIT_WORDS.search(message):
        return PaymentRequiredError, None
    if status == 403 and is_html(answer):
        return RequestBlockedError, None
    if status == 400 and _EXISTS_WORDS.search(message):
        return ConflictError, None
    if status == 404 and is_html(answer):
        return NotFoundError, "there is no such route: check base_url"
    return kind_by_status(status), None


def usual_message(answer: Answer) -> str:
    """Find the service's words: `message`, `detail` or `error` of a JSON object, else the text itself."""
    fields = json_object(answer) or {}
    texts = [fields.get(name) for name in ("message", "detail", "error")]
    said = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    return plain_text(answer) if said is None else said


def kind_by_status(status: int) -> type[ApiError]:
    """Return the class that a status stands for where nothing else is known; `ApiError` where none fits."""
    return _KINDS.get(status, ApiError)


def json_object(answer: Answer) -> dict[str, object] | None:
    """Return the fields of an answer's body where it is a JSON object, else `None`."""
    try:
        decoded = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return cast(dict[str, object], decoded) if isinstance(decoded, dict) else None


def plain_text(answer: Answer) -> str:
    """Return the beginning of an answer's body without tags and line breaks."""
    body = answer.body[:_TEXT_LIMIT]
    text = " ".join(_TAG.sub(" ", body.decode("utf-8", "replace")).split())
    return text or "no message"


def is_html(answer: Answer) -> bool:
    """Return whether an answer is a page for people, as a proxy before the service writes them."""
    return "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"
