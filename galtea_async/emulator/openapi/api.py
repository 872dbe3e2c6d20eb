"""What the table of routes does not say about an API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from galtea_async.emulator.routes import Route

__all__ = ["Api", "Refused"]


@attrs.frozen(kw_only=True)
class Refused:
    """How requests are refused.

    Attributes:
        reason: Why, in one line.
        shapes: The type of the body by media type; `None` for one that is no JSON.
    """

    reason: str
    shapes: Mapping[str, object]


@attrs.frozen(kw_only=True)
class Api:
    """An API as a whole.

    Attributes:
        title: Its name.
        version: Its version.
        about: What it is.
        schemes: The ways of saying who one is, as OpenAPI describes them, by name.
        security: The combinations of them that are accepted.
        refusals: How a route refuses requests, by status; `default` stands for all that are not named.
    """

    title: str
    version: str
    about: str
    schemes: Mapping[str, Mapping[str, str]]
    security: Sequence[Mapping[str, list[str]]]
    refusals: Callable[[Route], Mapping[str, Refused]]
