"""Opens a journal for reading, and touches nothing of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from galtea_async.bulk.journal_database import APPLICATION_ID, SCHEMA_VERSION
from galtea_async.errors import JournalError

__all__ = ["opened_for_reading", "snapshot"]


@contextmanager
def snapshot(path: Path) -> Generator[sqlite3.Connection]:
    """Open a journal as it is now: a job that goes on changes nothing of what is read.

    Raises:
        JournalError: There is none, or it is no journal.
    """
    with opened_for_reading(path) as connection:
        connection.execute("BEGIN")
        yield connection


@contextmanager
def opened_for_reading(path: Path) -> Generator[sqlite3.Connection]:
    """Open a journal; each statement sees it as it is then.

    Raises:
        JournalError: There is none, or it is no journal.
    """
    if not path.is_file():
        raise JournalError(f"there is no journal {path}")
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    problem = ""
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
            problem = f"{path} is not a journal of this version of galtea_async"
        else:
            yield connection
    except sqlite3.Error as error:
        problem = f"{path} cannot be read as a journal: {error}"
    finally:
        connection.close()
    if problem:
        raise JournalError(problem)
