"""Reading the parameters of paths and queries. One that a route does not know is ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from galtea_async.emulator.pandaprobe.moments import seconds
from galtea_async.emulator.pandaprobe.problems import internal_server_error, validation_error
from galtea_async.emulator.parameters import FROM_WHERE, HOW_MANY, Parameter

if TYPE_CHECKING:
    from galtea_async.emulator.routes import Call

__all__ = [
    "PAGING",
    "Paging",
    "boolean",
    "choice",
    "identifier",
    "moment",
    "paging",
    "text",
    "texts",
    "whole_number",
]

_LARGEST_OFFSET = 2**63 - 1
_LIMIT = Parameter(name="limit", kind="whole", least=1, most=200, default=50, about=HOW_MANY)
_OFFSET = Parameter(name="offset", kind="whole", most=_LARGEST_OFFSET, default=0, about=FROM_WHERE)
_UNCHECKED_OFFSET = attrs.evolve(_OFFSET, most=None)

PAGING = (_LIMIT, _OFFSET)
"""The parameters that lists have in common."""


@attrs.frozen
class Paging:
    """Which part of a list is asked for."""

    limit: int
    offset: int


def text(call: Call, parameter: Parameter) -> str | None:
    """A parameter's value, the last where it is sent more than once; `None` where it is absent."""
    values = texts(call, parameter)
    return values[-1] if values else None


def texts(call: Call, parameter: Parameter) -> list[str]:
    """All the values of a parameter."""
    return [value for key, value in call.query if key == parameter.name]


def choice(call: Call, parameter: Parameter) -> str | None:
    """A parameter that takes only some values.

    Raises:
        Refusal: It has another.
    """
    value = text(call, parameter)
    if value is not None and value not in parameter.choices:
        raise validation_error(
            f"query -> {parameter.name}", f"Input should be {' or '.join(sorted(parameter.choices))}"
        )
    return value


def boolean(call: Call, parameter: Parameter) -> bool | None:
    """A parameter that is true or false.

    Raises:
        Refusal: It is neither.
    """
    value = text(call, parameter)
    if value is None:
        return None
    if value.lower() not in {"true", "false", "1", "0"}:
        raise validation_error(f"query -> {parameter.name}", "Input should be a valid boolean")
    return value.lower() in {"true", "1"}


def moment(call: Call, parameter: Parameter) -> float | None:
    """A parameter that is a time or a date, in seconds since 1970.

    Raises:
        Refusal: It is neither.
    """
    value = text(call, parameter)
    return None if value is None else seconds(f"query -> {parameter.name}", value)


def paging(call: Call) -> Paging:
    """The parameters `limit` and `offset`.

    Raises:
        Refusal: One of them is no number, or is out of bounds.
    """
    offset = whole_number(call, _UNCHECKED_OFFSET)
    if offset > _LARGEST_OFFSET:  # which the server does not check either, but its database
        raise internal_server_error()
    return Paging(limit=whole_number(call, _LIMIT), offset=offset)


def whole_number(call: Call, parameter: Parameter) -> int:
    """A parameter that is a whole number within bounds.

    Raises:
        Refusal: It is none.
    """
    value = text(call, parameter)
    if value is None:
        return parameter.default or 0
    field = f"query -> {parameter.name}"
    if not (value.isascii() and value.removeprefix("-").isdecimal()):
        raise validation_error(field, "Input should be a valid integer")
    number = int(value)
    if number < parameter.least:
        raise validation_error(field, f"Input should be greater than or equal to {parameter.least}")
    if parameter.most is not None and number > parameter.most:
        raise validation_error(field, f"Input should be less than or equal to {parameter.most}")
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
