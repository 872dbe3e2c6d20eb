"""What stands before Galtea's routes: the proxy's bound on URLs, the rate limit, and the key."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs
import msgspec

from galtea_async.emulator.galtea.rules import EmulatorRules
from galtea_async.emulator.gate import Malformed, call_of
from galtea_async.emulator.identifiers import Identifiers
from galtea_async.emulator.parameters import plain_name
from galtea_async.emulator.rate_limit import TokenBucket
from galtea_async.emulator.replies import (
    JSON,
    Problem,
    Refusal,
    Reply,
    html_page,
    json_reply,
    message_reply,
    unknown_route,
)

if TYPE_CHECKING:
    from aiohttp import web

    from galtea_async.emulator.routes import Call, Json, Route

__all__ = ["GalteaGate"]

_PAGE_TITLES = {403: "403 Forbidden", 414: "414 Request-URI Too Large", 429: "429 Too Many Requests"}
_ANYBODY = ""
_UNAUTHORIZED = {"error": "Unauthorized", "message": "Invalid or missing API key"}


@attrs.define(kw_only=True, eq=False)
class GalteaGate:
    """Lets requests in.

    Attributes:
        rules: The bound on URLs, and what refusals say.
        keys: Who holds which key.
        bucket: The rate limit; `None` for none.
        identifiers: Where new keys come from.
    """

    rules: EmulatorRules
    keys: dict[str, str] = attrs.field(repr=False)
    bucket: TokenBucket | None
    identifiers: Identifiers

    def admit(self, request: web.Request, route: Route | None, payload: Json | Malformed) -> Call:
        """Check the URL's length, the rate, the route, the key, the body and the query, in this order.

        Raises:
            Refusal: One of them does not pass.
        """
        self.check_size(request)
        self.check_rate()
        if route is None:
            raise Refusal(unknown_route(request.method, request.rel_url.raw_path))
        user_id = self.identify(request) if route.needs_key else _ANYBODY
        if isinstance(payload, Malformed):
            raise Problem(400, "Malformed JSON in the request body")
        self.check_query(request, route)
        return call_of(request, route, payload, user_id=user_id)

    def dress(self, _request: web.Request, _route: Route | None, reply: Reply, /) -> Reply:
        """Say in a refusal what the rules want said; any other answer stays as it is."""
        return self.dressed(reply)

    def dressed(self, reply: Reply) -> Reply:
        """The same for an answer to any request."""
        if self.rules.error_bodies == "both" and reply.status >= 400 and reply.content_type == JSON:
            return _with_error(reply)
        return reply

    def too_many_requests(self) -> Reply:
        """What a request is answered that comes too soon, before it is dressed."""
        match self.rules.rate_limit_body:
            case "json":
                return message_reply(429, "Too many requests")
            case "page":
                return html_page(429, _PAGE_TITLES[429])
            case "empty":
                return Reply(status=429, content_type="")

    def secrets(self) -> tuple[str, ...]:
        """The keys."""
        return tuple(self.keys)

    def add_key(self, user_id: str) -> str:
        """Make a key for a member of the organization."""
        key = self.identifiers.new("gsk")
        self.keys[key] = user_id
        return key

    def revoke(self, key: str) -> None:
        """Make a key invalid."""
        self.keys.pop(key, None)

    def check_size(self, request: web.Request) -> None:
        """Refuse a URL that the proxy in front of the service would not let through.

        Raises:
            Refusal: With the proxy's page.
        """
        limit, status = self.rules.url_limit, self.rules.url_limit_status
        if limit is not None and len(request.raw_path) > limit:
            raise Refusal(html_page(status, _PAGE_TITLES[status]))

    def check_rate(self) -> None:
        """Refuse a request that comes too soon.

        Raises:
            Refusal: With status 429 and, if the rules want it, the seconds to wait.
        """
        wait = None if self.bucket is None else self.bucket.admit()
        if wait is not None:
            headers = {"Retry-After": str(wait)} if self.rules.retry_after else {}
            raise Refusal(attrs.evolve(self.too_many_requests(), headers=headers))

    def check_query(self, request: web.Request, route: Route) -> None:
        """Refuse parameters that a list does not know; where nothing takes parameters, none is looked at.

        Raises:
            Refusal: With status 400 and the names that are accepted.
        """
        known = route.parameter_names
        if not known or self.rules.unknown_filters == "ignore":
            return
        for key in request.rel_url.query:
            if plain_name(key) not in known:
                accepted = ", ".join(sorted(known))
                raise Problem(400, f"Unknown query parameter: {key}. Accepted: {accepted}")

    def identify(self, request: web.Request) -> str:
        """Say whose key a request carries.

        Raises:
            Refusal: With status 401, when it carries none that is valid.
        """
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        user_id = self.keys.get(key.strip()) if scheme.lower() == "bearer" else None
        if user_id is None:
            raise Refusal(json_reply(401, _UNAUTHORIZED))
        return user_id


def _with_error(reply: Reply) -> Reply:
    said = msgspec.json.decode(reply.body, type=dict[str, object])
    both = {"error": HTTPStatus(reply.status).phrase, **said}
    return attrs.evolve(reply, body=msgspec.json.encode(both))
