"""Records as JSON Lines: an object a line, exactly what the record is."""

from __future__ import annotations

from galtea_async.errors import InvalidRequestError
from galtea_async.models.converter import UnreadableError, encode_json
from galtea_async.results.records import AnyRecords, Batch
from galtea_async.results.text_output import Target, write_batches

__all__ = ["write_json_lines"]


async def write_json_lines(target: Target, records: AnyRecords) -> int:
    """Write records as JSON Lines, in UTF-8: reading a line as JSON gives the record back.

    Records are read and written a thousand at a time, in flat memory, and the disk is left to a thread. When
    something fails, what was written so far stays, and ends with a whole line.

    Args:
        target: The path of a file, which is replaced, or an open file of text, which stays open.
        records: `Records`, or any other iterable or async iterable of dicts.

    Returns:
        How many records were written.

    Raises:
        InvalidRequestError: A record cannot be written as JSON.
        OSError: The file cannot be written.
        GalteaError: Whatever the records raise while they are read.

    Example:
        >>> from galtea_async.results import outcome_records
        >>> outcomes = [SessionOutcome("session_1", OutcomeStatus.EVALUATED)]
        >>> await write_json_lines(path / "outcomes.jsonl", outcome_records(outcomes))
        1
        >>> print((path / "outcomes.jsonl").read_text())
        {"session_id":"session_1","status":"evaluated","error":null}
    """
    return await write_batches(target, records, _lines)


def _lines(batch: Batch) -> str:
    problem = ""
    try:
        return "".join(f"{encode_json(record).decode()}\n" for record in batch.records)
    except UnreadableError as error:
        problem = str(error)
    raise InvalidRequestError(f"a record cannot be written as JSON: {problem}")
