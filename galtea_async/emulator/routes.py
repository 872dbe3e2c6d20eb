"""The table of routes: what the server understands, as data.

One table serves three purposes: the server registers its handlers from it, handlers see of a request only
what its entry declares (a query parameter that is not declared cannot be read), and the description of the
API is written from it, because each entry also says what it takes and what it answers with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeVar

import attrs
import msgspec

from galtea_async.emulator.parameters import Parameter
from galtea_async.emulator.replies import Problem, Reply
from galtea_async.emulator.work import OneStep, Work

__all__ = ["Call", "Json", "Method", "Route", "at_once"]

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Json = dict[str, object] | list[object] | str | float | bool | None
"""What a JSON text decodes to."""

_Body = TypeVar("_Body", bound=msgspec.Struct)


@attrs.frozen(kw_only=True)
class Call:
    """A request that has been read and admitted, as a handler sees it.

    Attributes:
        user_id: Who asks.
        path: The decoded path parameters, by name.
        query: The decoded pairs of the query string, of the parameters that the route declares.
        payload: The decoded JSON body, `None` where there was none.
        scope: The project that the call is about, where a service keeps projects apart.
        address: The path of the URL as it was sent, for services that count requests by it.
    """

    user_id: str
    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    payload: Json
    scope: str = ""
    address: str = ""

    def body(self, shape: type[_Body]) -> _Body:
        """Read the body as an object of a shape.

        Keys that hold `null` count as absent: the official client sends them for whatever its caller left
        out.

        Raises:
            Problem: With status 400, when the body does not have the shape.
        """
        return _converted({name: value for name, value in self._object().items() if value is not None}, shape)

    def changes(self, shape: type[_Body]) -> _Body:
        """Read the body as changes to an object: `null` empties a field, an absent key leaves it alone.

        Raises:
            Problem: With status 400, when the body does not have the shape.
        """
        return _converted(self._object(), shape)

    def _object(self) -> dict[str, object]:
        if not isinstance(self.payload, dict):
            raise Problem(400, "A JSON object is required as the request body")
        return self.payload


def _converted(fields: dict[str, object], shape: type[_Body]) -> _Body:
    try:
        return msgspec.convert(fields, shape)
    except msgspec.ValidationError as error:
        raise Problem(400, f"Invalid request body: {error}") from None


@attrs.frozen(kw_only=True)
class Route:
    """One operation of the API.

    Attributes:
        method: The verb.
        path: The template, such as `/evaluations/{id}/claim`.
        doors: The verbs and templates that lead to it, where these are more than its own.
        begin: Admits a call and returns its work.
        verb: What it does to its noun, in words with hyphens between them. Command lines that are made from
            the description of the API name their commands by tag and verb.
        summary: One line for people.
        tag: The noun under which the description of the API files it.
        status: The status of a success.
        other_statuses: Further statuses of successes, with the same body.
        answer: The type of a success's body, `None` where there is no body.
        body: The type of the request's body, `None` where there is none.
        parameters: The query parameters.
        is_described: Whether the description of the API names it.
        needs_key: Whether callers must say who they are.
    """

    method: Method
    path: str
    begin: Callable[[Call], Work]
    verb: str
    summary: str
    tag: str
    status: int = 200
    other_statuses: tuple[int, ...] = ()
    answer: object = None
    body: type[msgspec.Struct] | None = None
    parameters: tuple[Parameter, ...] = ()
    needs_key: bool = True
    is_described: bool = True
    doors: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """Verb and template, as faults name it."""
        return f"{self.method} {self.path}"

    @cached_property
    def parameter_names(self) -> frozenset[str]:
        """The names of the query parameters."""
        return frozenset([parameter.name for parameter in self.parameters])


def at_once(handler: Callable[[Call], Reply]) -> Callable[[Call], Work]:
    """Turn a handler that answers in one go into one that begins work."""
    return lambda call: OneStep(lambda: handler(call))
