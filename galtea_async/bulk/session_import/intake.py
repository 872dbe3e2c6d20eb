"""Turns any iterable of inputs into identified ones: pulled one by one, on demand, and checked.

Nothing is read ahead, and of what was read nothing is kept, so memory does not depend on the input's length.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sized
from typing import Final, TypeAlias

from attrs import define, field

from galtea_async.bulk.session_import.content import Identity, identified
from galtea_async.errors import InvalidRequestError
from galtea_async.models.session_input import SessionInput

__all__ = ["ImportIntake", "SessionInputs", "checked_inputs"]

_END: Final = object()

SessionInputs: TypeAlias = Iterable[SessionInput] | AsyncIterable[SessionInput]
"""Inputs: any iterable or async iterable of any length; one that comes again is created once."""


def checked_inputs(inputs: SessionInputs) -> SessionInputs:
    """Refuse what is no iterable of inputs before anything is sent.

    Raises:
        InvalidRequestError: It is a single thing, or a mapping.
    """
    kind: type[object] = type(inputs)
    if issubclass(kind, str | bytes | Mapping) or not issubclass(kind, Iterable | AsyncIterable):
        raise InvalidRequestError(f"inputs is an iterable of SessionInput objects, not {kind.__name__}")
    return inputs


@define
class ImportIntake:
    """Reads inputs one by one.

    Args:
        inputs: Where they come from, already checked by `checked_inputs`.

    Attributes:
        read: How many were read.
        repeated: How many of them had come before.
        exhausted: Whether there are no more.
    """

    inputs: SessionInputs
    read: int = field(default=0, init=False)
    repeated: int = field(default=0, init=False)
    exhausted: bool = field(default=False, init=False)
    _source: Iterator[SessionInput] | AsyncIterator[SessionInput] = field(init=False, repr=False)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Begin at the beginning."""
        self._source = aiter(self.inputs) if isinstance(self.inputs, AsyncIterable) else iter(self.inputs)

    @property
    def can_wait(self) -> bool:
        """Whether the next input may take its time."""
        return isinstance(self._source, AsyncIterator)

    @property
    def total(self) -> int | None:
        """How many distinct inputs there are, as far as that can be known beforehand."""
        count = len(self.inputs) if isinstance(self.inputs, Sized) else self.read if self.exhausted else None
        return None if count is None else count - self.repeated

    async def next(self) -> tuple[SessionInput, Identity] | None:
        """Return the next input, or `None` at the end.

        Raises:
            InvalidRequestError: It is no `SessionInput`, or one that has no identity.
            Exception: Whatever the source raises.
        """
        async with self._lock:
            if self.exhausted:
                return None
            wanted = await self._pull()
            if wanted is _END:
                self.exhausted = True
                return None
            position = self.read
            self.read += 1
        if not isinstance(wanted, SessionInput):
            raise InvalidRequestError(f"inputs[{position}] is a SessionInput, not {wanted!r:.100}")
        return identified(wanted, position)

    async def _pull(self) -> object:
        if isinstance(self._source, AsyncIterator):
            return await anext(self._source, _END)
        return next(self._source, _END)
