"""The organization's credits."""

from __future__ import annotations

import attrs

__all__ = ["Credits"]


@attrs.define(eq=False)
class Credits:
    """What is left to spend.

    Attributes:
        remaining: The credits left; `None` sets no limit.
    """

    remaining: int | None = None

    def can_pay(self, amount: int) -> bool:
        """Whether so much is left."""
        return self.remaining is None or self.remaining >= amount

    def pay(self, amount: int) -> bool:
        """Spend an amount if so much is left, and say whether it was."""
        if not self.can_pay(amount):
            return False
        if self.remaining is not None:
            self.remaining -= amount
        return True
