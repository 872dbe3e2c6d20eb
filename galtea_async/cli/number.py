"""Whole numbers with bounds, as arguments."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable

__all__ = ["whole_number"]


def whole_number(*, least: int, most: int | None = None) -> Callable[[str], int]:
    """Make a reader of whole numbers for `ArgumentParser.add_argument(type=...)`.

    Args:
        least: The smallest that is allowed.
        most: The largest; `None` for no bound.

    Example:
        >>> whole_number(least=1, most=1_000)("200")
        200
    """
    bounds = f"at least {least}" if most is None else f"from {least} to {most:,}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise ArgumentTypeError(f"a whole number {bounds}, not {text!r}")
        return number

    return read
