"""Brings any number of recorded conversations in, each exactly once; knows no service.

The way of the data, a file a station: inputs -> `intake` -> `content` (its identity) -> `journal` -> `run` ->
`course` -> `provider` (the service) -> `outcome` -> `report`.
"""

from galtea_async.bulk.session_import.create_sessions import create_sessions
from galtea_async.bulk.session_import.imported_sessions import imported_sessions
from galtea_async.bulk.session_import.outcome import ImportOutcome, ImportStatus
from galtea_async.bulk.session_import.progress import ImportProgress
from galtea_async.bulk.session_import.report import ImportReport

__all__ = [
    "ImportOutcome",
    "ImportProgress",
    "ImportReport",
    "ImportStatus",
    "create_sessions",
    "imported_sessions",
]
