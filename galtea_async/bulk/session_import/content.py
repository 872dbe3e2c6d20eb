"""The identity of an input: its custom id, and a digest of its content.

The content is written as canonical JSON: wire names, nothing that is not set, keys in order, without blanks.
Its SHA-256 tells whether two inputs are the same, and stands in for the custom id where there is none: the
same conversation then gets the same custom id in each run and on each machine.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec
from attrs import evolve, frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.models.converter import unstructure
from galtea_async.models.session_input import SessionInput

__all__ = ["Identity", "identified"]

_PREFIX: Final = "content-"
_DIGITS: Final = 32


@frozen
class Identity:
    """What is kept of an input, however long it is.

    Attributes:
        anchor: The version or product on which its custom id is unique.
        custom_id: Its custom id.
        digest: The SHA-256 of its content, without the custom id.
        position: The number of the input, from 0.
    """

    anchor: str
    custom_id: str
    digest: bytes
    position: int


def identified(wanted: SessionInput, position: int) -> tuple[SessionInput, Identity]:
    """Return an input that certainly has a custom id, and its identity.

    Args:
        wanted: The input.
        position: Its number, from 0.

    Raises:
        InvalidRequestError: JSON cannot say what it holds.
    """
    digest = sha256(_canonical(wanted, position))
    custom_id = wanted.custom_id
    if custom_id is None:
        custom_id = _PREFIX + digest.hexdigest()[:_DIGITS]
        wanted = evolve(wanted, custom_id=custom_id)
    anchor = f"version {wanted.version_id}" if wanted.version_id else f"product {wanted.product_id}"
    return wanted, Identity(anchor, custom_id, digest.digest(), position)


def _canonical(wanted: SessionInput, position: int) -> bytes:
    content = unstructure(wanted)
    content.pop("customId", None)
    problem = ""
    try:
        return msgspec.json.encode(content, order="deterministic")
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)
    raise InvalidRequestError(f"inputs[{position}] cannot be written as JSON: {problem}")
