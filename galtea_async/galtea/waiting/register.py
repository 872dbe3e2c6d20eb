"""The register of a wait: every evaluation that it has met, and which of them are still pending.

A hundred thousand ids in a Python set take 13 MB. Here they are in a nameless SQLite file on disk that
vanishes with its connection; memory holds a few megabytes of its pages, whatever the number of rows. It is
touched by one thread of its own, in the order of the calls, and never by the event loop.

**Each row once.** A row enters as pending, or as settled. It can become settled once, and never pending
again. Whoever gets an id back from `claim` or `settle` is the only one who ever does, and hands the row out.
So neither pages that overlap, nor walks that are begun anew, nor a retry that makes a settled row pending
again can repeat a row.

**Looks.** Each look at the service has a number, and `keep` writes it at the rows that it saw pending. After
the look, pending rows with an earlier number are no longer pending at the service: they have settled, or they
are gone.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, TypeVar, final

from attrs import define, field, frozen

from galtea_async.errors import JournalError
from galtea_async.models.converter import encode_json
from galtea_async.models.evaluation import Evaluation
from galtea_async.uninterrupted import uninterrupted

__all__ = ["Register", "RegisteredRow", "is_pending"]

_Result = TypeVar("_Result")

_SETUP: Final = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA cache_size=-4000;
CREATE TABLE met (id TEXT PRIMARY KEY, place INTEGER NOT NULL, made TEXT, look INTEGER) WITHOUT ROWID;
CREATE INDEX pending ON met (place) WHERE look IS NOT NULL;
"""
_LISTED: Final = "(SELECT value FROM json_each(?))"


@frozen
class RegisteredRow:
    """A pending evaluation.

    Args:
        id: Its id.
        place: How many rows were met before it.
        made: When the service made it.
    """

    id: str
    place: int
    made: datetime | None


def is_pending(row: Evaluation) -> bool:
    """Tell whether a row has to be waited for; what has no status, or an unknown one, is settled."""
    return row.status is not None and not row.status.is_settled


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="galtea-wait")


@final
@define
class Register:
    """The rows that a wait has met.

    Attributes:
        met: How many they are.
        pending: How many of them are pending.
    """

    met: int = field(default=0, init=False)
    pending: int = field(default=0, init=False)
    _connection: sqlite3.Connection | None = field(default=None, init=False, repr=False)
    _thread: ThreadPoolExecutor = field(factory=_one_thread, init=False, repr=False)

    async def open(self) -> None:
        """Make the file."""
        await self._do(self._open)

    async def close(self) -> None:
        """Let go of the file."""
        try:
            await self._do(self._close)
        finally:
            self._thread.shutdown(wait=False)

    async def claim(self, rows: Sequence[Evaluation]) -> set[str]:
        """Add rows as they are, and return the ids of those that were not met before."""
        return await self._do(lambda: self._claim(rows))

    async def settle(self, ids: Sequence[str]) -> set[str]:
        """Note that rows are not pending, and return the ids of those that were until now."""
        statement = f"UPDATE met SET look = NULL WHERE id IN {_LISTED} AND look IS NOT NULL RETURNING id"  # noqa: S608
        return await self._do(lambda: self._no_longer_pending(statement, _json(list(ids))))

    async def keep(self, ids: Sequence[str], look: int) -> None:
        """Note that a look has seen rows pending; those that are not pending here stay as they are."""
        statement = f"UPDATE met SET look = ? WHERE id IN {_LISTED} AND look IS NOT NULL"  # noqa: S608
        parameters = (look, _json(list(ids)))
        _ = await self._do(lambda: self._execute(statement, *parameters))

    async def forget(self, before: int, first: int, last: int) -> None:
        """Wait no longer for pending rows that a look has not seen, from one place to another."""
        statement = "UPDATE met SET look = NULL WHERE look < ? AND place BETWEEN ? AND ? RETURNING id"
        _ = await self._do(lambda: self._no_longer_pending(statement, before, first, last))

    async def pending_rows(self, *, unseen_by: int, after: int, most: int) -> list[RegisteredRow]:
        """Return pending rows that a look has not seen, from the place after another one on."""
        statement = "SELECT id, place, made FROM met WHERE look < ? AND place > ? ORDER BY place LIMIT ?"
        parameters = (unseen_by, after, most)
        rows = await self._do(lambda: self._execute(statement, *parameters))
        return [
            RegisteredRow(id_, place, None if made is None else datetime.fromisoformat(made))
            for id_, place, made in rows
        ]

    async def pending_ids(self) -> list[str]:
        """Return the ids of all pending rows."""
        statement = "SELECT id FROM met WHERE look IS NOT NULL ORDER BY place"
        rows = await self._do(lambda: self._execute(statement))
        return [id_ for (id_,) in rows]

    def _open(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        _ = self._connection.executescript(_SETUP)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _execute(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        assert self._connection is not None
        return self._connection.execute(statement, parameters).fetchall()

    def _claim(self, rows: Sequence[Evaluation]) -> set[str]:
        entries = [
            (row.id, None if row.created_at is None else row.created_at.isoformat(), is_pending(row))
            for row in {row.id: row for row in rows}.values()
        ]
        claimed = self._execute(
            "INSERT OR IGNORE INTO met"
            " SELECT json_extract(value, '$[0]'), ? + key, json_extract(value, '$[1]'),"
            " CASE WHEN json_extract(value, '$[2]') THEN 0 END FROM json_each(?) RETURNING id, look",
            self.met,
            _json(entries),
        )
        self.met += len(rows)
        self.pending += sum(look is not None for _, look in claimed)
        return {id_ for id_, _ in claimed}

    def _no_longer_pending(self, statement: str, *parameters: object) -> set[str]:
        changed = {id_ for (id_,) in self._execute(statement, *parameters)}
        self.pending -= len(changed)
        return changed

    async def _do(self, action: Callable[[], _Result]) -> _Result:
        """Act in the thread, to the end."""
        problem = ""
        try:
            return await uninterrupted(asyncio.get_running_loop().run_in_executor(self._thread, action))
        except sqlite3.Error as error:
            problem = str(error)
        raise JournalError(f"the temporary file of the wait cannot be used: {problem}")


def _json(value: object) -> str:
    return encode_json(value).decode()
