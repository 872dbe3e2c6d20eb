"""A rate limit that counts: so many requests in a window that opens with the first of them."""

from __future__ import annotations

import asyncio

import attrs

__all__ = ["FixedWindows"]


@attrs.define
class _Window:
    opened_at: float
    admitted: int = 0


@attrs.define(kw_only=True, eq=False)
class FixedWindows:
    """One window for each key. A request that is refused neither counts nor makes the window longer.

    Attributes:
        loop: The event loop whose clock closes the windows.
        seconds: How long a window is open.
        refused: How many requests found their window full.
    """

    loop: asyncio.AbstractEventLoop
    seconds: float = attrs.field(validator=attrs.validators.gt(0))
    refused: int = attrs.field(default=0, init=False)
    _windows: dict[tuple[str, ...], _Window] = attrs.field(factory=dict[tuple[str, ...], _Window], init=False)

    def admit(self, key: tuple[str, ...], most: int) -> float | None:
        """Count a request.

        Args:
            key: Whose window it falls into.
            most: How many a window admits.

        Returns:
            `None` when it is admitted, else the seconds until the window closes.
        """
        now = self.loop.time()
        window = self._windows.get(key)
        if window is None or now >= window.opened_at + self.seconds:
            window = self._windows[key] = _Window(opened_at=now)
        if window.admitted < most:
            window.admitted += 1
            return None
        self.refused += 1
        return window.opened_at + self.seconds - now
