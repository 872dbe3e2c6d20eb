"""What the description of Galtea's API says beside its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from galtea_async.emulator.galtea.wire import ErrorAnswer
from galtea_async.emulator.openapi.api import Api, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from galtea_async.emulator.routes import Route

__all__ = ["GALTEA_API"]

_IN_JSON = {"application/json": ErrorAnswer}
_IN_JSON_OR_ON_A_PAGE = {**_IN_JSON, "text/html": None}
_INVALID = Refused(reason="The request is not valid, or asks for what is not possible", shapes=_IN_JSON)
_UNKNOWN = Refused(
    reason="Something that the request names does not exist; where it is the path, that is told on a page",
    shapes=_IN_JSON_OR_ON_A_PAGE,
)
_NOBODY = Refused(reason="The API key is missing or not valid", shapes=_IN_JSON)
_OTHERWISE = Refused(
    reason="Any other refusal; where it comes from a proxy in front of the service, it is a page",
    shapes=_IN_JSON_OR_ON_A_PAGE,
)


def _refusals(route: Route) -> Mapping[str, Refused]:
    refusals: dict[str, Refused] = {}
    if route.body is not None or route.parameters:
        refusals["400"] = _INVALID
    if route.needs_key:
        refusals["401"] = _NOBODY
    if route.body is not None or route.parameters or "{" in route.path:
        refusals["404"] = _UNKNOWN
    refusals["default"] = _OTHERWISE
    return refusals


GALTEA_API = Api(
    title="Product Management Service API",
    version="5.12.0",
    about="What the local emulator implements of Galtea's API.",
    schemes={
        "bearerAuth": {"type": "http", "scheme": "bearer", "description": "An API key, such as gsk_..."}
    },
    security=({"bearerAuth": []},),
    refusals=_refusals,
)
