"""How much time and how many attempts a call may take."""

from __future__ import annotations

from attrs import evolve, field, frozen

from galtea_async.settings import RetryPolicy, Timeout

__all__ = ["CallOptions"]


@frozen(kw_only=True)
class CallOptions:
    """The bounds of a call.

    Attributes:
        timeout: The clocks of each of its attempts.
        retry: How often it is tried, and how long in all.
    """

    timeout: Timeout = field(factory=Timeout)
    retry: RetryPolicy = field(factory=RetryPolicy)

    def patient(self) -> CallOptions:
        """Return the same without a bound on waiting, for work that nobody stands and waits for."""
        return CallOptions(timeout=evolve(self.timeout, queue=None), retry=evolve(self.retry, deadline=None))
