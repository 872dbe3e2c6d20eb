"""`galtea.versions`: the versions of products, whose sessions are evaluated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack, final

from attrs import frozen

from galtea_async.galtea.filters import VersionFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.version import Version

__all__ = ["Versions"]


@final
@frozen(repr=False)
class Versions:
    """The endpoints of versions, for reading; reached as `galtea.versions`."""

    _channel: Channel
    _listing: Listing[Version]

    async def get(self, id: str) -> Version:  # noqa: A002  the API's own word for it
        """Get one version (GET /versions/{id}).

        Args:
            id: Its id.

        Returns:
            The version.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> (await galtea.versions.get(version_id)).product_id == product_id
            True
        """
        return await self._channel.send(object_call("GET", "/versions/{id}", Version, ids={"id": id}))

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[VersionFilters],
    ) -> list[Version]:
        """List one page of versions in one request (GET /versions).

        Args:
            sort: Pairs of field and direction, such as `[("created_at", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `VersionFilters`; ids and names take one value or an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> newest = await galtea.versions.list(
            ...     product_ids=product_id, sort=[("created_at", "desc")], limit=1
            ... )
            >>> newest[0].id == version_id
            True
        """
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self,
        *,
        sort: SortOrder | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[VersionFilters],
    ) -> AsyncIterator[Version]:
        """Iterate over all versions that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added. Long lists of ids are split over several requests. Memory stays flat unless `sort`
        is given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `VersionFilters`; ids and names take one value or an iterable.

        Returns:
            An async iterator over the versions.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> versions = galtea.versions.iterate(product_ids=product_id)
            >>> [version.id async for version in versions] == [version_id]
            True
        """
        return self._listing.rows(filters, sort=sort, page_size=page_size)
