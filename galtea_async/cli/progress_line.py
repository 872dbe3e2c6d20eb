"""Shows how far a run is: one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Final, TextIO

from attrs import define, field

if TYPE_CHECKING:
    from galtea_async.bulk.progress import Progress

__all__ = ["ProgressLine"]

_BETWEEN_REWRITES: Final = 0.1
_BETWEEN_LINES: Final = 1.0
_ERASE_LINE: Final = "\r\x1b[K"


@define
class ProgressLine:
    """Prints every `Progress` that it is called with, or those that are not too close to the last one.

    Args:
        stream: Where to print.
    """

    stream: TextIO
    _rewrites: bool = field(init=False)
    _next_at: float = field(default=0.0, init=False)
    _held_back: Progress | None = field(default=None, init=False)
    _has_begun: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._rewrites = self.stream.isatty()

    def __call__(self, progress: Progress) -> None:
        """Print a progress, or keep it in case it is the last."""
        now = time.monotonic()
        if now < self._next_at:
            self._held_back = progress
            return
        self._next_at = now + (_BETWEEN_REWRITES if self._rewrites else _BETWEEN_LINES)
        self._print(progress)

    def end(self) -> None:
        """Print what was held back, and leave the line."""
        if self._held_back is not None:
            self._print(self._held_back)
        if self._rewrites and self._has_begun:
            print(file=self.stream, flush=True)

    def _print(self, progress: Progress) -> None:
        self._held_back = None
        self._has_begun = True
        text = _described(progress)
        if self._rewrites:
            columns = shutil.get_terminal_size().columns
            print(_ERASE_LINE + text[: columns - 1], end="", file=self.stream, flush=True)
        else:
            print(text, file=self.stream, flush=True)


def _described(progress: Progress) -> str:
    total = progress.total
    parts = [
        f"{progress.done:,} sessions"
        if total is None
        else f"{progress.done:,} of {total:,} sessions ({_percent(progress.done, total)})"
    ]
    for count, name in (
        (progress.failed, "failed"),
        (progress.skipped, "skipped"),
        (progress.unresolved, "unresolved"),
    ):
        if count:
            parts.append(f"{count:,} {name}")
    if progress.in_flight:
        parts.append(f"{progress.in_flight} of {progress.limit} requests in flight")
    if progress.rate >= 1:
        parts.append(f"{progress.rate:,.0f}/s")
    if progress.eta:
        parts.append(f"{_clock_time(progress.eta)} left")
    if progress.waiting:
        parts.append(f"waiting: {progress.waiting}")
    return ", ".join(parts)


def _percent(done: int, total: int) -> str:
    return f"{100 * done // total if total else 100} %"


def _clock_time(duration: float) -> str:
    minutes, rest = divmod(round(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
