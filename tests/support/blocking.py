"""Calls that block the event loop are errors while the package's code runs in it.

The emulator is allowed one kind: its own SQLite calls. They are short, and an emulator which answers in the
loop's own turn is what makes tests of many thousand sessions quick. The client has no such right; its journal
works in a thread.

Reading the certificate authorities when a TLS context is made happens inside OpenSSL, where nothing in Python
can see it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blockbuster import BlockBuster

import galtea_async

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

__all__ = ["PACKAGE_FOLDER", "blocking_calls_are_errors"]

PACKAGE_FOLDER = Path(next(iter(galtea_async.__path__)))
EMULATOR_FOLDER = str(PACKAGE_FOLDER / "emulator")


@contextmanager
def blocking_calls_are_errors() -> Generator[None]:
    """Make blocking calls from the package's code inside a running loop raise `BlockingError`."""
    detector = BlockBuster(galtea_async)
    for name, function in detector.functions.items():
        if name.startswith("sqlite3."):
            function.can_block_predicate = _is_called_by_the_emulator
    detector.activate()
    try:
        yield
    finally:
        detector.deactivate()


def _is_called_by_the_emulator(*_args: Any, **_kwargs: Any) -> bool:
    return any(frame.f_code.co_filename.startswith(EMULATOR_FOLDER) for frame in _frames())


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # the caller is looked for
    while frame is not None:
        yield frame
        frame = frame.f_back
