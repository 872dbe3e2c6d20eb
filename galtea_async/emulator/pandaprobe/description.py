"""What the description of PandaProbe's API says beside its routes.

The server's own description claims another shape for what is invalid than it answers with. This one says what
is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from galtea_async.emulator.openapi.api import Api, Refused
from galtea_async.emulator.pandaprobe import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from galtea_async.emulator.routes import Route

__all__ = ["PANDAPROBE_API"]

_JSON = "application/json"
_ENCODED = Refused(reason="The body cannot be decoded", shapes={_JSON: wire.Refused})
_NOBODY = Refused(reason="Nobody with these credentials is known", shapes={_JSON: wire.Refused})
_UNKNOWN = Refused(reason="There is no such thing", shapes={_JSON: wire.Refused})
_INVALID = Refused(
    reason="The form of the request is not valid, or a rule is against it", shapes={_JSON: wire.Invalid}
)
_TOO_MUCH = Refused(reason="Too many requests, or too much for the quota", shapes={_JSON: wire.Exceeded})
_BROKEN = Refused(reason="A value that the database does not take", shapes={"text/plain": None})


def _refusals(route: Route) -> Mapping[str, Refused]:
    refusals = {"422": _INVALID, "429": _TOO_MUCH, "500": _BROKEN} if route.needs_key else {"429": _TOO_MUCH}
    if route.body is not None:
        refusals["400"] = _ENCODED
    if route.needs_key:
        refusals["401"] = _NOBODY
    if "{" in route.path:
        refusals["404"] = _UNKNOWN
    return refusals


PANDAPROBE_API = Api(
    title="PandaProbe",
    version="0.5.0",
    about="What the local emulator implements of PandaProbe's API.",
    schemes={
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "projectName": {"type": "apiKey", "in": "header", "name": "X-Project-Name"},
        "token": {"type": "http", "scheme": "bearer"},
        "projectId": {"type": "apiKey", "in": "header", "name": "X-Project-ID"},
    },
    security=({"apiKey": [], "projectName": []}, {"token": [], "projectId": []}),
    refusals=_refusals,
)
