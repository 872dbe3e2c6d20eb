"""What ends a bulk job, or keeps it from beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final, Unpack

from galtea_async.errors.root import Asked, GalteaError

if TYPE_CHECKING:
    from galtea_async.bulk.report import BulkReport
    from galtea_async.bulk.session_import.report import ImportReport

__all__ = ["BulkEvaluationError", "BulkImportError", "JournalError", "JournalMismatchError"]


_ALL_KEPT: Final = "mend the cause and call again with the same journal: what it has is kept"
_NOTHING_KEPT: Final = (
    "mend the cause; there was no journal, so calling again begins anew and evaluates again what was "
    "evaluated: name a journal to be able to continue"
)


class BulkEvaluationError(GalteaError):
    """A bulk run ended early; `report` has what happened, `reason` is the error that ended it.

    A run with a journal can be continued: call again with the same journal.

    Example:
        >>> async with AsyncGaltea("gsk_wrong", base_url=emulator.url) as stranger:
        ...     try:
        ...         await evaluate_sessions(stranger, session_ids)
        ...     except BulkEvaluationError as error:
        ...         print(error.report.sessions_evaluated, type(error.reason).__name__)
        0 AuthenticationError
    """

    def __init__(
        self, message: str, report: BulkReport, reason: GalteaError | None = None, **asked: Unpack[Asked]
    ) -> None:
        _ = asked.setdefault("advice", _NOTHING_KEPT if report.journal is None else _ALL_KEPT)
        super().__init__(message, **asked)
        self.report = report
        self.reason = reason


class BulkImportError(GalteaError):
    """An import ended early; `report` has what happened, `reason` is the error that ended it.

    Call again with the same inputs, and the same journal where there was one. Without a journal, the sessions
    that are there are found by their custom ids, and left as they are.

    Example:
        >>> wanted = [SessionInput(version_id=version_id, custom_id="chat-1")]
        >>> async with AsyncGaltea("gsk_wrong", base_url=emulator.url) as stranger:
        ...     try:
        ...         await create_sessions(stranger, wanted)
        ...     except BulkImportError as error:
        ...         print(error.report.sessions_created, type(error.reason).__name__)
        0 AuthenticationError
    """

    advice_by_default: ClassVar[str | None] = (
        "mend the cause and call again with the same inputs and journal: what it has is kept"
    )

    def __init__(
        self, message: str, report: ImportReport, reason: GalteaError | None = None, **asked: Unpack[Asked]
    ) -> None:
        super().__init__(message, **asked)
        self.report = report
        self.reason = reason


class JournalError(GalteaError):
    """The journal file cannot be used: foreign, torn, in use elsewhere, or its disk is full.

    Example:
        >>> _ = (path / "holiday.jpg").write_bytes(b"not a journal")
        >>> await evaluate_sessions(galtea, session_ids, journal=path / "holiday.jpg")
        Traceback (most recent call last):
        galtea_async.errors.JournalError: ...holiday.jpg is not a journal of galtea_async...
    """


class JournalMismatchError(JournalError):
    """The journal belongs to another job; `differences` has name -> (value in the journal, value asked for).

    Example:
        >>> report = await evaluate_sessions(galtea, session_ids, journal=path / "job.db")
        >>> await evaluate_sessions(galtea, session_ids, metrics=["accuracy"], journal=path / "job.db")
        Traceback (most recent call last):
        galtea_async.errors.JournalMismatchError: ...metrics...
    """

    advice_by_default: ClassVar[str | None] = (
        "use another journal file, or call with the settings that it was made with"
    )

    def __init__(self, message: str, differences: Mapping[str, tuple[str, str]] | None = None) -> None:
        super().__init__(message)
        self.differences: dict[str, tuple[str, str]] = dict(differences or {})
