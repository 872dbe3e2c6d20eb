"""Refuses settings of an emulator that would fail later: `TypeError` for a wrong type, else `ValueError`.

Each check runs when the emulator is built, and again whenever the setting is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Any, TypeAlias

import attrs

from galtea_async.emulator.faults import Fault

__all__ = ["all_faults", "is_a", "is_number", "is_rate", "is_span", "is_whole_number"]

_Check: TypeAlias = Callable[[object, "attrs.Attribute[Any]", Any], None]

_SOME_FAULTS = "`Fault`s in a list; `fault_from_text` makes one of a text"


def all_faults(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults as a tuple.

    Raises:
        TypeError: It is a single one, or has something in it that is none.
    """
    if isinstance(faults, str | Fault) or not isinstance(faults, Iterable):
        raise TypeError(f"faults are {_SOME_FAULTS}, not {faults!r}")
    given = tuple(faults)
    for fault in given:
        if not isinstance(fault, Fault):
            raise TypeError(f"faults are {_SOME_FAULTS}, and {fault!r} is none")
    return given


def is_a(kind: type, *, optional: bool = False) -> _Check:
    """Make a check for a value of some type."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, kind) and not (optional and value is None):
            raise TypeError(f"{attribute.alias} is a `{kind.__name__}`, not {value!r}")

    return check


def is_number(*, at_least: float = -inf) -> _Check:
    """Make a check for a finite number."""
    bound = "" if at_least == -inf else f", at least {at_least:g}"

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TypeError(f"{attribute.alias} is a number, not {value!r}")
        if not (-inf < value < inf and value >= at_least):
            raise ValueError(f"{attribute.alias} is a finite number{bound}, not {value!r}")

    return check


def is_whole_number(*, at_least: int | None = None, at_most: float = inf, optional: bool = False) -> _Check:
    """Make a check for a whole number."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if optional and value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{attribute.alias} is a whole number, not {value!r}")
        if at_least is not None and not at_least <= value <= at_most:
            bounds = f"at least {at_least}" if at_most == inf else f"from {at_least} to {at_most}"
            raise ValueError(f"{attribute.alias} is a whole number, {bounds}, not {value!r}")

    return check


def is_rate(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Check for requests and seconds, or `None`."""
    if value is None:
        return
    told = f"{attribute.alias} is a pair of numbers, (requests, seconds), such as (20, 1)"
    requests, seconds = _two_numbers(told, value)
    if not (1 <= requests < inf and 0 < seconds < inf):
        raise ValueError(f"{told}, with at least 1 request in more than 0 seconds, not {value!r}")


def is_span(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Check for a shortest and a longest time in seconds."""
    told = f"{attribute.alias} is a pair of numbers, (shortest, longest), in seconds"
    shortest, longest = _two_numbers(told, value)
    if not 0 <= shortest <= longest < inf:
        raise ValueError(f"{told}, from 0 on and in this order, not {value!r}")


def _two_numbers(told: str, value: object) -> tuple[float, float]:
    match value:
        case (int() | float() as first, int() | float() as second):
            return first, second
        case _:
            raise TypeError(f"{told}, not {value!r}")
