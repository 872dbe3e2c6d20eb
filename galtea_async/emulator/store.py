"""The server's memory: one SQLite database, used from the event loop's own thread.

SQLite is called synchronously, on the loop. That would be wrong in a server under load from many users, and
it is right here: the emulator's statements take microseconds to milliseconds, a thread would add more than
that to each of them, and a request whose work is one uninterrupted turn of the loop is atomic without a lock,
behaves the same in each run, and works on an event loop with a virtual clock, which knows nothing of threads.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

__all__ = ["Row", "Store", "json_array"]

Row = tuple[Any, ...]
"""A row as SQLite returns it; the statement says what its columns are."""


def json_array(values: Iterable[str]) -> str:
    """Write strings as a JSON array for `json_each(?)`: one parameter however many values there are."""
    return msgspec.json.encode(list(values)).decode()


@attrs.define(eq=False)
class Store:
    """A database that is open from its creation until `close`.

    Attributes:
        path: The database's file, or `:memory:`.
        schema: The statements that create its tables where they are missing.
        generation: How often the database has been opened, this time included.
    """

    path: str
    schema: str
    generation: int = attrs.field(default=1, init=False)
    _connection: sqlite3.Connection = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
        )
        self._connection.executescript(
            "CREATE TABLE IF NOT EXISTS opened (at TEXT DEFAULT CURRENT_TIMESTAMP);" + self.schema
        )
        self._connection.execute("INSERT INTO opened DEFAULT VALUES")
        self.generation = int(self.value("SELECT count(*) FROM opened"))

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
