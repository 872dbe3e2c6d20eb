"""The server's memory: one SQLite database, used from the event loop's own thread.

SQLite is called synchronously, on the loop. That would be wrong in a server under load from many users, and
it is right here: the emulator's statements take microseconds to milliseconds, a thread would add more than
that to each of them, and a request whose work is one uninterrupted turn of the loop is atomic without a lock,
behaves the same in each run, and works on an event loop with a virtual clock, which knows nothing of threads.

A file belongs to one service and, while it is open, to one emulator: it says in its header whose it is, which
is read before anything is written, and it stays locked until it is closed or the process ends, in whatever
way.
"""

from __future__ import annotations

import errno
import sqlite3
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

__all__ = ["Row", "Store", "json_array"]

Row = tuple[Any, ...]
"""A row as SQLite returns it; the statement says what its columns are."""

_TROUBLES: Final = {
    sqlite3.SQLITE_BUSY: (errno.EBUSY, "another program, perhaps another emulator, has this file open"),
    sqlite3.SQLITE_CANTOPEN: (
        errno.ENOENT,
        "this is no file, or its folder does not exist or is closed to you",
    ),
    sqlite3.SQLITE_NOTADB: (errno.EINVAL, "this is no file of an emulator, but something else"),
    sqlite3.SQLITE_READONLY: (errno.EACCES, "this file cannot be written"),
}


def json_array(values: Iterable[str]) -> str:
    """Write strings as a JSON array for `json_each(?)`: one parameter however many values there are."""
    return msgspec.json.encode(list(values)).decode()


@attrs.define(eq=False)
class Store:
    """A database that is open from its creation until `close`.

    Raises:
        OSError: The file cannot be used; the message says why, and `filename` is its path.

    Attributes:
        path: The database's file, or `:memory:`.
        service: The name of the service whose data it holds.
        schema: The statements that create its tables where they are missing.
        generation: How often the database has been opened, this time included.
    """

    path: str
    service: str
    schema: str
    generation: int = attrs.field(default=1, init=False)
    _connection: sqlite3.Connection = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        try:
            # Nobody is waited for: who has the file open has it open for long.
            self._connection = sqlite3.connect(
                self.path, timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise _trouble(error, self.path) from None
        try:
            self._open()
        except sqlite3.Error as error:
            self._connection.close()
            raise _trouble(error, self.path) from None
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> None:
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._check_owner()
        self._connection.executescript(
            f"PRAGMA application_id = {self._application_id};"
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
        )
        self._connection.executescript(
            "CREATE TABLE IF NOT EXISTS opened (at TEXT DEFAULT CURRENT_TIMESTAMP);" + self.schema
        )
        self._connection.execute("INSERT INTO opened DEFAULT VALUES")
        self.generation = int(self.value("SELECT count(*) FROM opened"))

    def _check_owner(self) -> None:
        """See that the file is new, or one of the service's."""
        is_new = not self.value("SELECT count(*) FROM sqlite_master")
        owner = self.value("PRAGMA application_id")
        if owner != self._application_id and not (is_new and owner == 0):
            raise OSError(errno.EINVAL, f"this is no file of an emulator of {self.service}", self.path)

    @property
    def _application_id(self) -> int:
        """The number in a file's header that says whose it is."""
        return zlib.crc32(f"galtea-async emulator of {self.service}".encode()) & 0x7FFF_FFFF

    def clear(self) -> None:
        """Delete all rows."""
        tables = self.column("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'opened'")
        with self.transaction():
            for table in tables:
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names

    def close(self) -> None:
        """Close the database. One in memory is gone then."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Keep all the changes of a block, or none when it raises."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All the rows of a query."""
        return self._connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Sequence[object] = ()) -> Row | None:
        """The first row of a query, `None` when it has none."""
        found: Row | None = self._connection.execute(statement, parameters).fetchone()
        return found

    def value(self, statement: str, parameters: Sequence[object] = ()) -> Any:  # noqa: ANN401 - as in `Row`
        """The first column of the first row of a query, `None` when it has none."""
        found = self.row(statement, parameters)
        return None if found is None else found[0]

    def column(self, statement: str, parameters: Sequence[object] = ()) -> list[str]:
        """The first column of a query's rows."""
        return [row[0] for row in self._connection.execute(statement, parameters)]

    def change(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Run a statement that changes rows, and return how many it changed."""
        return self._connection.execute(statement, parameters).rowcount

    def change_many(self, statement: str, parameters: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each tuple of parameters, all in one transaction."""
        if self._connection.in_transaction:
            self._connection.executemany(statement, parameters)
            return
        with self.transaction():
            self._connection.executemany(statement, parameters)


def _trouble(error: sqlite3.Error, path: str) -> OSError:
    primary_code = error.sqlite_errorcode & 0xFF
    number, reason = _TROUBLES.get(primary_code, (errno.EIO, f"this file cannot be used: {error}"))
    return OSError(number, reason, path)
