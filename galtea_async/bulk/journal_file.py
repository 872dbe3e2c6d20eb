"""The SQLite file of a journal: its layout, and each change of it as one transaction.

    job      what the job is, when it began, what it has cost so far
    chunk    one row a request, with the ids of its sessions in one blob and, once settled, its counts
    outcome  one row for each session that was not simply evaluated

A row a chunk instead of a row a session keeps a million sessions cheap to write; who was evaluated is who
stands in a settled chunk without children and has no outcome of another kind.

The file is in WAL mode with full synchronisation: what `mark_sent` wrote is on the disk before the request
leaves. A lock file beside it, itself a SQLite file with an open exclusive transaction, keeps a second process
out; the operating system lets go of it when the first one dies.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from attrs import define, evolve, field

from galtea_async.bulk.chunk import Chunk, ChunkState, NewChunk, Settlement
from galtea_async.bulk.journal_rows import read_chunk, read_ids, read_metrics, read_totals
from galtea_async.bulk.outcome import OutcomeStatus
from galtea_async.bulk.plan import Plan
from galtea_async.bulk.totals import Totals
from galtea_async.errors import JournalError, JournalMismatchError
from galtea_async.models.converter import encode_json, unstructure

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "JournalFile"]

APPLICATION_ID: Final = 0x67614A31
SCHEMA_VERSION: Final = 1
_OWNER_ONLY: Final = 0o600


_SCHEMA: Final = """
CREATE TABLE job (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE chunk (
    number INTEGER PRIMARY KEY, parent INTEGER, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    version_id TEXT, metrics TEXT, ids BLOB NOT NULL, size INTEGER NOT NULL, since REAL,
    evaluated INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0, evaluations INTEGER NOT NULL DEFAULT 0,
    reconciled INTEGER NOT NULL DEFAULT 0, message TEXT
);
CREATE INDEX child_chunk ON chunk (parent) WHERE parent IS NOT NULL;
CREATE INDEX open_chunk ON chunk (number) WHERE state <> 'settled';
CREATE TABLE outcome (
    chunk INTEGER NOT NULL, session_id TEXT NOT NULL, status TEXT NOT NULL, error TEXT,
    PRIMARY KEY (chunk, session_id)
) WITHOUT ROWID;
CREATE INDEX failed_outcome ON outcome (chunk, session_id) WHERE status = 'failed';
"""

_FAILED: Final = """
SELECT session_id, chunk, metrics FROM outcome JOIN chunk ON chunk.number = outcome.chunk
WHERE status = 'failed' AND metrics IS (
    SELECT metrics FROM outcome JOIN chunk ON chunk.number = outcome.chunk WHERE status = 'failed' LIMIT 1
) LIMIT ?
"""


@define
class JournalFile:
    """An open journal; used from one thread.

    Args:
        path: Where it is; `None` for a nameless temporary one.
    """

    path: Path | None
    _opened: sqlite3.Connection | None = field(default=None, init=False, repr=False)
    _lock: sqlite3.Connection | None = field(default=None, init=False, repr=False)

    def open(self, plan: Plan) -> None:
        """Open or make the file for a job.

        Raises:
            JournalError: It cannot be written, is no journal, is damaged, or is in use by another process.
            JournalMismatchError: It belongs to another job.
        """
        try:
            with self._explained():
                if self.path is not None:
                    self._prepare(self.path)
                self._opened = sqlite3.connect(self.path or "", isolation_level=None)
                self._set_up(plan)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file and let others have it."""
        for connection in (self._opened, self._lock):
            if connection is not None:
                connection.close()
        self._opened = self._lock = None

    @property
    def _connection(self) -> sqlite3.Connection:
        assert self._opened is not None, "the journal is open"
        return self._opened

    def add(self, content: NewChunk) -> Chunk:
        """Add a planned chunk."""
        with self._transaction():
            return self._insert(content, None)

    def mark_sent(self, chunk: Chunk | NewChunk, *, sent_at: float, since: float) -> Chunk:
        """Note that a chunk is about to be sent; a new one is added in the same stroke."""
        with self._transaction():
            known = chunk if isinstance(chunk, Chunk) else self._insert(chunk, None)
            self._connection.execute(
                "UPDATE chunk SET state = 'sent', since = ? WHERE number = ?", (since, known.number)
            )
        return evolve(known, state=ChunkState.SENT, sent_at=sent_at, since=since)

    def mark(self, chunk: Chunk, state: ChunkState) -> None:
        """Note that a chunk was provably not sent, or that the service does not tell."""
        with self._transaction():
            self._connection.execute(
                "UPDATE chunk SET state = ? WHERE number = ?", (state.value, chunk.number)
            )

    def settle(self, chunk: Chunk, settlement: Settlement) -> list[Chunk]:
        """End a chunk, and begin its children."""
        with self._transaction():
            self._connection.execute(
                "UPDATE chunk SET state = 'settled', evaluated = ?, failed = ?, skipped = ?, "
                "evaluations = ?, reconciled = ?, message = ? WHERE number = ?",
                (
                    settlement.evaluated,
                    settlement.count(OutcomeStatus.FAILED),
                    settlement.count(OutcomeStatus.SKIPPED),
                    settlement.evaluations,
                    settlement.reconciled,
                    settlement.message,
                    chunk.number,
                ),
            )
            if settlement.handled_ids:
                self._connection.execute(
                    "UPDATE chunk SET ids = ?, size = ? WHERE number = ?",
                    (encode_json(settlement.handled_ids), len(settlement.handled_ids), chunk.number),
                )
            if chunk.content.version_id is not None:
                self._put("version_covered", int(settlement.complete))
                self._put("version_size", -1 if settlement.available is None else settlement.available)
            rows = (
                (chunk.number, id_, status.value, error) for id_, (status, error) in settlement.others.items()
            )
            self._connection.executemany("INSERT OR REPLACE INTO outcome VALUES (?, ?, ?, ?)", rows)
            return [self._insert(child, chunk.number) for child in settlement.children]

    def unsettled(self) -> list[Chunk]:
        """Return the chunks that have no verdict, without those that are still to be read from the input."""
        rows = self._connection.execute(
            "SELECT number, state, attempts, version_id, metrics, ids, since FROM chunk "
            "WHERE state <> 'settled' ORDER BY number"
        )
        return [read_chunk(row) for row in rows]

    def unresolved_sessions(self) -> int:
        """Return how many sessions are in chunks that were sent and have no verdict."""
        row = self._connection.execute(
            "SELECT total(size) FROM chunk WHERE state IN ('sent', 'unresolved')"
        ).fetchone()
        return int(row[0])

    def known_ids(self) -> Iterator[list[str]]:
        """Return the ids of all sessions that the job has taken, chunk by chunk."""
        for (ids,) in self._connection.execute("SELECT ids FROM chunk WHERE parent IS NULL"):
            yield read_ids(ids)

    def reopen_failed(self, size: int) -> None:
        """Plan every failed session again, in chunks of this size, with the metrics that it failed with."""
        while True:
            with self._transaction():
                failed = self._connection.execute(_FAILED, (size,)).fetchall()
                if not failed:
                    return
                reopened = [(id_, number) for id_, number, _ in failed]
                self._connection.executemany(
                    "UPDATE outcome SET status = 'reopened' WHERE session_id = ? AND chunk = ?", reopened
                )
                self._connection.executemany(
                    "UPDATE chunk SET failed = failed - 1 WHERE number = ?",
                    [(chunk,) for _, chunk in reopened],
                )
                metrics = read_metrics(failed[0][2])
                content = NewChunk(session_ids=tuple(id_ for id_, _ in reopened), metrics=metrics)
                self._insert(content, reopened[0][1])

    def totals(self) -> Totals:
        """Return what the settled chunks add up to."""
        return read_totals(self._connection)

    def token(self) -> str:
        """Return a name of the job that no other job has."""
        row = self._connection.execute("SELECT value FROM job WHERE name = 'token'").fetchone()
        return str(row[0])

    def get(self, name: str, default: float) -> float:
        """Return a number of the job."""
        row = self._connection.execute("SELECT value FROM job WHERE name = ?", (name,)).fetchone()
        return default if row is None else float(row[0])

    def put(self, **values: float) -> None:
        """Store numbers of the job."""
        with self._transaction():
            for name, value in values.items():
                self._put(name, value)

    def _prepare(self, path: Path) -> None:
        """Refuse what is no file, keep others out, and make the file readable by its owner only."""
        if not path.parent.is_dir():
            raise JournalError(f"the folder of the journal {path} does not exist", advice="make it first")
        self._lock = sqlite3.connect(f"{path}-lock", isolation_level=None, timeout=0.0)
        Path(f"{path}-lock").chmod(_OWNER_ONLY)
        try:
            self._lock.execute("PRAGMA journal_mode = MEMORY")
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            self._lock.close()
            self._lock = None
            if not locked:
                raise
        if self._lock is None:
            raise JournalError(
                f"the journal {path} is in use by {self._owner(path)}", advice="wait for it, or stop it first"
            )
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, _OWNER_ONLY))

    def _owner(self, path: Path) -> str:
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
                row = reader.execute("SELECT value FROM job WHERE name = 'owner'").fetchone()
        except sqlite3.Error:
            row = None
        return str(row[0]) if row else "another process"

    def _set_up(self, plan: Plan) -> None:
        connection = self._connection
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not tables:
            self._make_durable()
            self._create(plan)
        elif application != APPLICATION_ID:
            raise JournalError(f"{self.path} is not a journal of galtea_async but another SQLite database")
        elif version != SCHEMA_VERSION:
            raise JournalError(
                f"the journal {self.path} has schema version {version}; this library reads {SCHEMA_VERSION}"
            )
        else:
            self._compare(plan)
            self._make_durable()
        self.put_owner()

    def _make_durable(self) -> None:
        """What is committed is on the disk; a temporary journal needs no such promise."""
        if self.path is None:
            self._connection.execute("PRAGMA synchronous = OFF")
        else:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")

    def put_owner(self) -> None:
        """Write down who has the journal, for whoever comes second."""
        with self._transaction():
            self._put("owner", f"process {os.getpid()} on {socket.gethostname()}")

    def _create(self, plan: Plan) -> None:
        with self._transaction():
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            for name, value in plan.described().items():
                self._put(f"plan.{name}", value)
            self._put("created_at", time.time())
            self._put("token", f"galtea-async-{uuid4().hex}")

    def _compare(self, plan: Plan) -> None:
        stored = dict(
            self._connection.execute(
                "SELECT substr(name, 6), value FROM job WHERE name LIKE 'plan.%'"
            ).fetchall()
        )
        asked = plan.described()
        differences = {
            name: (str(stored.get(name, "")), asked.get(name, ""))
            for name in sorted({*stored, *asked})
            if stored.get(name, "") != asked.get(name, "")
        }
        if differences:
            said = "; ".join(f"{name}: {was!r}, now {now!r}" for name, (was, now) in differences.items())
            raise JournalMismatchError(
                f"the journal {self.path} was made for another job ({said})", differences
            )

    def _insert(self, content: NewChunk, parent: int | None) -> Chunk:
        metrics = None
        if content.metrics is not None:
            metrics = encode_json([unstructure(metric) for metric in content.metrics]).decode()
        cursor = self._connection.execute(
            "INSERT INTO chunk (parent, state, attempts, version_id, metrics, ids, size) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                parent,
                ChunkState.PLANNED.value,
                content.attempts,
                content.version_id,
                metrics,
                encode_json(content.session_ids),
                len(content.session_ids),
            ),
        )
        assert cursor.lastrowid is not None
        return Chunk(number=cursor.lastrowid, content=content, state=ChunkState.PLANNED)

    def _put(self, name: str, value: str | float) -> None:
        self._connection.execute("INSERT OR REPLACE INTO job VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Turn what SQLite says into what it means for a job."""
        problem = ""
        try:
            yield
        except sqlite3.DatabaseError as error:
            problem = self._explanation(error)
        except OSError as error:
            problem = f"the journal {self.path} cannot be opened: {error.strerror}"
        if problem:
            raise JournalError(problem)

    def _explanation(self, error: sqlite3.DatabaseError) -> str:
        match getattr(error, "sqlite_errorcode", None):
            case sqlite3.SQLITE_NOTADB:
                return f"{self.path} is not a journal of galtea_async"
            case sqlite3.SQLITE_CORRUPT:
                return f"the journal {self.path} is damaged: {error}"
            case sqlite3.SQLITE_FULL:
                return f"the disk of the journal {self.path} is full; what was recorded is safe"
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY_DIRECTORY:
                return f"the journal {self.path} cannot be written: {error}"
            case _:
                return f"the journal {self.path} failed: {error}"
