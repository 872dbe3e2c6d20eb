"""`galtea.specifications`: what is expected of products, and the metrics that measure it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack, final

from attrs import frozen

from galtea_async.galtea.filters import SpecificationFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.specification import Specification

__all__ = ["Specifications"]


@final
@frozen(repr=False)
class Specifications:
    """The endpoints of specifications, for reading; reached as `galtea.specifications`."""

    _channel: Channel
    _listing: Listing[Specification]

    async def get(self, id: str) -> Specification:  # noqa: A002  the API's own word for it
        """Get one specification (GET /specifications/{id}).

        Args:
            id: Its id.

        Returns:
            The specification.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> (listed,) = await galtea.specifications.list(product_ids=product_id)
            >>> (await galtea.specifications.get(listed.id)) == listed
            True
        """
        return await self._channel.send(
            object_call("GET", "/specifications/{id}", Specification, ids={"id": id})
        )

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[SpecificationFilters],
    ) -> list[Specification]:
        """List one page of specifications in one request (GET /specifications).

        Args:
            sort: Pairs of field and direction, such as `[("created_at", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `SpecificationFilters`; ids and names take one value or an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> specifications = await galtea.specifications.list(product_ids=product_id, types="CAPABILITY")
            >>> len(specifications)
            1
        """
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self,
        *,
        sort: SortOrder | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[SpecificationFilters],
    ) -> AsyncIterator[Specification]:
        """Iterate over all specifications that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added. Long lists of ids are split over several requests. Memory stays flat unless `sort`
        is given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `SpecificationFilters`; ids and names take one value or an iterable.

        Returns:
            An async iterator over the specifications.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> specifications = galtea.specifications.iterate(product_ids=product_id)
            >>> [len(specification.metric_ids) async for specification in specifications]
            [1]
        """
        return self._listing.rows(filters, sort=sort, page_size=page_size)
