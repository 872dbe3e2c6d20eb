"""Writes what is to be sent as JSON, where a number that is none must not turn into null unseen."""

from __future__ import annotations

import math
from typing import cast

import msgspec

from galtea_async.errors import InvalidRequestError
from galtea_async.models.converter import UnreadableError, encode_json, unstructure
from galtea_async.models.json_value import JsonValue

__all__ = ["body_of", "encode_body"]


def body_of(model: object) -> dict[str, JsonValue]:
    """Write a model that a caller has filled as a JSON object.

    Args:
        model: An instance of one of the models.

    Returns:
        The object, with wire names, and nothing for what is not set.

    Raises:
        InvalidRequestError: An object in it has keys that JSON has not, or is in itself.
    """
    problem = ""
    try:
        return unstructure(model)
    except (TypeError, RecursionError) as error:
        problem = str(error)
    raise InvalidRequestError(f"the request cannot be written as JSON: {problem}")


def encode_body(value: object) -> bytes:
    """Write a value as JSON.

    Args:
        value: Anything that JSON can say, datetimes included.

    Returns:
        The JSON text in UTF-8.

    Raises:
        UnreadableError: JSON cannot say it. That includes NaN and the infinities.
    """
    body = encode_json(value)
    # Most bodies have no null in them, and are not looked through.
    if b"null" in body and _holds_no_number(msgspec.to_builtins(value)):
        raise UnreadableError("not JSON: NaN or an infinity is in it, of which JSON would make null")
    return body


def _holds_no_number(value: object) -> bool:
    """Tell whether a float anywhere in a value is not finite."""
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, float) and not math.isfinite(inner):
            return True
        if isinstance(inner, dict):
            left.extend(cast(dict[object, object], inner).values())
        elif isinstance(inner, list | tuple):
            left.extend(cast(list[object], inner))
    return False
