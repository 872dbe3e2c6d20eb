"""Until when a request may leave: not any more once its caller has called it off.

A request may wait for long before it leaves, in a line or between two attempts. Whoever has lost interest by
then can call it off: what has not left stays, with the proof that nothing was sent; what has left is seen to
its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["called_off", "unless_called_off"]

called_off: Final[ContextVar[asyncio.Event | None]] = ContextVar("galtea_async_called_off", default=None)


@contextmanager
def unless_called_off(event: asyncio.Event) -> Generator[None]:
    """Keep back what the current task, and tasks that it starts, have not sent when an event is set."""
    token = called_off.set(event)
    try:
        yield
    finally:
        called_off.reset(token)
