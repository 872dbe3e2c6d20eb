"""A change of some fields of an object, which leaves the others alone.

A PATCH is not repeated after a lost answer: it may arrive late, and in the meantime somebody else may have
changed the object, whose work a second one would undo. But the object is looked at, and where it is as the
change wants it, there is nothing left to wonder about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, TypeVar, cast, final

from attrs import frozen

from galtea_async.errors import (
    DecodeError,
    InvalidRequestError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnknownOutcomeError,
)
from galtea_async.http.call import Call
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.converter import encode_json, read_json, wire_name
from galtea_async.models.json_value import JsonValue
from galtea_async.models.unset import UNSET

__all__ = ["Changes", "change", "send_or_see"]

_Model = TypeVar("_Model")
_NOT_SEEN = (TransportError, ServerError, RateLimitedError, DecodeError)


@final
@frozen
class Changes:
    """New values of fields, by their names in Python.

    Args:
        fields: The values; `None` stands for null.
        text_keys: For fields where the service keeps a text in an object, the key under which it does.
    """

    fields: Mapping[str, object]
    text_keys: Mapping[str, str]

    @classmethod
    def of(cls, fields: Mapping[str, object], *, text_keys: Mapping[str, str]) -> Self:
        """Take the fields that are not `UNSET`.

        Raises:
            InvalidRequestError: None is left.
        """
        given = {name: _plain(value) for name, value in fields.items() if value is not UNSET}
        if not given:
            raise InvalidRequestError(f"nothing to change: give at least one of {', '.join(fields)}")
        return cls(given, text_keys)

    def body(self) -> dict[str, object]:
        """Return what goes over the wire; what is `None` goes as null."""
        return {wire_name(name): value for name, value in self.fields.items()}

    def are_in(self, model: object) -> bool:
        """Tell whether an object has all the new values."""
        return all(
            getattr(model, name, None) in self._kept_as(name, value) for name, value in self.fields.items()
        )

    def _kept_as(self, name: str, value: object) -> list[JsonValue]:
        sent = read_json(encode_json(value))
        key = self.text_keys.get(name)
        return [sent, {key: sent}] if key is not None and isinstance(sent, str) else [sent]


async def change(channel: Channel, template: str, id_: str, model: type[_Model], changes: Changes) -> _Model:
    """Change an object (PATCH), and look at it where the answer was lost.

    Args:
        channel: The way to the service.
        template: The route, with `{id}`.
        id_: The object.
        model: What it is.
        changes: Its new values.

    Returns:
        The object, as the service has it now.

    Raises:
        UnknownOutcomeError: The answer was lost, and the object is not as the changes want it.
    """
    ids = {"id": id_}
    call = object_call("PATCH", template, model, ids=ids, body=changes.body())
    return await send_or_see(channel, call, object_call("GET", template, model, ids=ids), changes)


async def send_or_see(channel: Channel, call: Call[_Model], look: Call[_Model], changes: Changes) -> _Model:
    """Send a change once; where its answer is lost, look whether the object has the new values.

    Args:
        channel: The way to the service.
        call: The change.
        look: Reads the object.
        changes: The new values.

    Returns:
        The object, as the service has it now.

    Raises:
        UnknownOutcomeError: The answer was lost, and the object could not be read or is different.
    """
    try:
        return await channel.send(call)
    except UnknownOutcomeError as error:
        lost = error
    try:
        seen = await channel.send(look)
    except _NOT_SEEN:
        seen = None  # the caller learns of the write, for which there is still no verdict
    if seen is not None and changes.are_in(seen):
        return seen
    raise lost


def _plain(value: object) -> object:
    return dict(cast(Mapping[str, object], value)) if isinstance(value, Mapping) else value
