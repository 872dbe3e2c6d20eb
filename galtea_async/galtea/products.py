"""`galtea.products`: what is evaluated, each with its versions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack, final

from attrs import frozen

from galtea_async.galtea.filters import ProductFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.product import Product

__all__ = ["Products"]


@final
@frozen(repr=False)
class Products:
    """The endpoints of products, for reading; reached as `galtea.products`."""

    _channel: Channel
    _listing: Listing[Product]

    async def get(self, id: str) -> Product:  # noqa: A002  the API's own word for it
        """Get one product (GET /products/{id}).

        Args:
            id: Its id.

        Returns:
            The product.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> (await galtea.products.get(product_id)).id == product_id
            True
        """
        return await self._channel.send(object_call("GET", "/products/{id}", Product, ids={"id": id}))

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[ProductFilters],
    ) -> list[Product]:
        """List one page of products in one request (GET /products).

        Args:
            sort: Pairs of field and direction, such as `[("created_at", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `ProductFilters`; ids and names take one value or an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> [product.id for product in await galtea.products.list(ids=product_id)] == [product_id]
            True
        """
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self,
        *,
        sort: SortOrder | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[ProductFilters],
    ) -> AsyncIterator[Product]:
        """Iterate over all products that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added. Long lists of ids are split over several requests. Memory stays flat unless `sort`
        is given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `ProductFilters`; ids and names take one value or an iterable.

        Returns:
            An async iterator over the products.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> product_id in [product.id async for product in galtea.products.iterate()]
            True
        """
        return self._listing.rows(filters, sort=sort, page_size=page_size)
