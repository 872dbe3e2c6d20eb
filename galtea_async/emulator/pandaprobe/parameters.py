"""The parameters of paths and queries. One that a route does not know is ignored, and so is its value."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from galtea_async.emulator.pandaprobe.problems import internal_server_error, validation_error

if TYPE_CHECKING:
    from collections.abc import Collection

    from galtea_async.emulator.routes import Call

__all__ = ["Paging", "boolean", "choice", "identifier", "paging", "text", "texts", "whole_number"]

_LARGEST_OFFSET = 2**63 - 1


@attrs.frozen
class Paging:
    """Which part of a list is asked for."""

    limit: int
    offset: int


def text(call: Call, name: str) -> str | None:
    """A parameter's value, the last where it is sent more than once; `None` where it is absent."""
    values = texts(call, name)
    return values[-1] if values else None


def texts(call: Call, name: str) -> list[str]:
    """All the values of a parameter."""
    return [value for key, value in call.query if key == name]


def choice(call: Call, name: str, choices: Collection[str]) -> str | None:
    """A parameter that takes only some values.

    Raises:
        Refusal: It has another.
    """
    value = text(call, name)
    if value is not None and value not in choices:
        raise validation_error(f"query -> {name}", f"Input should be {' or '.join(sorted(choices))}")
    return value


def boolean(call: Call, name: str) -> bool | None:
    """A parameter that is true or false.

    Raises:
        Refusal: It is neither.
    """
    value = text(call, name)
    if value is None:
        return None
    if value.lower() not in {"true", "false", "1", "0"}:
        raise validation_error(f"query -> {name}", "Input should be a valid boolean")
    return value.lower() in {"true", "1"}


def paging(call: Call) -> Paging:
    """The parameters `limit` and `offset`.

    Raises:
        Refusal: One of them is no number, or is out of bounds.
    """
    offset = whole_number(call, "offset", default=0, least=0)
    if offset > _LARGEST_OFFSET:
        raise internal_server_error()
    return Paging(limit=whole_number(call, "limit", default=50, least=1, most=200), offset=offset)


def whole_number(call: Call, name: str, *, default: int, least: int, most: int | None = None) -> int:
    """A parameter that is a whole number within bounds.

    Raises:
        Refusal: It is none.
    """
    value = text(call, name)
    if value is None:
        return default
    field = f"query -> {name}"
    if not (value.isascii() and value.removeprefix("-").isdecimal()):
        raise validation_error(field, "Input should be a valid integer")
    number = int(value)
    if number < least:
        raise validation_error(field, f"Input should be greater than or equal to {least}")
    if most is not None and number > most:
        raise validation_error(field, f"Input should be less than or equal to {most}")
    return number


def identifier(field: str, value: str) -> str:
    """Check a UUID, and write it as the service does.

    Raises:
        Refusal: It is none.
    """
    try:
        return str(UUID(value))
    except ValueError:
        raise validation_error(field, "Input should be a valid UUID") from None
