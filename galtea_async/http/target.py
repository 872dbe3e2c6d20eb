"""Path templates and query strings: from names and values to what stands in a request line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Final, TypeAlias, cast
from urllib.parse import quote, quote_plus

from galtea_async.errors import InvalidRequestError
from galtea_async.models.text import is_id, is_text, why_no_id

__all__ = ["Parameter", "ParameterValue", "fill", "query_of", "query_string"]

Parameter: TypeAlias = tuple[str, str]
"""One `name=value` of a query string, not yet encoded."""

ParameterValue: TypeAlias = "str | int | float | bool | datetime"
"""One value as a caller gives it."""

_DOTS: Final = frozenset({".", ".."})


def fill(template: str, **ids: str) -> str:
    """Fill a path template with ids, so encoded that none can leave its segment.

    Args:
        template: Such as `/evaluations/{id}/claim`.
        ids: The values by name.

    Returns:
        The path.

    Raises:
        InvalidRequestError: An id is no text, is blank, or has characters that no id may have.

    Example:
        >>> from galtea_async.http.target import fill
        >>> fill("/evaluations/{id}/claim", id="../x")
        '/evaluations/..%2Fx/claim'
    """
    if not ids:
        return template
    return template.format(**{name: _segment(name, value) for name, value in ids.items()})


def query_of(filters: Mapping[str, object]) -> list[Parameter]:
    """Turn filters into parameters; every value of a list becomes one of its own.

    Args:
        filters: Wire names and values; `None` leaves a filter out, an empty text does not.

    Returns:
        The parameters in order.

    Raises:
        InvalidRequestError: A value is of a type that no filter takes, not finite, or a naive datetime.

    Example:
        >>> from galtea_async.http.target import query_of
        >>> query_of({"sessionIds": ["a", "b"], "passed": True, "limit": None})
        [('sessionIds', 'a'), ('sessionIds', 'b'), ('passed', 'true')]
    """
    for name in filters:
        _check_name(name)
    return [(name, _text(name, item)) for name, value in filters.items() for item in _items(value)]


def query_string(parameters: Iterable[Parameter]) -> str:
    """Write parameters as `?k=a&k=b`, or nothing where there are none.

    Args:
        parameters: Names and values.

    Returns:
        The query with its question mark.

    Example:
        >>> from galtea_async.http.target import query_string
        >>> query_string([("ids", "a"), ("ids", "b c")])
        '?ids=a&ids=b+c'
    """
    query = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in parameters)
    return f"?{query}" if query else ""


def _segment(name: str, value: object) -> str:
    if not is_id(value):
        raise InvalidRequestError(f"{name} {why_no_id(value)}")
    if value in _DOTS:
        raise InvalidRequestError(f"{name} cannot be {value!r}")
    return quote(value, safe="")


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not is_text(name):
        raise InvalidRequestError(f"the name of a parameter is a text, not {name!r}")


def _items(value: object) -> Iterable[object]:
    if value is None:
        return ()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return cast(Iterable[object], value)
    return (value,)


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return _text(name, value.value)
        case str() if not is_text(value):
            raise InvalidRequestError(f"{name} cannot be {value!r}")
        case str():
            return value
        case int() | float() if -math.inf < value < math.inf:
            return repr(value)
        case datetime() if value.tzinfo is None:
            raise InvalidRequestError(f"{name}: a datetime needs a time zone, {value.isoformat()} has none")
        case datetime():
            return value.isoformat()
        case _:
            raise InvalidRequestError(f"{name} cannot be {value!r}")
