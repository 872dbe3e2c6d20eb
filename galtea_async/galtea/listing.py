"""Lists of one kind of row: a single page, or all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar, cast

from attrs import define, frozen

from galtea_async.errors import InvalidRequestError, RequestBlockedError
from galtea_async.galtea.cursor import ByOffset, Cursor, OldestFirst, Row, is_oldest_first
from galtea_async.galtea.splitting import MULTIPLE, halves, split
from galtea_async.http.channel import Channel
from galtea_async.http.requests import list_call
from galtea_async.http.target import Parameter, query_of
from galtea_async.models.converter import wire_name
from galtea_async.models.text import is_text

__all__ = ["PAGE_SIZE", "Listing", "SortOrder"]

PAGE_SIZE: Final = 1_000
_URL_BYTES: Final = 2_000
"""The shortest refusal seen in the wild was at 2,300 bytes."""

_CURSOR_BYTES: Final = 160
"""Room for what a cursor adds: sort, limit, a time and an offset."""

SortOrder = Iterable[tuple[str, str]]
_RowType = TypeVar("_RowType", bound=Row)


@define
class _Walk:
    """A part of a list, and how far it has been walked."""

    part: list[Parameter]
    cursor: Cursor


@frozen
class Listing(Generic[_RowType]):
    """One list route.

    Args:
        channel: The way to the service.
        path: The route.
        model: What its rows are.
        filter_names: The filters that it takes, by their names in Python.
        base_bytes: The length of the base URL.
    """

    channel: Channel
    path: str
    model: type[_RowType]
    filter_names: frozenset[str]
    base_bytes: int

    async def page(
        self,
        filters: Mapping[str, object],
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[_RowType]:
        """Ask for one page in one request."""
        for name, number in (("limit", limit), ("offset", offset)):
            if number is not None:
                _check_whole_number(name, number)
        parameters = self._parameters(filters)
        if parameters is None:
            return []
        by_id = any(name == "ids" for name, _ in parameters)
        if limit is None and not by_id:
            limit = PAGE_SIZE
        order = [("sort", part) for part in _sort_parts(sort)]
        window = query_of({"limit": limit, "offset": offset})
        return await self._fetch([*parameters, *order, *window])

    async def rows(
        self, filters: Mapping[str, object], *, sort: SortOrder | None = None, page_size: int = PAGE_SIZE
    ) -> AsyncIterator[_RowType]:
        """Ask for everything, page by page and in as many requests as the id lists need."""
        parameters = self._parameters(filters)
        walks = [] if parameters is None else self._walks(parameters, _sort_parts(sort), page_size)
        overlap = len(walks) > 1 and any(name in MULTIPLE for name, _ in walks[0].part)
        seen: set[str] = set()
        while walks:
            walk = walks.pop(0)
            try:
                async for row in self._steps(walk):
                    if row.id not in seen:
                        yield row
                    if overlap:
                        seen.add(row.id)
            except RequestBlockedError:
                smaller = halves(walk.part)
                if smaller is None:
                    raise
                walks = [*(_Walk(part, walk.cursor.fork()) for part in smaller), *walks]

    def _walks(self, parameters: list[Parameter], order: list[str], page_size: int) -> list[_Walk]:
        """Split a list so that no URL is too long, with a walk for each part."""
        _check_whole_number("page_size", page_size, at_least=1)
        budget = _URL_BYTES - _CURSOR_BYTES - self.base_bytes - len(self.path)
        return [
            _Walk(part, ByOffset(page_size, order) if order else OldestFirst(page_size))
            for part in split(parameters, budget)
        ]

    async def _steps(self, walk: _Walk) -> AsyncIterator[_RowType]:
        """Walk to the end of a part; where a request is too long, another walk can go on from here."""
        if any(name == "ids" for name, _ in walk.part):
            for row in await self._fetch(walk.part):
                yield row
            return
        while not walk.cursor.finished:
            rows = await self._fetch(_merge(walk.part, walk.cursor.parameters()))
            cursor = walk.cursor
            if isinstance(cursor, OldestFirst) and not cursor.has_moved and not is_oldest_first(rows):
                walk.cursor = ByOffset(cursor.page_size)
            for row in walk.cursor.take(rows):
                yield row

    async def _fetch(self, parameters: Sequence[Parameter]) -> list[_RowType]:
        return await self.channel.send(list_call(self.path, self.model, parameters))

    def _parameters(self, filters: Mapping[str, object]) -> list[Parameter] | None:
        """Turn filters into parameters; `None` where a list of values is empty and nothing can match."""
        unknown = [name for name in filters if name not in self.filter_names]
        if unknown:
            known = ", ".join(sorted(self.filter_names))
            raise TypeError(f"{self.path} has no filter {unknown[0]!r}; it has: {known}")
        given = {wire_name(name): value for name, value in filters.items() if value is not None}
        parameters = query_of(given)
        return parameters if {name for name, _ in parameters} == given.keys() else None


def _merge(part: list[Parameter], window: list[Parameter]) -> list[Parameter]:
    """Let the cursor's time replace the caller's: it is never earlier."""
    replaced = {name for name, _ in window}
    return [*(parameter for parameter in part if parameter[0] not in replaced), *window]


def _sort_parts(sort: object) -> list[str]:
    if sort is None:
        return []
    wanted = 'sort takes a list of pairs such as ("created_at", "desc")'
    if isinstance(sort, str | bytes) or not isinstance(sort, Iterable):
        raise InvalidRequestError(f"{wanted}, not {sort!r}")
    parts: list[str] = []
    for pair in cast(Iterable[object], sort):
        match pair:
            case (str() as name, str() as direction) if is_text(name) and direction in ("asc", "desc"):
                parts += [wire_name(name), direction]
            case _:
                raise InvalidRequestError(f"{wanted}, and {pair!r} is none")
    return parts


def _check_whole_number(name: str, value: object, *, at_least: int = 0) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise InvalidRequestError(f"{name} must be a whole number, at least {at_least}, not {value!r}")
