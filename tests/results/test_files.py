"""Records in files: what is read back is what was written, whatever is in it, in flat memory."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results.shapes import evaluation_records_of_any_shape, many_records

from galtea_async import InvalidRequestError, OutcomeStatus, SessionOutcome
from galtea_async.results import ColumnKind, Records, outcome_records, write_csv, write_json_lines
from galtea_async.results.columns import columns_of
from galtea_async.results.evaluation_record import EvaluationRecord
from support.run import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

COLUMNS = columns_of(EvaluationRecord)

lists_of_records = st.lists(evaluation_records_of_any_shape(), max_size=5)
of_each_writer = pytest.mark.parametrize("write", [write_json_lines, write_csv])


def read_csv(text: str) -> list[dict[str, Any]]:
    """Read what `write_csv` wrote, as its documentation tells."""
    return [
        {name: read_cell(cell, COLUMNS[name]) for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def read_cell(cell: str, kind: ColumnKind) -> Any:
    """Read a cell of a column whose kind is known."""
    if cell == "":
        return None
    match kind:
        case ColumnKind.BOOLEAN:
            return {"true": True, "false": False}[cell]
        case ColumnKind.NUMBER:
            return float(cell)
        case ColumnKind.INTEGER:
            return int(cell)
        case _:
            return cell.removeprefix("'")


@given(records=lists_of_records)
async def test_csv_is_read_back(records: list[EvaluationRecord]) -> None:
    """Records that went through CSV are the same records."""
    text = io.StringIO(newline="")
    assert await write_csv(text, Records(streamed(records), columns=COLUMNS)) == len(records)
    assert read_csv(text.getvalue()) == records
    assert text.getvalue().startswith(",".join(COLUMNS) + "\r\n")


@given(records=lists_of_records)
async def test_json_lines_are_read_back(records: list[EvaluationRecord]) -> None:
    """Records that went through JSON Lines are the same records, a line each."""
    text = io.StringIO(newline="")
    assert await write_json_lines(text, streamed(records)) == len(records)
    lines = text.getvalue().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == records


@given(reason=st.text(min_size=1))
async def test_no_cell_begins_as_a_formula(reason: str) -> None:
    """No text gets into CSV that a spreadsheet would run."""
    text = io.StringIO(newline="")
    await write_csv(text, [{"reason": reason, "score": -0.5}])
    _, (cell, score) = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert cell[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
    assert cell.removeprefix("'") == reason
    assert score == "-0.5"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("https://example.org")', '''"'=HYPERLINK(""https://example.org"")"'''),
        ("- polite\n- short", '"\'- polite\n- short"'),
        ("'tis so", "''tis so"),
        ("5 = 5", "5 = 5"),
    ],
)
async def test_a_hazard_gets_an_apostrophe(text: str, cell: str) -> None:
    """Formulas and lists with dashes are marked as text, an apostrophe is doubled, other texts stay."""
    file = io.StringIO(newline="")
    await write_csv(file, [{"reason": text}])
    assert file.getvalue() == f"reason\r\n{cell}\r\n"


async def test_the_heading_is_there_without_records() -> None:
    """An export of nothing names its columns in CSV, and is empty as JSON Lines."""
    heading, nothing = io.StringIO(newline=""), io.StringIO(newline="")
    assert await write_csv(heading, outcome_records([])) == 0
    assert await write_json_lines(nothing, outcome_records([])) == 0
    assert (heading.getvalue(), nothing.getvalue()) == ("session_id,status,error\r\n", "")


async def test_records_of_ones_own_have_the_columns_of_the_first() -> None:
    """What a later record lacks is empty; what it has more is refused and not dropped."""
    file = io.StringIO(newline="")
    await write_csv(file, [{"a": 1, "b": True}, {"b": None}])
    assert file.getvalue() == "a,b\r\n1,true\r\n,\r\n"
    with pytest.raises(InvalidRequestError, match="'c', which is not one of the columns: a"):
        await write_csv(file, [{"a": 1}, {"a": 1, "c": 2}])


async def test_what_is_nested_goes_into_json_only() -> None:
    """CSV refuses a cell that is a list; JSON Lines take it, and refuse what JSON cannot say."""
    file = io.StringIO()
    with pytest.raises(InvalidRequestError, match="not a list"):
        await write_csv(file, [{"a": [1]}])
    await write_json_lines(file, [{"a": [1]}])
    assert file.getvalue() == '{"a":[1]}\n'
    with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
        await write_json_lines(file, [{"a": object()}])


@of_each_writer
async def test_a_path_is_replaced_in_utf_8(write: Callable[..., Any], tmp_path: Path) -> None:
    """A file is written anew, in UTF-8 whatever the machine prefers."""
    file = tmp_path / "outcomes"
    file.write_bytes(b"what was there before " * 100)
    outcomes = [SessionOutcome("session_1", OutcomeStatus.FAILED, "geht nicht: müde")]
    assert await write(str(file), outcome_records(outcomes)) == 1
    written = file.read_bytes().decode("utf-8")
    assert "geht nicht: müde" in written
    assert "before" not in written


@of_each_writer
async def test_a_folder_that_is_not_there_is_an_error(write: Callable[..., Any], tmp_path: Path) -> None:
    """What cannot be opened is an `OSError`, before a record is read."""
    records = many_records(1)
    with pytest.raises(FileNotFoundError):
        await write(tmp_path / "nowhere" / "file", records)
    assert await anext(records)
    await records.aclose()  # type: ignore[attr-defined]  # it is a generator


@of_each_writer
async def test_records_that_fail_leave_whole_lines(write: Callable[..., Any], tmp_path: Path) -> None:
    """An error of the source comes out as it is; the batches before it are in the file."""

    async def failing() -> AsyncIterator[EvaluationRecord]:
        async for record in many_records(2_500):
            yield record
        raise ZeroDivisionError

    file = tmp_path / "file"
    with pytest.raises(ZeroDivisionError):
        await write(file, failing())
    lines = file.read_text().splitlines()
    assert len(lines) - (write is write_csv) == 2_000
    assert "evaluation_1999" in lines[-1]


@attrs.define
class SlowFile:
    """A file on a disk that waits for a test."""

    goes_on: threading.Event = attrs.field(factory=threading.Event)
    threads: set[str] = attrs.field(factory=set[str])
    text: str = ""

    def write(self, text: str, /) -> int:
        """Append, when the test lets it."""
        assert self.goes_on.wait(10)
        self.threads.add(threading.current_thread().name)
        self.text += text
        return len(text)


@of_each_writer
async def test_a_slow_disk_does_not_stop_the_loop(write: Callable[..., Any]) -> None:
    """Other tasks run while a batch is written."""
    file = SlowFile()
    task = asyncio.create_task(write(file, many_records(10)))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not task.done()
    file.goes_on.set()
    assert await task == 10
    assert threading.current_thread().name not in file.threads


@of_each_writer
async def test_a_cancel_waits_for_the_batch_under_way(write: Callable[..., Any]) -> None:
    """A cancelled export ends with a whole line, and leaves no thread behind that still writes."""
    file = SlowFile()
    task = asyncio.create_task(write(file, many_records(5_000)))
    for _ in range(5_000):
        await asyncio.sleep(0)
    task.cancel()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not task.done()
    file.goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    lines = file.text.splitlines()
    assert len(lines) - (write is write_csv) == 1_000
    assert file.text.endswith("\n")


@of_each_writer
@pytest.mark.slow
def test_memory_stays_flat(write: Callable[..., Any], tmp_path: Path) -> None:
    """100,000 records cost hardly more memory than 5,000: the peak is that of a batch."""
    peaks = [peak_of_writing(write, tmp_path / "file", count) for count in (5_000, 100_000)]
    assert peaks[1] < 1.1 * peaks[0], peaks
    with (tmp_path / "file").open() as file:
        assert sum(1 for _ in file) - (write is write_csv) == 100_000


def peak_of_writing(write: Callable[..., Any], path: Path, count: int) -> int:
    """The most bytes that Python had at once while it wrote so many records."""
    tracemalloc.start()
    try:
        assert run(write, path, many_records(count)) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def streamed(records: list[EvaluationRecord]) -> AsyncIterator[EvaluationRecord]:
    """Records one by one."""
    for record in records:
        yield record
