"""Lists of one kind of row: a single page, or all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

from attrs import frozen

from galtea_async.http.call import Call
from galtea_async.http.channel import Channel
from galtea_async.http.target import Parameter, query_of, query_string
from galtea_async.models.converter import read_page
from galtea_async.models.page_total import read_total
from galtea_async.pandaprobe.arguments import checked_whole_number
from galtea_async.pandaprobe.cursor import Cursor
from galtea_async.pandaprobe.filters import parameters_of

__all__ = ["PAGE_SIZE", "Listing"]

PAGE_SIZE: Final = 200
"""The most rows that the service gives at once."""

_LARGEST_OFFSET: Final = 2**63 - 1
"""Beyond it the service breaks down."""

_Row = TypeVar("_Row")


@frozen
class _Page(Generic[_Row]):
    """A part of a list, and how long the list is, where the service says so."""

    rows: list[_Row]
    total: int | None


@frozen(kw_only=True)
class Listing(Generic[_Row]):
    """One list route.

    Args:
        channel: The way to the service.
        path: The route.
        model: What its rows are.
        filters: The class that declares its filters.
        id_of: Tells rows apart.
        moment_of: The time by which the walk through all rows goes.
        order: The parameters that ask for that order, where the service has to be asked.
    """

    channel: Channel
    path: str
    model: type[_Row]
    filters: type
    id_of: Callable[[_Row], str]
    moment_of: Callable[[_Row], datetime | None]
    order: tuple[Parameter, ...] = ()

    async def page(
        self,
        filters: Mapping[str, object],
        *,
        limit: int,
        offset: int | None,
        order: Sequence[Parameter] = (),
    ) -> list[_Row]:
        """Ask for one page in one request."""
        chosen = self._parameters(filters)
        window = {"limit": checked_whole_number("limit", limit, at_least=1, at_most=PAGE_SIZE)}
        if offset is not None:
            window["offset"] = checked_whole_number("offset", offset, at_least=0, at_most=_LARGEST_OFFSET)
        page = await self._fetch([*chosen, *order, *query_of(window)])
        return page.rows

    def rows(self, filters: Mapping[str, object], *, page_size: int) -> AsyncGenerator[_Row]:
        """Ask for everything, page by page; what cannot be sent is refused at once."""
        _ = checked_whole_number("page_size", page_size, at_least=2, at_most=PAGE_SIZE)
        return self._walk(self._parameters(filters), page_size)

    async def _walk(self, chosen: list[Parameter], page_size: int) -> AsyncGenerator[_Row]:
        cursor = Cursor(page_size=page_size, id_of=self.id_of, moment_of=self.moment_of)
        while not cursor.finished:
            window = query_of({"limit": page_size, "offset": cursor.offset})
            page = await self._fetch([*chosen, *self.order, *window])
            for row in cursor.take(page.rows, page.total):
                yield row

    def _parameters(self, filters: Mapping[str, object]) -> list[Parameter]:
        return parameters_of(self.filters, filters, route=f"GET {self.path}")

    async def _fetch(self, parameters: Sequence[Parameter]) -> _Page[_Row]:
        async def decode(body: bytes) -> _Page[_Row]:
            return _Page(await read_page(body, self.model), read_total(body))

        target = self.path + query_string(parameters)
        return await self.channel.send(Call(method="GET", template=self.path, target=target, decode=decode))
