r"""Records as CSV, for spreadsheets too.

CSV has no types and no standard but RFC 4180, which is kept: commas, double quotes where they are needed,
CRLF at the end of a line. Beyond it:

- the first line has the names of the columns, also where there are no records;
- booleans are `true` and `false`, and `None` is an empty cell, as an empty text is too;
- numbers are written with as many digits as it takes to read the same number again.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and runs it when the file is
opened. Reasons of a judge and custom ids of sessions are texts that others write, so a reason such as
`=HYPERLINK("https://...")` would become a link with your data in it. A text that begins with one of these,
with their full-width forms, with a tab or a line end therefore gets an apostrophe in front, which
spreadsheets understand as "this is text". A text that begins with an apostrophe gets another one, so nothing
is lost: whoever reads the file with a program takes one apostrophe off the front of each cell that has one,
or reads JSON Lines instead. Numbers are no texts and stay as they are, negative ones too.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from galtea_async.errors import InvalidRequestError
from galtea_async.results.records import AnyRecords, Batch
from galtea_async.results.text_output import Target, write_batches

__all__ = ["write_csv"]

_HAZARDS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula; the four in the middle are full-width forms."""


async def write_csv(target: Target, records: AnyRecords) -> int:
    """Write records as CSV, in UTF-8, with the names of the columns in the first line.

    A text that a spreadsheet could take for a formula, because it begins with `=`, `+`, `-`, `@` or a tab,
    gets an apostrophe in front; so does one that begins with an apostrophe. JSON Lines has texts as they are.

    Records are read and written a thousand at a time, in flat memory, and the disk is left to a thread. When
    something fails, what was written so far stays, and ends with a whole line.

    Args:
        target: The path of a file, which is replaced, or an open file of text, which stays open. One of your
            own should be opened with `newline=""`.
        records: `Records`, or any other iterable or async iterable of flat dicts, whose columns are then
            those of the first.

    Returns:
        How many records were written.

    Raises:
        InvalidRequestError: A record has a column that the others lack, or a cell that is not flat.
        OSError: The file cannot be written.
        GalteaError: Whatever the records raise while they are read.

    Example:
        >>> from galtea_async.results import outcome_records
        >>> outcomes = [SessionOutcome("session_1", OutcomeStatus.FAILED, "=no turns")]
        >>> await write_csv(path / "outcomes.csv", outcome_records(outcomes))
        1
        >>> print((path / "outcomes.csv").read_text())
        session_id,status,error
        session_1,failed,'=no turns
    """
    return await write_batches(target, records, _lines, head=_heading)


def _heading(batch: Batch) -> str:
    return _as_csv([list(batch.columns)]) if batch.columns else ""


def _lines(batch: Batch) -> str:
    return _as_csv(batch.rows())


def _as_csv(rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if value.startswith(("'", *_HAZARDS)) else value
        case int() | float():
            return str(value)
        case _:
            raise InvalidRequestError(
                f"a cell of CSV is a text, a number, a boolean or None, not a {type(value).__name__}",
                advice="write_json_lines writes what is nested too",
            )
