"""Many small changes of a journal in one transaction.

A change that is to be on the disk costs a synchronisation, of which a disk does some hundreds a second. So
changes that come while one transaction is being written wait and go into the next one together: each waits
for two at most, and the disk has one at a time however many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, final

from attrs import define, field

from galtea_async.bulk.journal_database import JournalDatabase
from galtea_async.uninterrupted import uninterrupted

__all__ = ["GroupCommit"]

_Result = TypeVar("_Result")


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="galtea-journal")


@final
@define
class GroupCommit:
    """Changes a database in a thread of its own.

    Args:
        database: What is changed; used from that thread alone.
    """

    database: JournalDatabase
    has_failed: bool = field(default=False, init=False)
    _waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = field(init=False, repr=False)
    _is_busy: bool = field(default=False, init=False)
    _thread: ThreadPoolExecutor = field(factory=_one_thread, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing to do."""
        self._waiting = []

    async def change(self, action: Callable[[], _Result]) -> _Result:
        """Change something; when this returns, it is on the disk. A cancel does not take it back.

        Raises:
            JournalError: The transaction failed, and with it all of its changes.
        """
        done: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((action, done))
        self._begin()
        return await done

    async def alone(self, action: Callable[[], _Result]) -> _Result:
        """Do something in the thread outside of these transactions. It runs to its end."""
        return await uninterrupted(asyncio.get_running_loop().run_in_executor(self._thread, action))

    async def finish(self, action: Callable[[], None]) -> None:
        """Write what waits, do something last, and end the thread; a database that failed stays as it is."""
        left = [action for action, _ in self._take()]

        def last() -> None:
            try:
                if not self.has_failed:
                    self._commit(left)
                    action()
            finally:
                self.database.close()

        try:
            await self.alone(last)
        finally:
            self._thread.shutdown(wait=False)

    def _begin(self) -> None:
        if self._is_busy or not self._waiting:
            return
        batch = self._take()
        self._is_busy = True
        work = asyncio.get_running_loop().run_in_executor(
            self._thread, self._commit, [action for action, _ in batch]
        )
        work.add_done_callback(lambda work: self._committed([done for _, done in batch], work))

    def _take(self) -> list[tuple[Callable[[], Any], asyncio.Future[Any]]]:
        batch, self._waiting = self._waiting, []
        return batch

    def _commit(self, actions: list[Callable[[], Any]]) -> list[Any]:
        with self.database.transaction():
            return [action() for action in actions]

    def _committed(self, waiters: list[asyncio.Future[Any]], work: asyncio.Future[list[Any]]) -> None:
        self._is_busy = False
        error = work.exception()
        if error is not None:
            self.has_failed = True
        self._begin()
        for index, waiter in enumerate(waiters):
            if waiter.done():
                continue
            if error is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(work.result()[index])
