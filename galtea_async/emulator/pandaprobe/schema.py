"""The tables of the emulated service.

Times are seconds since 1970. A run's course is planned when it is created (see `course.py`) and kept as JSON;
its score rows are all there from the beginning, with the time from which on each can be seen and, where an
attempt fails and the run starts again, the time from which on it is gone. Reads compare both with the
server's clock, so runs go on without a background task.

A session is no row: it is what the traces with its id have in common.
"""

from __future__ import annotations

__all__ = ["SCHEMA"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS projects (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE IF NOT EXISTS traces (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL, session_id TEXT, name TEXT NOT NULL, status TEXT NOT NULL,
    input TEXT, output TEXT, started_at REAL NOT NULL, ended_at REAL, user_id TEXT, tags TEXT NOT NULL,
    metadata TEXT NOT NULL, spans TEXT NOT NULL, visible_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS traces_by_session ON traces (project_id, session_id);

CREATE TABLE IF NOT EXISTS runs (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL, name TEXT,
    metrics TEXT NOT NULL, targets INTEGER NOT NULL, filters TEXT NOT NULL, sampling_rate REAL NOT NULL,
    model TEXT NOT NULL, created_at REAL NOT NULL, course TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS runs_by_project ON runs (project_id, created_at, sequence);

CREATE TABLE IF NOT EXISTS scores (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL, run_id TEXT,
    session_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT, status TEXT NOT NULL, reason TEXT,
    metadata TEXT NOT NULL, visible_at REAL NOT NULL, gone_at REAL
);
CREATE INDEX IF NOT EXISTS scores_by_run ON scores (run_id);
CREATE INDEX IF NOT EXISTS scores_by_session ON scores (project_id, session_id);

CREATE TABLE IF NOT EXISTS bookings (units INTEGER NOT NULL);
"""
