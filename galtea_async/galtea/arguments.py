"""What callers give for the fields of an object, checked before anything is sent.

Each check lets `None` and `UNSET` pass, which stand for "null" and for "leave it alone".
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from galtea_async.errors import InvalidRequestError
from galtea_async.models.text import is_id, is_text, why_no_id
from galtea_async.models.unset import UNSET

__all__ = ["check_id", "check_number", "check_object", "check_text", "check_text_or_object"]


def check_id(name: str, value: object) -> None:
    """Refuse what is no id.

    Raises:
        InvalidRequestError: It is no text, is blank, or has characters that no id may have.
    """
    if not _is_absent(value) and not is_id(value):
        raise InvalidRequestError(f"{name} {why_no_id(value)}")


def check_text(name: str, value: object) -> None:
    """Refuse what is no text.

    Raises:
        InvalidRequestError: It is no text that can be sent.
    """
    if not _is_absent(value) and not _is_text(value):
        raise InvalidRequestError(f"{name} is a text, not {value!r}")


def check_object(name: str, value: object) -> None:
    """Refuse what is no JSON object.

    Raises:
        InvalidRequestError: It is no mapping.
    """
    if not _is_absent(value) and not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} is a JSON object, not {value!r}")


def check_text_or_object(name: str, value: object) -> None:
    """Refuse what is neither a text nor a JSON object.

    Raises:
        InvalidRequestError: It is neither.
    """
    if not _is_absent(value) and not _is_text(value) and not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} is a text or a JSON object, not {value!r}")


def check_number(name: str, value: object) -> None:
    """Refuse what cannot be an amount.

    Raises:
        InvalidRequestError: It is no number, negative or not finite; JSON would make null of the latter.
    """
    if _is_absent(value):
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise InvalidRequestError(f"{name} is a number, at least 0, not {value!r}")


def _is_absent(value: object) -> bool:
    return value is None or value is UNSET


def _is_text(value: object) -> bool:
    return isinstance(value, str) and is_text(value)
