"""How long to wait before a request is sent again."""

from __future__ import annotations

from random import Random

from attrs import field, frozen

from galtea_async.http.verdict import Repeat
from galtea_async.settings import RetryPolicy

__all__ = ["RETRY_AFTER_JITTER", "BackOff"]

RETRY_AFTER_JITTER = 0.1
"""A wait that the service names is a floor; this share of it, drawn evenly, comes on top."""


@frozen
class BackOff:
    """Exponential back-off with full jitter.

    Args:
        random: Draws the waits.
    """

    random: Random = field(factory=Random, repr=False)

    def delay(self, policy: RetryPolicy, repeat: Repeat, attempt: int) -> float:
        """Return the wait in seconds after so many failed attempts.

        Args:
            policy: The ceilings.
            repeat: Why the request failed.
            attempt: How many attempts have failed, from 1.

        Returns:
            Seconds, drawn evenly from zero to a ceiling that doubles with each attempt.
        """
        base = policy.throttle_delay if repeat is Repeat.THROTTLED else policy.base_delay
        ceiling = min(policy.max_delay, base * 2.0 ** min(attempt - 1, 60))
        return self.random.uniform(0.0, ceiling)

    def after(self, retry_after: float) -> float:
        """Return the wait in seconds for one that the service named."""
        return retry_after * (1 + self.random.uniform(0.0, RETRY_AFTER_JITTER))
