"""Records as data frames of pandas and polars, which are extras and imported only here, when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from attrs import define, field

from galtea_async.errors import ConfigurationError
from galtea_async.results.columns import ColumnKind
from galtea_async.results.records import AnyRecords, Batch, batches_of
from galtea_async.results.text_output import in_thread

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["to_pandas", "to_polars"]

_Series = TypeVar("_Series")

_PANDAS_TYPES: Final = {
    ColumnKind.TEXT: "string",
    ColumnKind.NUMBER: "Float64",
    ColumnKind.INTEGER: "Int64",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.TIME: "datetime64[us, UTC]",
}


async def to_pandas(records: AnyRecords) -> pandas.DataFrame:
    """Make a pandas frame of records; needs the extra `pandas`.

    Columns get pandas' types with missing values: `string`, `Float64`, `Int64`, `boolean`, and
    `datetime64[us, UTC]` for times. So they have the same types whatever is in them, also where the frame is
    empty. The frame is built in a thread, and has all records in memory.

    Args:
        records: `Records`, or any other iterable or async iterable of flat dicts, whose columns are then
            those of the first and whose types pandas chooses.

    Returns:
        The frame, a row for each record.

    Raises:
        ConfigurationError: pandas is not installed; nothing was read.
        InvalidRequestError: A record has a column that the others lack.
        GalteaError: Whatever the records raise while they are read.

    Example:
        >>> from galtea_async.results import evaluation_records
        >>> _ = await galtea.evaluations.from_sessions(version_id=version_id)
        >>> rows = galtea.evaluations.iterate(version_ids=version_id)
        >>> frame = await to_pandas(evaluation_records(galtea, rows))
        >>> frame["metric"].value_counts().to_dict()
        {'accuracy': 5}
    """
    await in_thread(_check_installed, "pandas")
    columns = await _fill(await in_thread(_pandas_columns), records)
    return await in_thread(_pandas_frame, columns)


async def to_polars(records: AnyRecords) -> polars.DataFrame:
    """Make a polars frame of records; needs the extra `polars`.

    Columns are `String`, `Float64`, `Int64`, `Boolean`, and `Datetime("us", "UTC")` for times. So they have
    the same types whatever is in them, also where the frame is empty. The frame is built in a thread, and has
    all records in memory.

    Args:
        records: `Records`, or any other iterable or async iterable of flat dicts, whose columns are then
            those of the first and whose types polars chooses.

    Returns:
        The frame, a row for each record.

    Raises:
        ConfigurationError: polars is not installed; nothing was read.
        InvalidRequestError: A record has a column that the others lack.
        GalteaError: Whatever the records raise while they are read.

    Example:
        >>> from galtea_async.results import evaluation_records
        >>> _ = await galtea.evaluations.from_sessions(version_id=version_id)
        >>> rows = galtea.evaluations.iterate(version_ids=version_id)
        >>> frame = await to_polars(evaluation_records(galtea, rows))
        >>> frame.height, frame.schema["score"]
        (5, Float64)
    """
    await in_thread(_check_installed, "polars")
    columns = await _fill(await in_thread(_polars_columns), records)
    return await in_thread(_polars_frame, columns)


def _check_installed(library: str) -> None:
    if find_spec(library) is None:
        raise ConfigurationError(
            f"to_{library} needs {library}, which is not installed",
            advice=f"install galtea-async with its extra: galtea-async[{library}]",
        )


@define
class _Columns(Generic[_Series]):
    """The columns of a frame, as a library has them, while they grow.

    Libraries hold the interpreter's lock while they read Python's objects, so all cells at once would stop
    the loop for long, also from a thread. Columns of a known kind are therefore made batch by batch. One of
    an unknown kind is made at the end, for its type follows from all of its cells.

    Args:
        make: Makes a piece of a column.
        join: Puts pieces together.
    """

    make: Callable[[list[object], ColumnKind | None], _Series]
    join: Callable[[list[_Series]], _Series]
    _pieces: dict[str, list[_Series]] = field(factory=dict[str, list[_Series]], init=False)
    _cells: dict[str, list[object]] = field(factory=dict[str, list[object]], init=False)

    def add(self, batch: Batch) -> None:
        """Add the cells of a batch."""
        rows = batch.rows()
        for index, (name, kind) in enumerate(batch.columns.items()):
            cells = [_typed(row[index], kind) for row in rows]
            self._pieces.setdefault(name, [])
            if kind is None:
                self._cells.setdefault(name, []).extend(cells)
            else:
                self._pieces[name].append(self.make(cells, kind))

    def joined(self) -> dict[str, _Series]:
        """Return the whole columns."""
        return {
            name: self.join(pieces) if pieces else self.make(self._cells[name], None)
            for name, pieces in self._pieces.items()
        }


async def _fill(columns: _Columns[_Series], records: AnyRecords) -> dict[str, _Series]:
    async for batch in batches_of(records):
        await in_thread(columns.add, batch)
    return await in_thread(columns.joined)


def _typed(cell: object, kind: ColumnKind | None) -> object:
    if kind is ColumnKind.TIME and isinstance(cell, str):
        return datetime.fromisoformat(cell)
    if kind is ColumnKind.NUMBER and isinstance(cell, int):
        return float(cell)
    return cell


def _pandas_columns() -> _Columns[pandas.Series[Any]]:
    import pandas  # noqa: PLC0415  an extra

    return _Columns(
        make=lambda cells, kind: pandas.Series(cells, dtype=None if kind is None else _PANDAS_TYPES[kind]),
        join=lambda pieces: pandas.concat(pieces, ignore_index=True),
    )


def _pandas_frame(columns: Mapping[str, pandas.Series[Any]]) -> pandas.DataFrame:
    import pandas  # noqa: PLC0415  an extra

    return pandas.DataFrame(dict(columns))


def _polars_columns() -> _Columns[polars.Series]:
    import polars  # noqa: PLC0415  an extra

    types = {
        None: None,
        ColumnKind.TEXT: polars.String(),
        ColumnKind.NUMBER: polars.Float64(),
        ColumnKind.INTEGER: polars.Int64(),
        ColumnKind.BOOLEAN: polars.Boolean(),
        ColumnKind.TIME: polars.Datetime("us", "UTC"),
    }
    return _Columns(make=lambda cells, kind: polars.Series(cells, dtype=types[kind]), join=polars.concat)


def _polars_frame(columns: Mapping[str, polars.Series]) -> polars.DataFrame:
    import polars  # noqa: PLC0415  an extra

    return polars.DataFrame(columns)
