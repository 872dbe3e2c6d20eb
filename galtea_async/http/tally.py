"""Counts what a client sends, and for which job."""

from __future__ import annotations

from attrs import define, field

from galtea_async.http.exchange import Answer, Exchange
from galtea_async.http.meter import current_meter

__all__ = ["Tally"]


@define
class Tally:
    """Counts of a client; see `Statistics` for what they mean."""

    sent: int = field(default=0, init=False)
    retried: int = field(default=0, init=False)
    resent: int = field(default=0, init=False)
    throttled: int = field(default=0, init=False)
    backing_off: int = field(default=0, init=False)

    def sends(self, attempt: int) -> None:
        """Count an attempt that goes out."""
        self.sent += 1
        self.retried += attempt > 1
        meter = current_meter.get()
        if meter is not None:
            meter.requests += 1
            meter.retries += attempt > 1

    def exchanged(self, exchange: Exchange, *, is_write: bool, now: float) -> None:
        """Count what came of it."""
        resent = max(0, exchange.sends - 1)
        self.resent += resent
        meter = current_meter.get()
        if meter is not None:
            meter.requests += resent
            meter.retries += resent
        if isinstance(exchange, Answer):
            self.throttled += exchange.status == 429
            if meter is not None and not is_write and exchange.status < 300:
                meter.heard_at = now
