"""Records as frames: typed columns, whatever is in them."""

from __future__ import annotations

import datetime
import sys
from typing import TYPE_CHECKING, Any

import pytest
from results.shapes import MOMENT, evaluation, many_records

from galtea_async import ConfigurationError, InvalidRequestError
from galtea_async.results import EvaluationRecord, Records, to_pandas, to_polars
from galtea_async.results.columns import columns_of
from galtea_async.results.evaluation_record import evaluation_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

COLUMNS = columns_of(EvaluationRecord)


async def some_records() -> AsyncIterator[EvaluationRecord]:
    """One record with hardly anything, and one with a cell of each kind."""
    yield evaluation_record(
        evaluation(1, score=None, created_at=None), session_custom_id="chat-7", metric=None
    )
    yield evaluation_record(
        evaluation(2, passed=True, judge_input_tokens=12, score=1.0), session_custom_id=None, metric="tone"
    )


async def no_records() -> AsyncIterator[EvaluationRecord]:
    """None at all."""
    for record in list[EvaluationRecord]():
        yield record


async def test_pandas_columns_have_types() -> None:
    """Every column has its type, and missing values are missing and nothing else."""
    pandas = pytest.importorskip("pandas")
    frame = await to_pandas(Records(some_records(), columns=COLUMNS))
    assert list(frame.columns) == list(COLUMNS)
    names = ["session_custom_id", "score", "judge_input_tokens", "passed", "created_at"]
    assert [str(frame[name].dtype) for name in names] == [
        "string",
        "Float64",
        "Int64",
        "boolean",
        "datetime64[us, UTC]",
    ]
    assert frame[names].isna().to_numpy().tolist() == [
        [False, True, True, True, True],
        [True, False, False, False, False],
    ]
    assert [frame[name].iloc[1] for name in names[1:]] == [1.0, 12, True, pandas.Timestamp(MOMENT)]


async def test_polars_columns_have_types() -> None:
    """Every column has its type, and missing values are null and nothing else."""
    polars = pytest.importorskip("polars")
    frame = await to_polars(Records(some_records(), columns=COLUMNS))
    assert frame.columns == list(COLUMNS)
    names = ["session_custom_id", "score", "judge_input_tokens", "passed", "created_at"]
    assert [frame.schema[name] for name in names] == [
        polars.String(),
        polars.Float64(),
        polars.Int64(),
        polars.Boolean(),
        polars.Datetime("us", "UTC"),
    ]
    first, second = frame.select(names).rows()
    assert first == ("chat-7", None, None, None, None)
    assert second == (None, 1.0, 12, True, MOMENT)


@pytest.mark.parametrize(("library", "convert"), [("pandas", to_pandas), ("polars", to_polars)])
async def test_an_empty_frame_is_typed_too(library: str, convert: Callable[..., Any]) -> None:
    """Without a row, names and types of the columns are the same as with rows."""
    pytest.importorskip(library)
    empty = await convert(Records(no_records(), columns=COLUMNS))
    full = await convert(Records(many_records(2_500), columns=COLUMNS))
    assert (len(empty), len(full)) == (0, 2_500)
    assert list(empty.columns) == list(full.columns) == list(COLUMNS)
    assert list(empty.dtypes) == list(full.dtypes)


@pytest.mark.parametrize(("library", "convert"), [("pandas", to_pandas), ("polars", to_polars)])
async def test_whole_numbers_fit_into_a_column_of_numbers(library: str, convert: Callable[..., Any]) -> None:
    """A score of `1` is a number like `0.5`."""
    pytest.importorskip(library)
    records = [
        evaluation_record(evaluation(score=score), session_custom_id=None, metric=None) for score in (1, 0.5)
    ]

    async def stream() -> AsyncIterator[EvaluationRecord]:
        for record in records:
            yield record

    frame = await convert(Records(stream(), columns=COLUMNS))
    assert list(frame["score"]) == [1.0, 0.5]


@pytest.mark.parametrize(("library", "convert"), [("pandas", to_pandas), ("polars", to_polars)])
async def test_records_of_ones_own_make_a_frame(library: str, convert: Callable[..., Any]) -> None:
    """Plain dicts have the columns of the first; the library chooses the types; surplus cells are refused."""
    pytest.importorskip(library)
    frame = await convert([{"day": datetime.date(2023, 11, 7), "score": 0.5}, {"score": 0.25}])
    assert (list(frame.columns), list(frame["score"])) == (["day", "score"], [0.5, 0.25])
    with pytest.raises(InvalidRequestError, match="'b', which is not one of the columns: a"):
        await convert([{"a": 1}, {"b": 2}])


@pytest.mark.parametrize(("library", "convert"), [("pandas", to_pandas), ("polars", to_polars)])
async def test_a_missing_library_is_named_with_its_extra(
    library: str, convert: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the library the error says which extra to install, and nothing is read."""
    monkeypatch.setitem(sys.modules, library, None)
    records = many_records(1)
    with pytest.raises(ConfigurationError, match=rf"galtea-async\[{library}\]"):
        await convert(records)
    assert (await anext(records))["evaluation_id"] == "evaluation_0"
