"""Durations as people type them."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from math import inf
from typing import Final

__all__ = ["seconds"]

_DURATION: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m)?")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}


def seconds(text: str) -> float:
    """Read a duration such as `50ms`, `1.5s` or `2m`; a bare number counts seconds.

    Raises:
        ArgumentTypeError: It is none; argparse tells the user.

    Example:
        >>> seconds("50ms"), seconds("2")
        (0.05, 2.0)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ArgumentTypeError(f"a duration is a number with ms, s or m, such as 50ms, not {text!r}")
    number = float(match["number"]) * _SECONDS[match["unit"] or "s"]
    if number == inf:
        raise ArgumentTypeError(f"a duration is finite, and not {text!r}")
    return number
