"""The shapes in which PandaProbe says that something is wrong.

There are two kinds of 422 (a rule of the service, and a body or a parameter that has the wrong form) and two
of 429 (the rate, under the key `error`, and the quota, under the key `detail`).
"""

from __future__ import annotations

import msgspec

from galtea_async.emulator.replies import Refusal, Reply

__all__ = ["JSON", "answer", "detail", "internal_server_error", "rate_limit_exceeded", "validation_error"]

JSON = "application/json"


def answer(status: int, value: object) -> Reply:
    """Answer with a value as JSON, without naming a character set."""
    return Reply(status=status, body=msgspec.json.encode(value), content_type=JSON)


def detail(status: int, text: str) -> Refusal:
    """Refuse with one sentence."""
    return Refusal(answer(status, {"detail": text}))


def validation_error(field: str, message: str) -> Refusal:
    """Refuse a form: a body, a parameter of the query or of the path.

    Args:
        field: Where it is wrong, as in `session_ids -> 0` or `query -> limit`; empty for the whole body.
        message: What is wrong.
    """
    errors = [{"field": field, "message": message}]
    return Refusal(answer(422, {"detail": "Validation error", "errors": errors}))


def rate_limit_exceeded(most: int) -> Reply:
    """Answer a request that comes too soon; nothing says when to come back."""
    return answer(429, {"error": f"Rate limit exceeded: {most} per 1 minute"})


def internal_server_error() -> Refusal:
    """Break down: plain text, and the connection is closed behind it without a word."""
    return Refusal(
        Reply(
            status=500,
            body=b"Internal Server Error",
            content_type="text/plain; charset=utf-8",
            closes=True,
        )
    )
