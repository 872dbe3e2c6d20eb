"""Durations as people write them: `50ms`, `1.5s`, `2m`."""

from __future__ import annotations

import re

__all__ = ["duration_as_text", "duration_from_text"]

_DURATION = re.compile(r"(?P<number>-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?))(?P<unit>ms|s|m)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def duration_from_text(text: str) -> float:
    """Read a duration as seconds; a bare number counts seconds.

    Whatever a `float` can be has a text, also what makes no sense as a duration: servers send such things.

    Raises:
        ValueError: It is none.

    Example:
        >>> from galtea_async.emulator.duration_text import duration_from_text
        >>> duration_from_text("50ms"), duration_from_text("2m")
        (0.05, 120.0)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"a duration is a number with ms, s or m, such as 50ms, not {text!r}")
    return float(match["number"]) * _SECONDS[match["unit"] or "s"]


def duration_as_text(seconds: float) -> str:
    """Write seconds so that `duration_from_text` reads exactly the same number again."""
    milliseconds = f"{seconds * 1000:.6g}ms"
    if 0 < seconds < 1 and duration_from_text(milliseconds) == seconds:
        return milliseconds
    short = f"{seconds:g}s"
    return short if duration_from_text(short) == seconds else f"{float(seconds)!r}s"
