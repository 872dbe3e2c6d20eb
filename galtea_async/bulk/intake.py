"""Turns any iterable of ids into chunks: pulled on demand, checked, each id once.

Nothing is read ahead beyond the chunk that is asked for, so memory does not depend on the input's length.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sized
from itertools import islice
from typing import Final, TypeAlias

from attrs import define, field

from galtea_async.bulk.chunk import NewChunk
from galtea_async.bulk.journal import Journal
from galtea_async.errors import InvalidRequestError
from galtea_async.models.text import are_ids, is_id, why_no_id

__all__ = ["Ids", "Intake", "checked_ids"]

Ids: TypeAlias = Iterable[str] | AsyncIterable[str]
"""Session ids: any iterable or async iterable of any length, duplicates allowed."""

_SLICE: Final = 10_000


async def checked_ids(ids: Ids, *, may_be_blank: bool = False) -> Ids:
    """Refuse an input that cannot be right before anything is sent, as far as that can be seen.

    Args:
        ids: The input; a collection is checked whole, an iterator id by id while it is read.
        may_be_blank: Whether the service has blank ids.

    Returns:
        The input.

    Raises:
        InvalidRequestError: It is a single text or not iterable, or holds something that is no id.
    """
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable | AsyncIterable):
        raise InvalidRequestError(f"session_ids is an iterable of ids, not {type(ids).__name__}")
    if isinstance(ids, Iterable) and isinstance(ids, Sized):
        position = 0
        iterator = iter(ids)
        while block := list(islice(iterator, _SLICE)):
            _check(block, position, may_be_blank=may_be_blank)
            position += len(block)
            await asyncio.sleep(0)
    return ids


def _check(ids: list[str], position: int, *, may_be_blank: bool) -> None:
    if are_ids(ids):
        return
    wrong = (offset for offset, id_ in enumerate(ids) if not (is_id(id_) or (may_be_blank and _blank(id_))))
    offset = next(wrong, None)
    if offset is None:
        return
    raise InvalidRequestError(f"session_ids[{position + offset}] {why_no_id(ids[offset])}")


def _blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


@define
class Intake:
    """Reads chunks from an input.

    Args:
        ids: The input, already checked by `checked_ids`.
        journal: Knows which ids are new.
        chunk_size: The most ids of a chunk; may be lowered at any time.
        expected: How many distinct sessions the job has, where the caller knows and the input does not tell.
        is_all: Whether the job has no other input than this one.
        may_be_blank: Whether the service has blank ids.
    """

    ids: Ids
    journal: Journal
    chunk_size: int
    expected: int | None = None
    is_all: bool = True
    may_be_blank: bool = False
    exhausted: bool = field(default=False, init=False)
    read: int = field(default=0, init=False)
    repeated: int = field(default=0, init=False)
    _source: Iterator[str] | AsyncIterator[str] = field(init=False, repr=False)
    _ready: list[str] = field(factory=list[str], init=False, repr=False)
    _broke_off: bool = field(default=False, init=False, repr=False)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Begin at the beginning."""
        self._source = aiter(self.ids) if isinstance(self.ids, AsyncIterable) else iter(self.ids)

    @property
    def finished(self) -> bool:
        """Whether every id of the input has been handed out; never where reading it broke off."""
        return self.exhausted and not self._ready and not self._broke_off

    @property
    def total(self) -> int | None:
        """How many distinct sessions there are, as far as that can be known beforehand."""
        if self.exhausted:
            return self.journal.known
        if not isinstance(self.ids, Sized):
            return self.expected
        return max(self.journal.known, len(self.ids) - max(0, self.repeated - self.journal.known_at_start))

    async def next(self) -> NewChunk | None:
        """Return the next chunk, or `None` at the end.

        Raises:
            InvalidRequestError: The input holds something that is no id.
            Exception: Whatever the input raises.
        """
        async with self._lock:
            while len(self._ready) < self.chunk_size and not self.exhausted and not self._broke_off:
                self._broke_off = True  # until the block is there: a generator that raises looks empty after
                await self._read_block(self.chunk_size - len(self._ready))
                self._broke_off = False
            ids, self._ready = self._ready[: self.chunk_size], self._ready[self.chunk_size :]
            return NewChunk(session_ids=tuple(ids)) if ids else None

    async def _read_block(self, size: int) -> None:
        block = await self._pull(size)
        self.exhausted = len(block) < size
        _check(block, self.read, may_be_blank=self.may_be_blank)
        new = await self.journal.claim(block) if block else []
        self.read += len(block)
        self.repeated += len(block) - len(new)
        self._ready += new

    async def _pull(self, size: int) -> list[str]:
        if not isinstance(self._source, AsyncIterator):
            return list(islice(self._source, size))
        block: list[str] = []
        async for id_ in self._source:
            block.append(id_)
            if len(block) == size:
                break
        return block
