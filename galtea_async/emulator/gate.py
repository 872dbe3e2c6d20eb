"""What every request must pass before its route's work begins, whatever the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs
import msgspec

from galtea_async.emulator.parameters import plain_name
from galtea_async.emulator.routes import Call, Json

if TYPE_CHECKING:
    from aiohttp import web

    from galtea_async.emulator.replies import Reply
    from galtea_async.emulator.routes import Route

__all__ = ["Gate", "Malformed", "call_of", "decoded"]


@attrs.frozen
class Malformed:
    """Stands for a body that is no JSON.

    Attributes:
        offset: The byte at which reading it was given up.
    """

    offset: int


class Gate(Protocol):
    """Lets requests in, and gives their answers what all answers of the service carry."""

    def admit(self, request: web.Request, route: Route | None, payload: Json | Malformed) -> Call:
        """Return the call that a request makes.

        Args:
            request: The request.
            route: The route that it matched, `None` for an unknown one.
            payload: Its decoded body.

        Raises:
            Refusal: The request does not pass.
        """
        ...

    def dress(self, request: web.Request, route: Route | None, reply: Reply, /) -> Reply:
        """Add what the service says in every answer."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """The credentials that must not be recorded."""
        ...


def decoded(content: bytes) -> Json | Malformed:
    """Decode a body; an empty one counts as none."""
    if not content:
        return None
    try:
        value: Json = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        return Malformed(_offset(str(error)))
    except RecursionError:  # brackets nested deeper than a decoder goes
        return Malformed(0)
    return value


def call_of(
    request: web.Request,
    route: Route,
    payload: Json,
    *,
    user_id: str,
    scope: str = "",
    address: str = "",
) -> Call:
    """Put a request that has been admitted into the form in which handlers see it."""
    known = route.parameter_names
    return Call(
        user_id=user_id,
        path=dict(request.match_info),
        query=[pair for pair in request.rel_url.query.items() if plain_name(pair[0]) in known],
        payload=payload,
        scope=scope,
        address=address,
    )


def _offset(message: str) -> int:
    """The place that the decoder names at the end of its message, as in `... (byte 7)`."""
    number = message.rpartition("(byte ")[2].rstrip(")")
    return int(number) if number.isdecimal() else 0
