"""Tells "leave it alone" from "set it to null" in a change."""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["UNSET", "Unset"]


class Unset(Enum):
    """The type of `UNSET`, which is its only value.

    Example:
        >>> Unset.UNSET is UNSET
        True
    """

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""In a change: leave the field as it is. `None` sets it to null instead, and any other value sets it."""
