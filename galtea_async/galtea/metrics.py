"""`galtea.metrics`: what sessions can be evaluated with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack, final

from attrs import frozen

from galtea_async.galtea.filters import MetricFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.metric import Metric

__all__ = ["Metrics"]


@final
@frozen(repr=False)
class Metrics:
    """The endpoints of metrics, for reading; reached as `galtea.metrics`."""

    _channel: Channel
    _listing: Listing[Metric]

    async def get(self, id: str) -> Metric:  # noqa: A002  the API's own word for it
        """Get one metric (GET /metrics/{id}).

        Args:
            id: Its id.

        Returns:
            The metric.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> (await galtea.metrics.get(metric_id)).name
            'Politeness'
        """
        return await self._channel.send(object_call("GET", "/metrics/{id}", Metric, ids={"id": id}))

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[MetricFilters],
    ) -> list[Metric]:
        """List one page of metrics in one request (GET /metrics).

        Args:
            sort: Pairs of field and direction, such as `[("created_at", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `MetricFilters`; ids and names take one value or an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> (metric,) = await galtea.metrics.list(names="Politeness", include_legacy=False)
            >>> metric.id == metric_id
            True
        """
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self,
        *,
        sort: SortOrder | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[MetricFilters],
    ) -> AsyncIterator[Metric]:
        """Iterate over all metrics that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added. Long lists of ids are split over several requests. Memory stays flat unless `sort`
        is given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `MetricFilters`; ids and names take one value or an iterable.

        Returns:
            An async iterator over the metrics.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> sorted(
            ...     [metric.name async for metric in galtea.metrics.iterate(names=["accuracy", "Politeness"])]
            ... )
            ['Politeness', 'accuracy']
        """
        return self._listing.rows(filters, sort=sort, page_size=page_size)
