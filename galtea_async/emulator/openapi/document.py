"""The document, and the route that serves it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

from galtea_async.emulator.openapi.dialect import Schema, schemas_of
from galtea_async.emulator.replies import Reply, json_reply
from galtea_async.emulator.routes import Route, at_once

if TYPE_CHECKING:
    from galtea_async.emulator.openapi.api import Api
    from galtea_async.emulator.parameters import Parameter
    from galtea_async.emulator.routes import Call

__all__ = ["document", "openapi_route"]

_JSON = "application/json"
_PATH_PARAMETER = re.compile(r"{(\w+)}")


def openapi_route(api: Api, routes: Sequence[Route]) -> Route:
    """The route that serves the description of others; anybody may read it.

    Args:
        api: What the routes belong to.
        routes: What is described.
    """

    @cache
    def described() -> Reply:
        return json_reply(200, document(api, routes))

    def handle(_call: Call) -> Reply:
        return described()

    return Route(
        method="GET",
        path="/openapi.json",
        begin=at_once(handle),
        verb="get-openapi",
        summary="Get the description of the API",
        tag="Service",
        answer=dict[str, object],
        needs_key=False,
        is_described=False,
    )


def document(api: Api, routes: Sequence[Route]) -> Schema:
    """Describe routes in OpenAPI 3.0."""
    described = [route for route in routes if route.is_described]
    shapes = _Shapes.of(api, described)
    paths: dict[str, Schema] = {}
    for route in described:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(api, route, shapes)
    return {
        "openapi": "3.0.3",
        "info": {"title": api.title, "version": api.version, "description": api.about},
        "servers": [{"url": "/"}],
        "security": list(api.security),
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in described)],
        "paths": paths,
        "components": {"securitySchemes": dict(api.schemes), "schemas": shapes.components},
    }


@attrs.frozen
class _Shapes:
    """The schemas of all the types of an API.

    Attributes:
        components: Those with names.
    """

    components: dict[str, Schema]
    _types: list[object]
    _schemas: list[Schema]

    @classmethod
    def of(cls, api: Api, routes: Sequence[Route]) -> _Shapes:
        types = [
            shape
            for route in routes
            for shape in (route.answer, route.body, *_refused_shapes(api, route))
            if shape is not None
        ]
        schemas, components = schemas_of(types)
        return cls(components, types, schemas)

    def schema(self, shape: object) -> Schema:
        return self._schemas[self._types.index(shape)]

    def content(self, shapes: Mapping[str, object]) -> Schema:
        """Say what a body holds, by media type."""
        return {
            kind: {} if shape is None else {"schema": self.schema(shape)} for kind, shape in shapes.items()
        }


def _refused_shapes(api: Api, route: Route) -> list[object]:
    return [shape for refused in api.refusals(route).values() for shape in refused.shapes.values()]


def _operation(api: Api, route: Route, shapes: _Shapes) -> Schema:
    operation: Schema = {
        "operationId": _operation_id(route),
        "x-cli-name": route.verb,
        "summary": route.summary,
        "tags": [route.tag],
        "responses": _responses(api, route, shapes),
    }
    parameters = [*_path_parameters(route), *map(_query_parameter, route.parameters)]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": shapes.content({_JSON: route.body})}
    if not route.needs_key:
        operation["security"] = []
    return operation


def _operation_id(route: Route) -> str:
    """Verb and noun in one word, as in `createFromSessionsEvaluations`."""
    first, *others = re.split(r"[\s-]+", f"{route.verb} {route.tag}")
    return first.lower() + "".join(other[0].upper() + other[1:] for other in others)


def _responses(api: Api, route: Route, shapes: _Shapes) -> Schema:
    done: Schema = {"description": "Done"}
    if route.answer is not None:
        done["content"] = shapes.content({_JSON: route.answer})
    return {
        **{str(status): done for status in (route.status, *route.other_statuses)},
        **{
            status: {"description": refused.reason, "content": shapes.content(refused.shapes)}
            for status, refused in api.refusals(route).items()
        },
    }


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PATH_PARAMETER.findall(route.path)
    ]


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    about = {"description": parameter.about} if parameter.about else {}
    described = {
        "name": parameter.name,
        "in": "query",
        **about,
        "required": False,
        "schema": parameter.schema,
    }
    # Readers differ on what holds where nothing is said: several values are sent as `k=a&k=b`.
    return {**described, "style": "form", "explode": True} if parameter.kind == "strings" else described
