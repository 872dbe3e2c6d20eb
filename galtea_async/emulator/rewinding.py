"""Generators of random numbers that can begin again."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import attrs

__all__ = ["Rewinding"]


@attrs.frozen(eq=False)
class Rewinding:
    """Remembers how far some generators have come, and takes them back to there.

    Attributes:
        randoms: The generators.
    """

    randoms: Sequence[Random]
    _states: tuple[tuple[Any, ...], ...] = attrs.field(
        default=attrs.Factory(lambda self: tuple(one.getstate() for one in self.randoms), takes_self=True),
        init=False,
    )

    def rewind(self) -> None:
        """Take them back to where they were when this was made."""
        for random, state in zip(self.randoms, self._states, strict=True):
            random.setstate(state)
