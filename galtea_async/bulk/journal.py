"""The journal of a job: what was intended, what was decided, and how to go on after a crash.

**State machine.** A session enters the job when its id is read from the input and is not yet known. It is
in one chunk at a time; a chunk is PLANNED, SENT, UNRESOLVED or SETTLED (see `galtea_async.bulk.chunk`), and
when it settles each of its sessions gets an outcome or moves on into a child.

**Invariants**, at every moment, also when the process dies in it:

1. *Intent before deed.* A request leaves only after its chunk is SENT on disk. So what is not SENT was not
   sent.
2. *One verdict.* A chunk settles in one transaction, together with the outcomes of its sessions and its
   children. So no session is in two open chunks, and none is in no chunk.
3. *Nothing twice.* An id is in one chunk without a parent. So an id that the input repeats, in this run or in
   a resumed one, is evaluated once.
4. *Sums.* The totals are the sums over settled chunks; they never depend on memory.

**Resuming** reads what is open: PLANNED chunks are sent, SENT and UNRESOLVED ones reconciled first.

The file is touched by one thread of its own, in the order of the calls, and never by the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar, final

from attrs import define, field

from galtea_async.bulk.chunk import Chunk, ChunkState, NewChunk, Settlement
from galtea_async.bulk.journal_file import JournalFile
from galtea_async.bulk.known_ids import KnownIds
from galtea_async.bulk.plan import Plan
from galtea_async.bulk.totals import Totals
from galtea_async.errors import JournalError
from galtea_async.uninterrupted import uninterrupted

__all__ = ["Journal"]

_Result = TypeVar("_Result")


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="galtea-journal")


@final
@define
class Journal:
    """An open journal.

    Args:
        path: Where it is; `None` for a nameless temporary one.
        plan: What the job is.

    Attributes:
        known_at_start: How many sessions the job had when it was opened.
        known: How many it has now.
        token: A name of the job that no other job has.
    """

    path: Path | None
    plan: Plan
    known_at_start: int = field(default=0, init=False)
    known: int = field(default=0, init=False)
    token: str = field(default="", init=False)
    _has_failed: bool = field(default=False, init=False)
    _file: JournalFile = field(init=False, repr=False)
    _known: KnownIds = field(factory=KnownIds, init=False, repr=False)
    _thread: ThreadPoolExecutor = field(factory=_one_thread, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Choose the file; nothing is opened yet."""
        self._file = JournalFile(self.path)

    async def open(self) -> Self:
        """Open or make the file.

        Raises:
            JournalError: It cannot be used; see `JournalFile.open`.
        """
        try:
            await self._do(self._open)
        except BaseException:
            await self._do(self._abandon)
            self._thread.shutdown(wait=False)
            raise
        return self

    async def close(self, *, requests: int, retries: int, elapsed: float) -> None:
        """Add what the run has cost and close the file; one that has failed before is closed as it is."""
        try:
            await self._do(lambda: self._close(requests, retries, elapsed))
        finally:
            self._thread.shutdown(wait=False)

    async def claim(self, ids: Sequence[str]) -> list[str]:
        """Return the ids that the job has not seen, each once; they count as seen from now on."""
        new = await self._do(lambda: self._known.claim(ids))
        self.known += len(new)
        return new

    async def add(self, content: NewChunk) -> Chunk:
        """Plan a chunk."""
        return await self._do(lambda: self._file.add(content))

    async def mark_sent(self, chunk: Chunk | NewChunk, *, sent_at: float, since: float) -> Chunk:
        """Note that a chunk is about to be sent; a new one is added in the same stroke."""
        return await self._do(lambda: self._file.mark_sent(chunk, sent_at=sent_at, since=since))

    async def mark_accepted(self, chunk: Chunk, run_ids: tuple[str, ...]) -> Chunk:
        """Note that the service has accepted a chunk, and which runs it opened for it."""
        return await self._do(lambda: self._file.mark_accepted(chunk, run_ids))

    async def mark(self, chunk: Chunk, state: ChunkState) -> None:
        """Note that a chunk was provably not sent, or that the service does not tell."""
        await self._do(lambda: self._file.mark(chunk, state))

    async def settle(self, chunk: Chunk, settlement: Settlement) -> list[Chunk]:
        """End a chunk; returns its children."""
        return await self._do(lambda: self._settle(chunk, settlement))

    async def unsettled(self) -> list[Chunk]:
        """Return the chunks without a verdict."""
        return await self._do(self._file.unsettled)

    async def unresolved_sessions(self) -> int:
        """Return how many sessions were sent and have no verdict."""
        return await self._do(self._file.unresolved_sessions)

    async def totals(self) -> Totals:
        """Return what the settled chunks add up to."""
        return await self._do(self._file.totals)

    async def reopen_failed(self, size: int) -> None:
        """Plan every failed session again."""
        await self._do(lambda: self._file.reopen_failed(size))

    async def get(self, name: str, default: float) -> float:
        """Return a number of the job."""
        return await self._do(lambda: self._file.get(name, default))

    async def put(self, **values: float) -> None:
        """Store numbers of the job."""
        await self._do(lambda: self._file.put(**values))

    def _open(self) -> None:
        self._file.open(self.plan)
        self.token = self._file.token()
        for ids in self._file.known_ids():
            self._known.add(ids)
            self.known_at_start += len(ids)
        self.known = self.known_at_start

    def _abandon(self) -> None:
        self._known.close()
        self._file.close()

    def _close(self, requests: int, retries: int, elapsed: float) -> None:
        try:
            if self._has_failed:
                return
            self._file.put(
                requests=self._file.get("requests", 0) + requests,
                retries=self._file.get("retries", 0) + retries,
                elapsed=self._file.get("elapsed", 0.0) + elapsed,
            )
        finally:
            self._known.close()
            self._file.close()

    def _settle(self, chunk: Chunk, settlement: Settlement) -> list[Chunk]:
        if settlement.handled_ids:
            self._known.add(settlement.handled_ids)
            self.known += len(settlement.handled_ids)
        return self._file.settle(chunk, settlement)

    async def _do(self, action: Callable[[], _Result]) -> _Result:
        """Run an action in the journal's thread. It runs to its end also when its caller is cancelled."""
        try:
            return await uninterrupted(asyncio.get_running_loop().run_in_executor(self._thread, action))
        except JournalError:
            self._has_failed = True
            raise
