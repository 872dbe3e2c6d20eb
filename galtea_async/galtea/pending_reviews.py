"""The evaluations that wait for a person: await them for one page, iterate over them for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Mapping
from typing import Any, Final, final

from attrs import field, frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.http.channel import Channel
from galtea_async.models.evaluation import Evaluation

__all__ = ["PendingReviews", "pending_listing"]

_OLDEST_FIRST: Final = (("created_at", "asc"),)
_FILTERS: Final = frozenset({"product_ids"})


def pending_listing(channel: Channel, base_bytes: int) -> Listing[Evaluation]:
    """Return the list of what waits for a person, which knows few filters."""
    return Listing(channel, "/evaluations/human/pending", Evaluation, _FILTERS, base_bytes)


@final
@frozen(kw_only=True)
class PendingReviews:
    """What `evaluations.pending_human` returns.

    Awaited, it is one request, and the rows of one page. Iterated over with `async for`, it is all rows, in
    as many requests as that takes; `limit` is then the size of a page. The route knows no filter by time, so
    the iteration counts rows, and remembers the ids that it has given.

    Example:
        >>> await galtea.evaluations.pending_human()
        []
        >>> [row.id async for row in galtea.evaluations.pending_human()]
        []
    """

    _listing: Listing[Evaluation] = field(alias="listing")
    _filters: Mapping[str, object] = field(alias="filters")
    _sort: SortOrder | None = field(alias="sort")
    _limit: int | None = field(alias="limit")
    _offset: int | None = field(alias="offset")

    def __await__(self) -> Generator[Any, None, list[Evaluation]]:
        return self._page().__await__()

    def __aiter__(self) -> AsyncIterator[Evaluation]:
        if self._offset is not None:
            raise InvalidRequestError("an iteration gives all rows: leave offset out")
        page_size = PAGE_SIZE if self._limit is None else self._limit
        return self._listing.rows(self._filters, sort=self._sort or _OLDEST_FIRST, page_size=page_size)

    async def _page(self) -> list[Evaluation]:
        order = self._sort or _OLDEST_FIRST
        return await self._listing.page(self._filters, sort=order, limit=self._limit, offset=self._offset)
