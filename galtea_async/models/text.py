"""What counts as a text that can go over the wire."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeGuard

from galtea_async.errors import InvalidRequestError

__all__ = ["are_ids", "check_ids", "is_id", "is_text", "why_no_id"]


def is_text(value: str) -> bool:
    """Tell whether a text can be written in UTF-8, which lone surrogates cannot."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def is_id(value: object) -> TypeGuard[str]:
    """Tell whether a value can be an id: a text that is not blank and can go anywhere a text can."""
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value and is_text(value)


def why_no_id(value: object) -> str:
    """Say why a value can be no id, as what goes behind the name of an argument."""
    if not isinstance(value, str) or not value.strip():
        return f"is a text that is not blank, not {value!r}"
    flaw = "NUL characters" if "\0" in value else "lone surrogates, which are halves of characters"
    return f"may have no {flaw}; {value!r} has"


def are_ids(values: Collection[object]) -> bool:
    """Tell whether all values can be ids; many at once, without a look at each where all are plain."""
    if {*map(type, values)} <= {str}:
        texts = "".join(values)  # type: ignore[arg-type]  # the line above has seen that they are texts
        if texts.isascii() and "\0" not in texts and all(map(str.strip, values)):  # type: ignore[arg-type]  # too
            return True
    return all(map(is_id, values))


def check_ids(name: str, values: Collection[object]) -> None:
    """Refuse values of which one can be no id.

    Raises:
        InvalidRequestError: The first of them that is none, and why.
    """
    if not are_ids(values):
        wrong = next(value for value in values if not is_id(value))
        raise InvalidRequestError(f"{name}: an id {why_no_id(wrong)}")
