"""A SQLite file that holds the state of a job: kept by one process, bound to one plan, durable.

Whatever a job keeps in it, the rules are the same: the file says what the job is and is refused for another;
a process that has it keeps every other out; each change is one transaction that is on the disk when it
returns. A table `job` holds texts and numbers by name; the rest of the layout is the job's own.

The file is in WAL mode with full synchronisation. A lock file beside it, itself a SQLite file with an open
exclusive transaction, keeps a second process out; the operating system lets go of it when the first one dies.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from attrs import define, field

from galtea_async.errors import JournalError, JournalMismatchError

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "JournalDatabase"]

APPLICATION_ID: Final = 0x67614A31
SCHEMA_VERSION: Final = 2
_OWNER_ONLY: Final = 0o600

_JOB: Final = "CREATE TABLE job (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"


@define
class JournalDatabase:
    """An open file; used from one thread.

    Args:
        path: Where it is; `None` for a nameless temporary one.
        schema: The statements that make the job's own tables.
    """

    path: Path | None
    schema: str
    _opened: sqlite3.Connection | None = field(default=None, init=False, repr=False)
    _lock: sqlite3.Connection | None = field(default=None, init=False, repr=False)

    def open(self, plan: Mapping[str, str]) -> None:
        """Open or make the file for a job.

        Args:
            plan: What the job is: texts by name.

        Raises:
            JournalError: It cannot be written, is no journal, is damaged, or is in use by another job.
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
    def connection(self) -> sqlite3.Connection:
        """The way to its tables."""
        assert self._opened is not None, "the journal is open"
        return self._opened

    def token(self) -> str:
        """Return a name of the job that no other job has."""
        row = self.connection.execute("SELECT value FROM job WHERE name = 'token'").fetchone()
        return str(row[0])

    def get(self, name: str, default: float) -> float:
        """Return a number of the job."""
        row = self.connection.execute("SELECT value FROM job WHERE name = ?", (name,)).fetchone()
        return default if row is None else float(row[0])

    def put(self, **values: float) -> None:
        """Store numbers of the job."""
        with self.transaction():
            for name, value in values.items():
                self.write(name, value)

    def _prepare(self, path: Path) -> None:
        """Refuse what is no file, keep others out, and make the file readable by its owner only."""
        if path.is_dir():
            raise JournalError(f"the journal {path} is a folder", advice="name a file in it")
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
        owner = str(row[0]) if row else "another job"
        return "another job of this process" if owner == _this_process() else owner

    def _set_up(self, plan: Mapping[str, str]) -> None:
        connection = self.connection
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
        self._put_owner()

    def _make_durable(self) -> None:
        """What is committed is on the disk; a temporary journal needs no such promise."""
        if self.path is None:
            self.connection.execute("PRAGMA synchronous = OFF")
        else:
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")

    def _put_owner(self) -> None:
        """Write down who has the journal, for whoever comes second."""
        with self.transaction():
            self.write("owner", _this_process())

    def _create(self, plan: Mapping[str, str]) -> None:
        with self.transaction():
            for statement in f"{_JOB}{self.schema}".split(";"):
                self.connection.execute(statement)
            self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            for name, value in plan.items():
                self.write(f"plan.{name}", value)
            self.write("created_at", time.time())
            self.write("token", f"galtea-async-{uuid4().hex}")

    def _compare(self, plan: Mapping[str, str]) -> None:
        stored = dict(
            self.connection.execute(
                "SELECT substr(name, 6), value FROM job WHERE name LIKE 'plan.%'"
            ).fetchall()
        )
        differences = {
            name: (str(stored.get(name, "")), plan.get(name, ""))
            for name in sorted({*stored, *plan})
            if stored.get(name, "") != plan.get(name, "")
        }
        if differences:
            said = "; ".join(f"{name}: {was!r}, now {now!r}" for name, (was, now) in differences.items())
            raise JournalMismatchError(
                f"the journal {self.path} was made for another job ({said})", differences
            )

    def write(self, name: str, value: str | float) -> None:
        """Store a text or a number of the job, inside of a transaction."""
        self.connection.execute("INSERT OR REPLACE INTO job VALUES (?, ?)", (name, value))

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Make several changes in one stroke."""
        with self._explained():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
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


def _this_process() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
