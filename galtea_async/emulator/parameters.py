"""The parameters of query strings, as data: what reads a request and what describes the API share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import attrs

__all__ = ["FROM_WHERE", "HOW_MANY", "Kind", "Parameter", "plain_name"]

HOW_MANY = "How many rows at most"
FROM_WHERE = "How many rows to leave out at the beginning"

Kind = Literal["strings", "boolean", "share", "moment", "text", "whole"]
"""How the values of a parameter are read."""


def plain_name(key: str) -> str:
    """The name of a parameter without the brackets that some clients put behind the name of an array."""
    return key.removesuffix("[]")


@attrs.frozen(kw_only=True)
class Parameter:
    """A parameter of a query string.

    Attributes:
        name: Its name.
        kind: How its values are read; `strings` is the only kind that takes several.
        choices: The values it takes, where only some are allowed.
        least: The smallest whole number.
        most: The largest whole number, or how many strings.
        default: What an absent whole number stands for; `None` where the service does not say.
        about: What it means, where its name does not say it.
    """

    name: str
    kind: Kind = "strings"
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None
    default: int | None = None
    about: str = ""

    @property
    def schema(self) -> dict[str, object]:
        """Its values, in the dialect of OpenAPI 3.0."""
        return _SCHEMAS[self.kind](self)


def _strings(parameter: Parameter) -> dict[str, object]:
    bound = {} if parameter.most is None else {"maxItems": parameter.most}
    return {"type": "array", "items": _text(parameter), **bound}


def _text(parameter: Parameter) -> dict[str, object]:
    return {"type": "string", **({"enum": list(parameter.choices)} if parameter.choices else {})}


def _whole(parameter: Parameter) -> dict[str, object]:
    further = {"maximum": parameter.most, "default": parameter.default}
    said = {name: value for name, value in further.items() if value is not None}
    return {"type": "integer", "minimum": parameter.least, **said}


_SCHEMAS: Mapping[Kind, Callable[[Parameter], dict[str, object]]] = {
    "strings": _strings,
    "boolean": lambda _: {"type": "boolean"},
    "share": lambda _: {"type": "number", "minimum": 0, "maximum": 1},
    "moment": lambda _: {"type": "string", "format": "date-time"},
    "text": _text,
    "whole": _whole,
}
