"""What stands before PandaProbe's routes: the form of requests, credentials, the project, the rate limit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from galtea_async.emulator.gate import Malformed, call_of
from galtea_async.emulator.pandaprobe.problems import JSON, detail, validation_error
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.replies import Refusal, Reply
from galtea_async.emulator.routes import Call, Json, Route

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["PandaProbeGate"]

_PROJECT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.'-]{0,253}[A-Za-z0-9])?")
_SCOPE_REQUIRED = "Project scope required: send X-Project-Name with an API key, X-Project-ID with a token"


@attrs.define(kw_only=True, eq=False)
class PandaProbeGate:
    """Lets requests in.

    Attributes:
        service: The service behind it.
        routes: The routes of the service.
        api_keys: The keys that are valid.
        tokens: The bearer tokens that are valid.
    """

    service: Service
    routes: Sequence[Route]
    api_keys: set[str] = attrs.field(repr=False)
    tokens: set[str] = attrs.field(repr=False)

    def admit(self, request: web.Request, route: Route | None, payload: Json | Malformed) -> Call:
        """Check the route, the rate, the body's form, the credentials and the project, in this order.

        Raises:
            Refusal: One of them does not pass.
        """
        if route is None or "%2f" in request.rel_url.raw_path.lower():
            raise self._no_such_route(request)
        credential = _credential(request)
        address = request.rel_url.raw_path
        if route.name not in self.service.rules.limits():
            self.service.count_request((credential, address), self.service.rules.other_requests)
        content = _content(request, route, payload)
        scope = self._scope(request) if route.needs_key else ""
        return call_of(request, route, content, user_id=credential, scope=scope, address=address)

    def dress(self, request: web.Request, route: Route | None, reply: Reply, /) -> Reply:
        """Add the request's id, except where the service has lost it: to a 500 and a general 429."""
        if reply.status == 500 or (reply.status == 429 and not self._has_own_limit(route)):
            return reply
        request_id = request.headers.get("X-Request-ID") or self.service.new_id()
        return attrs.evolve(reply, headers={**reply.headers, "X-Request-ID": request_id})

    def secrets(self) -> tuple[str, ...]:
        """The keys and the tokens."""
        return (*self.api_keys, *self.tokens)

    def _has_own_limit(self, route: Route | None) -> bool:
        return route is not None and route.name in self.service.rules.limits()

    def _scope(self, request: web.Request) -> str:
        api_key = request.headers.get("X-API-Key", "")
        if api_key:
            return self._project_by_name(request, api_key)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise detail(401, "Authentication required")
        if token not in self.tokens:
            raise detail(401, "Invalid or expired token")
        return self._project_by_id(request)

    def _project_by_name(self, request: web.Request, api_key: str) -> str:
        if api_key not in self.api_keys:
            raise detail(401, "Invalid API key")
        name = request.headers.get("X-Project-Name", "").strip()
        if not name:
            raise detail(422, _SCOPE_REQUIRED)
        if not _PROJECT_NAME.fullmatch(name):
            raise detail(422, "Invalid project name")
        return self.service.project_id(name)

    def _project_by_id(self, request: web.Request) -> str:
        project_id = request.headers.get("X-Project-ID", "").strip()
        if not project_id:
            raise detail(422, _SCOPE_REQUIRED)
        try:
            known = self.service.has_project(str(UUID(project_id)))
        except ValueError:
            raise detail(422, "Invalid project ID") from None
        if not known:
            raise detail(422, "Project not found in this organization")
        return str(UUID(project_id))

    def _no_such_route(self, request: web.Request) -> Refusal:
        path = request.rel_url.raw_path
        if self._methods(path):
            refused = detail(405, "Method Not Allowed").reply
            return Refusal(attrs.evolve(refused, headers={"Allow": ", ".join(self._methods(path))}))
        if self._methods(path.rstrip("/")):
            # As it came: decoded, a line break in it would end the header, and an ampersand the value.
            query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
            location = f"http://{request.host}{path.rstrip('/')}{query}"
            return Refusal(Reply(status=307, content_type="", headers={"Location": location}))
        return detail(404, "Not Found")

    def _methods(self, path: str) -> list[str]:
        return [route.method for route in self.routes if _matches(route, path)]


def _matches(route: Route, path: str) -> bool:
    wanted, given = route.path.split("/"), path.split("/")
    return (
        len(wanted) == len(given)
        and "%2f" not in path.lower()
        and all(
            (part and step.startswith("{")) or part == step for step, part in zip(wanted, given, strict=True)
        )
    )


def _credential(request: web.Request) -> str:
    """What requests are counted by: the bearer token before the API key, before the address."""
    bearer = request.headers.get("Authorization", "")
    told = bearer or request.headers.get("X-API-Key") or request.remote or ""
    return sha256(told.encode(errors="surrogateescape")).hexdigest()[:16]


def _content(request: web.Request, route: Route, payload: Json | Malformed) -> Json:
    if route.body is None:
        return None
    if request.headers.get("Content-Encoding"):
        raise detail(400, "There was an error parsing the body")
    if request.content_type != JSON:
        return ""
    if isinstance(payload, Malformed):
        raise validation_error(str(payload.offset), "JSON decode error")
    return payload
