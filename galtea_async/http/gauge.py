"""What a job can read off its client: its own requests, and the state of the whole client."""

from __future__ import annotations

from typing import final

from attrs import define, field

from galtea_async.http.channel import Channel
from galtea_async.http.meter import Meter
from galtea_async.http.pause import pause

__all__ = ["JobGauge"]


@final
@define
class JobGauge:
    """Reads a job's meter and its client's channel.

    Args:
        channel: The client's way to the service.
        batches_per_slot: How many batches to have under way for each request that may be in flight; more than
            one where the service accepts work and does it later.
    """

    channel: Channel
    batches_per_slot: int = 1
    meter: Meter = field(factory=Meter, init=False)

    @property
    def concurrency(self) -> int:
        """How many batches to have under way at most."""
        return self.channel.link.max_concurrency * self.batches_per_slot

    @property
    def requests(self) -> int:
        """How many requests were sent for this job."""
        return self.meter.requests

    @property
    def retries(self) -> int:
        """How many of them repeated another."""
        return self.meter.retries

    def in_flight(self) -> int:
        """Return how many requests of the client are in flight now."""
        return self.channel.statistics().in_flight

    def limit(self) -> int:
        """Return how many may be now."""
        return self.channel.statistics().limit

    def pause(self) -> str | None:
        """Return what the client waits for while none of its requests is in flight; `None` for nothing."""
        return pause(self.channel.statistics())

    def heard_at(self) -> float:
        """Return when the service last answered a look-up of this job, by the loop's clock."""
        return self.meter.heard_at

    def wall(self) -> float:
        """Return our wall clock in seconds since the epoch."""
        return self.channel.link.dispatcher().server_clock.wall()

    def service_time(self, wall: float) -> tuple[float, float]:
        """Return the earliest and the latest that the service's clock can have shown at a time of ours."""
        span = self.channel.link.dispatcher().server_clock.span(wall)
        return span.earliest.timestamp(), span.latest.timestamp()
