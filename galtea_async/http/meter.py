"""Counts the requests of one job among all the requests of a client."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from attrs import define

__all__ = ["Meter", "current_meter", "metered"]


@define
class Meter:
    """What a job has asked of the client so far.

    Attributes:
        requests: Requests that were sent.
        retries: How many of them repeated another.
        heard_at: When the service last did what a read asked, by the loop's clock.
    """

    requests: int = 0
    retries: int = 0
    heard_at: float = float("-inf")


current_meter: Final[ContextVar[Meter | None]] = ContextVar("galtea_async_meter", default=None)


@contextmanager
def metered(meter: Meter) -> Generator[Meter]:
    """Count every request of the current task, and of tasks that it starts, on a meter."""
    token = current_meter.set(meter)
    try:
        yield meter
    finally:
        current_meter.reset(token)
