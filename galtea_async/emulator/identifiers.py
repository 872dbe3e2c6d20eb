"""Ids that look like the service's, drawn from a seed."""

from __future__ import annotations

import string
from random import Random

import attrs

__all__ = ["Identifiers"]

_ALPHABET = (string.ascii_lowercase + string.digits).encode()
_LENGTH = 24

_CHARACTER_OF_BYTE = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
"""Turns random bytes into characters; that some come up a little more often does no harm."""


@attrs.define(eq=False)
class Identifiers:
    """Draws ids of the form `<entity>_<24 lowercase letters and digits>`.

    Attributes:
        seed: What the ids follow from: the same seed draws the same ids in the same order.
        random: What they are drawn with.
    """

    seed: str
    random: Random = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.random = Random(f"{self.seed}/identifiers")

    def new(self, entity: str) -> str:
        """Draw one id."""
        return f"{entity}_{self.random.randbytes(_LENGTH).translate(_CHARACTER_OF_BYTE).decode()}"

    def place(self) -> int:
        """Draw the place of a row in the order of a list for which the caller asked no order."""
        return self.random.getrandbits(31)
