"""What the wire form of a model is, where it is not what the converter takes for granted.

The models say nothing of the wire. What the converter has to know about one of them stands in a `WireForm`:
how its fields are named there, under which names older versions of a service send them, and which numbers
come as texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from attrs import field, frozen

__all__ = ["WireForm", "read_decimal", "same_name"]

_DECIMAL: Final = re.compile(r"[+-]?\d{1,60}(\.\d{0,60})?([eE][+-]?\d{1,3})?", re.ASCII)


@frozen(kw_only=True)
class WireForm:
    """How objects of one model are written.

    Attributes:
        name_of: From the name of a field to its name on the wire.
        older_names: By the names of fields, the wire names under which they are read where the proper one is
            missing or null.
        decimals: The fields whose number is written as a text, such as `"0.7233"`. They are also read from
            a number. A text that is no number makes the field `None`, and is kept in `extra`.

    Example:
        >>> from galtea_async.models.wire_form import WireForm, same_name
        >>> WireForm(name_of=same_name, older_names={"total_targets": "total_traces"}).name_of(
        ...     "total_targets"
        ... )
        'total_targets'
    """

    name_of: Callable[[str], str]
    older_names: Mapping[str, str] = field(factory=dict[str, str])
    decimals: frozenset[str] = frozenset()

    def in_current_names(self, wire: Mapping[str, object]) -> Mapping[str, object]:
        """Return an object with what it has under an older name under the proper one, too."""
        found = {
            self.name_of(name): wire[older]
            for name, older in self.older_names.items()
            if wire.get(older) is not None and wire.get(self.name_of(name)) is None
        }
        return {**wire, **found} if found else wire


def same_name(name: str) -> str:
    """Return the wire name of a field that has the same name there.

    Args:
        name: The name in Python.

    Returns:
        The same name.

    Example:
        >>> from galtea_async.models.wire_form import same_name
        >>> same_name("eval_run_id")
        'eval_run_id'
    """
    return name


def read_decimal(text: str) -> float:
    """Read a decimal number that was written as a text.

    Args:
        text: For example `0.7233`.

    Returns:
        The number.

    Raises:
        ValueError: The text is no decimal number, or none that a float can hold.

    Example:
        >>> from galtea_async.models.wire_form import read_decimal
        >>> read_decimal("0.7233"), read_decimal("1E-4")
        (0.7233, 0.0001)
    """
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a decimal number, found {text[:40]!r}")
    return number
