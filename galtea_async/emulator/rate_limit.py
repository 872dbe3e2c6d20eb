"""A simple rate limit: a bucket of tokens that fills at a steady rate."""

from __future__ import annotations

import asyncio
import math

import attrs

__all__ = ["TokenBucket"]


@attrs.define(kw_only=True, eq=False)
class TokenBucket:
    """Admits `requests` requests per `seconds`, all of them at once if they come at once.

    Attributes:
        loop: The event loop whose clock fills the bucket.
        requests: How many tokens the bucket holds; it is full at the start.
        seconds: How long an empty bucket takes to fill.
        refused: How many requests found it empty.
    """

    loop: asyncio.AbstractEventLoop
    requests: float = attrs.field(validator=attrs.validators.ge(1))
    seconds: float = attrs.field(validator=attrs.validators.gt(0))
    refused: int = attrs.field(default=0, init=False)
    _tokens: float = attrs.field(init=False)
    _filled_at: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tokens = self.requests
        self._filled_at = self.loop.time()

    def admit(self) -> int | None:
        """Take a token.

        Returns:
            `None` when there was one, else the whole seconds (at least one) after which there will be.
        """
        now = self.loop.time()
        rate = self.requests / self.seconds
        self._tokens = min(self.requests, self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        self.refused += 1
        return max(1, math.ceil((1 - self._tokens) / rate))
