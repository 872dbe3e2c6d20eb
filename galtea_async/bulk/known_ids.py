"""The ids that a job has seen, so that each is evaluated once.

A million ids in a Python set take 100 MB. Here they are a unique index in a nameless SQLite file on disk that
vanishes with its connection; memory holds a few megabytes of its pages. Nothing in it has to survive: a
resumed job fills it again from the journal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from attrs import define, field

from galtea_async.models.converter import encode_json

__all__ = ["KnownIds"]

_CACHE_KIBIBYTES = 4_000


def _connect() -> sqlite3.Connection:
    connection = sqlite3.connect("", isolation_level=None)
    for setting in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "locking_mode=EXCLUSIVE",
        f"cache_size=-{_CACHE_KIBIBYTES}",
    ):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("CREATE TABLE known (id TEXT PRIMARY KEY) WITHOUT ROWID")
    return connection


@define
class KnownIds:
    """A set of ids on disk; used from one thread."""

    _opened: sqlite3.Connection | None = field(default=None, init=False, repr=False)

    @property
    def _connection(self) -> sqlite3.Connection:
        """The index, made in the thread that first asks for it."""
        if self._opened is None:
            self._opened = _connect()
        return self._opened

    def claim(self, ids: Sequence[str]) -> list[str]:
        """Add ids and return those that are new, each once, in the order given."""
        distinct = list(dict.fromkeys(ids))
        inserted = self._connection.execute(
            "INSERT OR IGNORE INTO known SELECT value FROM json_each(?) RETURNING id",
            (encode_json(distinct),),
        ).fetchall()
        if len(inserted) == len(distinct):
            return distinct
        new = {row[0] for row in inserted}
        return [id_ for id_ in distinct if id_ in new]

    def add(self, ids: Iterable[str]) -> None:
        """Add ids of which it does not matter whether they are new."""
        self._connection.executemany("INSERT OR IGNORE INTO known VALUES (?)", ((id_,) for id_ in ids))

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
