"""The layout of a journal, and each change of it as one transaction.

    job      what the job is, when it began, what it has cost so far
    chunk    one row a request, with the ids of its sessions in one blob and, once settled, its counts and
             the scores of its sessions, where the service gave them along
    outcome  one row for each session that was not simply evaluated

A row a chunk instead of a row a session keeps a million sessions cheap to write; who was evaluated is who
stands in a settled chunk without children and has no outcome of another kind.

What `mark_sent` wrote is on the disk before the request leaves; see `galtea_async.bulk.journal_database`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import define, evolve, field

from galtea_async.bulk.chunk import Chunk, ChunkState, NewChunk, Settlement
from galtea_async.bulk.journal_database import JournalDatabase
from galtea_async.bulk.journal_rows import read_chunk, read_ids, read_metrics, read_totals
from galtea_async.bulk.outcome import OutcomeStatus
from galtea_async.bulk.plan import Plan
from galtea_async.bulk.totals import Totals
from galtea_async.models.converter import encode_json, unstructure

__all__ = ["JournalFile"]

_SCHEMA: Final = """
CREATE TABLE chunk (
    number INTEGER PRIMARY KEY, parent INTEGER, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    version_id TEXT, metrics TEXT, ids BLOB NOT NULL, size INTEGER NOT NULL, since REAL,
    evaluated INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0, evaluations INTEGER NOT NULL DEFAULT 0,
    reconciled INTEGER NOT NULL DEFAULT 0, message TEXT, scores BLOB, accepted_as TEXT
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
    _database: JournalDatabase = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Choose the file; nothing is opened yet."""
        self._database = JournalDatabase(self.path, _SCHEMA)

    def open(self, plan: Plan) -> None:
        """Open or make the file for a job.

        Raises:
            JournalError: It cannot be written, is no journal, is damaged, or is in use by another job.
            JournalMismatchError: It belongs to another job.
        """
        self._database.open(plan.described())

    def close(self) -> None:
        """Close the file and let others have it."""
        self._database.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._database.connection

    def add(self, content: NewChunk) -> Chunk:
        """Add a planned chunk."""
        with self._database.transaction():
            return self._insert(content, None)

    def mark_sent(self, chunk: Chunk | NewChunk, *, sent_at: float, since: float) -> Chunk:
        """Note that a chunk is about to be sent; a new one is added in the same stroke."""
        with self._database.transaction():
            known = chunk if isinstance(chunk, Chunk) else self._insert(chunk, None)
            self._connection.execute(
                "UPDATE chunk SET state = 'sent', since = ? WHERE number = ?", (since, known.number)
            )
        return evolve(known, state=ChunkState.SENT, sent_at=sent_at, since=since)

    def mark_accepted(self, chunk: Chunk, run_ids: tuple[str, ...]) -> Chunk:
        """Note that the service has accepted a chunk, and which runs it opened for it."""
        with self._database.transaction():
            self._connection.execute(
                "UPDATE chunk SET accepted_as = ? WHERE number = ?",
                (encode_json(run_ids).decode(), chunk.number),
            )
        return evolve(chunk, accepted_as=run_ids)

    def mark(self, chunk: Chunk, state: ChunkState) -> None:
        """Note that a chunk was provably not sent, or that the service does not tell."""
        with self._database.transaction():
            self._connection.execute(
                "UPDATE chunk SET state = ? WHERE number = ?", (state.value, chunk.number)
            )

    def settle(self, chunk: Chunk, settlement: Settlement) -> list[Chunk]:
        """End a chunk, and begin its children."""
        with self._database.transaction():
            self._connection.execute(
                "UPDATE chunk SET state = 'settled', evaluated = ?, failed = ?, skipped = ?, "
                "evaluations = ?, reconciled = ?, message = ?, scores = ? WHERE number = ?",
                (
                    settlement.evaluated,
                    settlement.count(OutcomeStatus.FAILED),
                    settlement.count(OutcomeStatus.SKIPPED),
                    settlement.evaluations,
                    settlement.reconciled,
                    settlement.message,
                    encode_json(settlement.scores) if settlement.scores else None,
                    chunk.number,
                ),
            )
            if settlement.handled_ids:
                self._connection.execute(
                    "UPDATE chunk SET ids = ?, size = ? WHERE number = ?",
                    (encode_json(settlement.handled_ids), len(settlement.handled_ids), chunk.number),
                )
            if chunk.content.version_id is not None:
                self._database.write("version_covered", int(settlement.complete))
                self._database.write(
                    "version_size", -1 if settlement.available is None else settlement.available
                )
            rows = (
                (chunk.number, id_, status.value, error) for id_, (status, error) in settlement.others.items()
            )
            self._connection.executemany("INSERT OR REPLACE INTO outcome VALUES (?, ?, ?, ?)", rows)
            return [self._insert(child, chunk.number) for child in settlement.children]

    def unsettled(self) -> list[Chunk]:
        """Return the chunks that have no verdict, without those that are still to be read from the input."""
        rows = self._connection.execute(
            "SELECT number, state, attempts, version_id, metrics, ids, since, accepted_as FROM chunk "
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
            with self._database.transaction():
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
        return self._database.token()

    def get(self, name: str, default: float) -> float:
        """Return a number of the job."""
        return self._database.get(name, default)

    def put(self, **values: float) -> None:
        """Store numbers of the job."""
        self._database.put(**values)

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
