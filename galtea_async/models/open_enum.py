"""Enumerations that keep the values which the service invents after this library was released."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["OpenEnum"]


class OpenEnum(StrEnum):
    """A `StrEnum` for which an unknown value becomes a member of its own instead of an error.

    Such a member equals its text, pickles, and tells by `is_known` that it is none of the listed ones.

    Example:
        >>> SessionStatus("ARCHIVED") == "ARCHIVED", SessionStatus("ARCHIVED").is_known
        (True, False)
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this library knew the value when it was released."""
        return self._name_ in type(self).__members__
