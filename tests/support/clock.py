"""The clock that the tests measure with."""

from __future__ import annotations

import asyncio

__all__ = ["now"]


def now() -> float:
    """The time of the running loop, in seconds; it jumps (see `support.virtual_time`)."""
    return asyncio.get_running_loop().time()
