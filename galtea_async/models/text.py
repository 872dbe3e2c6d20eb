"""What counts as a text that can go over the wire."""

from __future__ import annotations

__all__ = ["is_text"]


def is_text(value: str) -> bool:
    """Tell whether a text can be written in UTF-8, which lone surrogates cannot."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
