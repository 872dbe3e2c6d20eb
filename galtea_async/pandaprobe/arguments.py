"""What callers give, checked against the rules of the service before anything is sent.

The service accepts much that it should not: it books work on sessions that do not exist, scores a session
twice by a metric that is named twice, and breaks down over a NUL character or a name that is too long, with a
status 500 that leaves open whether a run was made. All of that is refused here instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

from galtea_async.errors import InvalidRequestError
from galtea_async.models.converter import UnreadableError
from galtea_async.models.json_body import encode_body
from galtea_async.models.text import check_ids, is_text

__all__ = [
    "LONGEST_NAME",
    "LONGEST_TEXT",
    "check_choice",
    "check_json",
    "check_weights",
    "checked_ids",
    "checked_metrics",
    "checked_share",
    "checked_text",
    "checked_texts",
    "checked_whole_number",
]

LONGEST_NAME: Final = 248
"""The service stores 255 characters, puts seven in front when a run is tried again, and then breaks down."""

LONGEST_TEXT: Final = 255

_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""How JSON writes a NUL character, as opposed to the six characters that look like it."""


def checked_ids(name: str, values: Iterable[str]) -> list[str]:
    """Return ids, each once, in the order in which they came first.

    Raises:
        InvalidRequestError: It is a single text, empty, or has something in it that is no id.
    """
    given = _listed(name, values)
    check_ids(name, given)
    return list(dict.fromkeys(given))


def checked_metrics(values: Iterable[str]) -> list[str]:
    """Return the names of metrics.

    Raises:
        InvalidRequestError: It is a single text, empty, names a metric twice, or has no name in it.
    """
    given = _listed("metrics", values)
    names = checked_ids("metrics", given)
    if len(names) < len(given):
        twice = next(name for name in names if given.count(name) > 1)
        raise InvalidRequestError(
            f"metrics names {twice!r} more than once: each session would be scored, and billed, as often"
        )
    return names


def checked_text(name: str, value: str | None, *, longest: int | None = None) -> str | None:
    """Return a text that the service can store, or `None`.

    Raises:
        InvalidRequestError: It is no text, too long, or has a NUL character.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not is_text(value) or "\0" in value:
        raise InvalidRequestError(f"{name} is a text without NUL characters, not {value!r}")
    if longest is not None and len(value) > longest:
        raise InvalidRequestError(f"{name} has {len(value)} characters, and {longest} are the most")
    return value


def checked_texts(name: str, values: Iterable[str] | None) -> list[str] | None:
    """Return texts that the service can store, or `None`.

    Raises:
        InvalidRequestError: It is a single text, empty, or has something in it that is none.
    """
    if values is None:
        return None
    texts = _listed(name, values)
    for value in texts:
        if value is None or checked_text(name, value) is None:
            raise InvalidRequestError(f"{name} is a list of texts, and {value!r} is none")
    return texts


def checked_whole_number(name: str, value: int, *, at_least: int, at_most: int | None = None) -> int:
    """Return a whole number within bounds.

    Raises:
        InvalidRequestError: It is none.
    """
    bounds = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < at_least or (at_most is not None and value > at_most):
        raise InvalidRequestError(f"{name} is a whole number {bounds}, not {value!r}")
    return value


def checked_share(name: str, value: float) -> float:
    """Return a share.

    Raises:
        InvalidRequestError: It is no number from 0 to 1, 0 excluded.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
        raise InvalidRequestError(f"{name} is a share, above 0 and at most 1, not {value!r}")
    return float(value)


def check_choice(name: str, value: object) -> None:
    """Refuse what is neither `True` nor `False`, such as the text "no", which counts as true.

    Raises:
        InvalidRequestError: It is neither.
    """
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{name} is True or False, not {value!r}")


def check_weights(weights: Mapping[str, float] | None) -> None:
    """Refuse signal weights that are no finite numbers by name.

    Raises:
        InvalidRequestError: They are none.
    """
    if weights is None:
        return
    if not isinstance(weights, Mapping):
        raise InvalidRequestError(f"signal_weights has numbers by the names of signals, not {weights!r}")
    for signal, weight in weights.items():
        _ = checked_ids("signal_weights", [signal])
        if not isinstance(weight, int | float) or isinstance(weight, bool) or not math.isfinite(weight):
            raise InvalidRequestError(f"signal_weights[{signal!r}] is a number, not {weight!r}")


def check_json(name: str, value: object) -> None:
    """Refuse what JSON cannot say, and what has a NUL character anywhere in it.

    Raises:
        InvalidRequestError: It is such a value.
    """
    problem = "a text in it has a NUL character"
    try:
        if _NUL.search(encode_body(value)) is None:
            return
    except UnreadableError as error:
        problem = str(error)
    raise InvalidRequestError(f"{name} cannot be sent: {problem}")


def _listed(name: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str | bytes):
        raise InvalidRequestError(f"{name} is a list of texts, not the single text {values!r}")
    if not isinstance(values, Iterable):
        raise InvalidRequestError(f"{name} is a list of texts, not {values!r}")
    given = list(values)
    if not given:
        raise InvalidRequestError(f"{name} is empty")
    return given
