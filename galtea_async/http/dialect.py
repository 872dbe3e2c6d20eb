"""How a provider words its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from attrs import frozen

from galtea_async.errors import ApiError
from galtea_async.http.exchange import Answer
from galtea_async.http.usual_refusal import usual_kind, usual_message

__all__ = ["Dialect"]


@final
@frozen(kw_only=True)
class Dialect:
    """Reads what a service says when it does not do what it was asked.

    It tells what a refusal is called and nothing about repeating: a `RateLimitedError` is repeated when its
    time comes, and no other refusal ever is. That a 5xx answer is no refusal cannot be said otherwise.

    Attributes:
        kind_of: Chooses the class of a 3xx or 4xx answer, with advice or `None`.
        message_of: Finds the service's words in any answer that is not 2xx.

    Example:
        >>> from galtea_async.http import Answer, Dialect
        >>> refusal = Answer(status=404, headers={}, body=b'{"detail": "no such run"}')
        >>> kind, advice = Dialect().kind_of(refusal)
        >>> kind.__name__, advice, Dialect().message_of(refusal)
        ('NotFoundError', None, 'no such run')
    """

    kind_of: Callable[[Answer], tuple[type[ApiError], str | None]] = usual_kind
    message_of: Callable[[Answer], str] = usual_message
