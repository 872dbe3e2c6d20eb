"""What may stand in a header that a fault adds to an answer."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["check_header_name", "check_header_value"]

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
_OF_THE_CONNECTION: Final = frozenset({"content-length", "transfer-encoding"})


def check_header_name(name: str) -> None:
    """Refuse what is no name, or names what the server itself says of a body's length.

    Raises:
        ValueError: It is refused.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a header's name consists of letters, digits and hyphens, not {name!r}")
    if name.lower() in _OF_THE_CONNECTION:
        raise ValueError(f"{name} follows from the body; `Truncate` sends less than it says")


def check_header_value(value: str) -> None:
    """Refuse a value that would break the line.

    Raises:
        ValueError: It is refused.
    """
    if not _VALUE.fullmatch(value):
        raise ValueError(f"a header's value has no control characters, as {value!r} has")
