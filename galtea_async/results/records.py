"""A stream of records that knows its columns, also before the first record and where none comes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar, final

from attrs import define, field

from galtea_async.errors import InvalidRequestError
from galtea_async.results.columns import ColumnKind

__all__ = ["AnyRecords", "Batch", "Records", "batches_of", "each_of"]

_Item = TypeVar("_Item")
_Record = TypeVar("_Record", bound=Mapping[str, object])

_BATCH: Final = 1_000

AnyRecords: TypeAlias = AsyncIterable[Mapping[str, object]] | Iterable[Mapping[str, object]]
"""What can be written or made into a frame: `Records`, or any other (async) iterable of flat mappings."""


@final
@define(eq=False)
class Records(AsyncIterator[_Record], Generic[_Record]):
    """A stream of records that knows its columns. It is read once, from beginning to end.

    What is made of records by a generator of your own has no columns any more; this gives them back.

    Args:
        rows: The records.
        columns: What is in each column, in their order.

    Example:
        >>> from galtea_async.results import evaluation_records, to_polars
        >>> records = evaluation_records(galtea, galtea.evaluations.iterate(version_ids=version_id))
        >>> failed = (record async for record in records if record["status"] == "FAILED")
        >>> failed = Records(failed, columns=records.columns)
        >>> [record["error"] async for record in failed]
        []
    """

    _rows: AsyncIterator[_Record] = field(repr=False)
    columns: Mapping[str, ColumnKind] = field(kw_only=True)

    async def __anext__(self) -> _Record:
        """Return the next record."""
        return await anext(self._rows)


@define
class Batch:
    """Some records that follow each other, as rows of the same columns.

    Attributes:
        columns: The columns, and what is in them where that is known.
        records: The records, which may be none.
    """

    columns: Mapping[str, ColumnKind | None]
    records: list[Mapping[str, object]]

    def rows(self) -> list[list[object]]:
        """Return the cells of each record in the order of the columns; what a record lacks is `None`.

        Raises:
            InvalidRequestError: A record has a cell in no column.
        """
        return [[record.get(name) for name in self.columns] for record in self.records if self._fits(record)]

    def _fits(self, record: Mapping[str, object]) -> bool:
        if record.keys() <= self.columns.keys():
            return True
        surplus = sorted(record.keys() - self.columns.keys())
        raise InvalidRequestError(
            f"a record has {surplus[0]!r}, which is not one of the columns: {', '.join(self.columns)}",
            advice="give Records with the columns of all records",
        )


async def batches_of(records: AnyRecords) -> AsyncIterator[Batch]:
    """Read records in batches; there is always one, for its columns.

    Args:
        records: `Records`, or others, whose columns are those of the first.

    Yields:
        The batches.
    """
    columns: Mapping[str, ColumnKind | None] = getattr(records, "columns", {})
    gathered: list[Mapping[str, object]] = []
    is_first = True
    async for record in each_of(records):
        columns = columns or dict.fromkeys(record)
        gathered.append(record)
        if len(gathered) == _BATCH:
            yield Batch(columns, gathered)
            gathered, is_first = [], False
    if gathered or is_first:
        yield Batch(columns, gathered)


async def each_of(items: AsyncIterable[_Item] | Iterable[_Item]) -> AsyncIterator[_Item]:
    """Iterate over what may or may not be an async iterable."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
