"""Which requests go first: the look-ups on which other requests wait."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["is_urgent", "urgently"]

is_urgent: Final[ContextVar[bool]] = ContextVar("galtea_async_urgent", default=False)


@contextmanager
def urgently() -> Generator[None]:
    """Let the requests of the current task, and of tasks that it starts, go before all others."""
    token = is_urgent.set(True)
    try:
        yield
    finally:
        is_urgent.reset(token)
