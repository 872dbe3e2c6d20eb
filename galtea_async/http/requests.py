"""Turns an endpoint, its ids, filters and body into a call, and sends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from galtea_async.errors import InvalidRequestError
from galtea_async.http.call import Call
from galtea_async.http.channel import Channel
from galtea_async.http.target import Parameter, fill, query_string
from galtea_async.models.converter import UnreadableError, read_json, read_page, structure
from galtea_async.models.json_body import encode_body
from galtea_async.models.json_value import JsonValue

__all__ = ["any_call", "list_answer_call", "list_call", "object_call", "send_nothing"]

_Model = TypeVar("_Model")


def object_call(
    method: str,
    template: str,
    model: type[_Model],
    *,
    ids: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
) -> Call[_Model]:
    """Make a call that is answered with one object."""

    async def decode(answer: bytes) -> _Model:
        return structure(answer, model)

    return Call(
        method=method,
        template=template,
        target=fill(template, **(ids or {})),
        decode=decode,
        body=_encode(body),
    )


def list_answer_call(template: str, model: type[_Model], body: Mapping[str, object]) -> Call[list[_Model]]:
    """Make a write that is answered with a list of objects."""

    async def decode(answer: bytes) -> list[_Model]:
        return await read_page(answer, model)

    return Call(method="POST", template=template, target=template, decode=decode, body=_encode(body))


def list_call(
    template: str,
    model: type[_Model],
    parameters: Iterable[Parameter] = (),
    *,
    ids: Mapping[str, str] | None = None,
) -> Call[list[_Model]]:
    """Make a call that is answered with a list of objects."""

    async def decode(answer: bytes) -> list[_Model]:
        return await read_page(answer, model)

    target = fill(template, **(ids or {})) + query_string(parameters)
    return Call(method="GET", template=template, target=target, decode=decode)


def any_call(method: str, path: str, parameters: Iterable[Parameter], body: object | None) -> Call[JsonValue]:
    """Make a call to any route; its answer is decoded JSON, or `None` where there is none."""

    async def decode(answer: bytes) -> JsonValue:
        return read_json(answer) if answer else None

    return Call(
        method=method,
        template=path,
        target=path + query_string(parameters),
        decode=decode,
        body=_encode(body),
    )


async def send_nothing(
    channel: Channel, method: str, template: str, *, parameters: Iterable[Parameter] = (), **ids: str
) -> None:
    """Send a call whose answer says nothing but its status."""

    async def decode(_: bytes) -> None:
        return None

    target = fill(template, **ids) + query_string(parameters)
    await channel.send(Call(method=method, template=template, target=target, decode=decode))


def _encode(body: object | None) -> bytes | None:
    if body is None:
        return None
    problem = ""
    try:
        return encode_body(body)
    except UnreadableError as error:
        problem = str(error)
    raise InvalidRequestError(f"the request cannot be written as JSON: {problem}")
