"""The rows of an import's journal: one an input, of a few hundred bytes, whatever the input holds.

    planned ─► sent ─┬─► created | existed | failed
       ▲         │   │
       └─────────┘   └─► opened ─► created | failed        (inputs with turns)

`sent` means that the request for the session may have left, `opened` that the session is there and a request
for its turns may have left. An `unresolved` input is one of these two that the service does not tell about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import define, frozen

from galtea_async.bulk.journal_database import JournalDatabase
from galtea_async.bulk.session_import.content import Identity
from galtea_async.bulk.session_import.outcome import ImportOutcome, ImportStatus

__all__ = ["SCHEMA", "Record", "Records", "State"]

SCHEMA: Final = """
CREATE TABLE item (
    anchor TEXT NOT NULL, custom_id TEXT NOT NULL, digest BLOB NOT NULL, position INTEGER NOT NULL,
    run INTEGER NOT NULL, state TEXT NOT NULL, since REAL NOT NULL, session_id TEXT, error TEXT,
    PRIMARY KEY (anchor, custom_id)
) WITHOUT ROWID;
"""


class State(StrEnum):
    """How far an input is; the last four are outcomes."""

    PLANNED = "planned"
    SENT = "sent"
    OPENED = "opened"
    UNRESOLVED = "unresolved"
    CREATED = "created"
    EXISTED = "existed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing is left to do."""
        return self in (State.CREATED, State.EXISTED, State.FAILED)


@frozen
class Record:
    """What the journal knew of an input when it was read.

    Attributes:
        digest: The digest of the content that the custom id stands for.
        position: The number of the input that had it first.
        run: The run of the job that took it last.
        state: How far it is.
        since: The earliest at which its request can have been sent, by the service's clock.
        session_id: The service's id of the session, where it is known.
    """

    digest: bytes
    position: int
    run: int
    state: State
    since: float
    session_id: str | None


@define
class Records:
    """The rows of an open journal; used from its thread.

    Args:
        database: Where they are.
    """

    database: JournalDatabase

    def claim(self, identity: Identity, run: int, since: float) -> Record | None:
        """Take an input: intent before deed. Returns what was known of it, `None` where it is new.

        What has an outcome, belongs to this run already, or has other content is left as it is.
        """
        connection = self.database.connection
        row = connection.execute(
            "SELECT digest, position, run, state, since, session_id FROM item "
            "WHERE anchor = ? AND custom_id = ?",
            (identity.anchor, identity.custom_id),
        ).fetchone()
        if row is None:
            connection.execute(
                "INSERT INTO item VALUES (?, ?, ?, ?, ?, 'sent', ?, NULL, NULL)",
                (identity.anchor, identity.custom_id, identity.digest, identity.position, run, since),
            )
            return None
        digest, position, last_run, state, earlier, session_id = row
        record = Record(bytes(digest), position, last_run, State(state), earlier, session_id)
        if record.digest == identity.digest and record.run != run and not record.state.is_final:
            self._take_again(identity, record, run, since)
        return record

    def _take_again(self, identity: Identity, record: Record, run: int, since: float) -> None:
        """Take what an earlier run left: its time stays where its request may have been sent."""
        state = State.SENT if record.session_id is None else State.OPENED
        self.database.connection.execute(
            "UPDATE item SET run = ?, state = ?, since = ? WHERE anchor = ? AND custom_id = ?",
            (
                run,
                state.value,
                since if record.state is State.PLANNED else record.since,
                identity.anchor,
                identity.custom_id,
            ),
        )

    def mark(
        self, identity: Identity, state: State, session_id: str | None = None, error: str | None = None
    ) -> None:
        """Note how far an input is; an id of its session that is known stays."""
        self.database.connection.execute(
            "UPDATE item SET state = ?, session_id = coalesce(?, session_id), error = ? "
            "WHERE anchor = ? AND custom_id = ?",
            (state.value, session_id, error, identity.anchor, identity.custom_id),
        )

    def reopen_failed(self) -> None:
        """Plan every input again that failed."""
        self.database.connection.execute(
            "UPDATE item SET state = 'planned', error = NULL WHERE state = 'failed'"
        )

    def counts(self) -> Mapping[State, int]:
        """Return how many inputs are how far."""
        rows = self.database.connection.execute("SELECT state, count(*) FROM item GROUP BY state")
        return {State(state): count for state, count in rows}

    def failures(self, most: int) -> list[ImportOutcome]:
        """Return some of the inputs that failed."""
        rows: sqlite3.Cursor = self.database.connection.execute(
            "SELECT custom_id, session_id, error FROM item WHERE state = 'failed' ORDER BY position LIMIT ?",
            (most,),
        )
        return [
            ImportOutcome(custom_id, ImportStatus.FAILED, session_id, error)
            for custom_id, session_id, error in rows
        ]
