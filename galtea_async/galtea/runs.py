"""`galtea.runs`: groups of evaluations that were started together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack, final

from attrs import frozen

from galtea_async.galtea.filters import RunFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.galtea.run_life import close_run, delete_run
from galtea_async.galtea.run_start import RunStart
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.run import Run

__all__ = ["Runs"]


@final
@frozen(repr=False)
class Runs:
    """The endpoints of runs; reached as `galtea.runs`."""

    _channel: Channel
    _listing: Listing[Run]

    def start(
        self, product_id: str, *, version_id: str | None = None, custom_id: str | None = None
    ) -> RunStart:
        """Open a run of your own (POST /runs).

        As `async with galtea.runs.start(...) as run:` it is closed when the block is left, in whatever way,
        and what is created inside belongs to it: `evaluations.create`, and for sessions that are not
        production ones `sessions.create`, `sessions.get_or_create` and `create_sessions`. That holds in the
        block's task and in tasks started there, not in threads. `evaluations.from_sessions` opens runs of
        its own, and other people's runs refuse what you add. As `run = await galtea.runs.start(...)` it
        stays open until `close`, and nothing joins it by itself.

        A lost answer is no obstacle: the run is looked up by its `custom_id` before it is opened again.

        Args:
            product_id: The product.
            version_id: The version; the run then takes work of this version only.
            custom_id: Your own id of it, unique among the product's runs; by default one that nobody has.

        Returns:
            Await it, or enter it with `async with`; either once.

        Raises:
            InvalidRequestError: An id is none; nothing was sent.
            NotFoundError: There is no such product or version.
            ConflictError: The product has a run with this `custom_id`.
            UnknownOutcomeError: Every answer was lost; the run may exist.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> async with galtea.runs.start(product_id, custom_id="nightly-1") as run:
            ...     rows = await galtea.evaluations.create(session_id=session_ids[0])
            >>> rows[0].run_id == run.id
            True
            >>> (await galtea.runs.get(run.id)).status
            <RunStatus.COMPLETED: 'COMPLETED'>
        """
        return RunStart.of(
            self._channel, self._listing, product_id=product_id, version_id=version_id, custom_id=custom_id
        )

    async def get(self, id: str) -> Run:  # noqa: A002  the API's own word for it
        """Get one run (GET /runs/{id}).

        Args:
            id: Its id.

        Returns:
            The run.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await galtea.runs.start(product_id)
            >>> (await galtea.runs.get(run.id)).status
            <RunStatus.RUNNING: 'RUNNING'>
        """
        return await self._channel.send(object_call("GET", "/runs/{id}", Run, ids={"id": id}))

    async def close(self, id: str) -> Run:  # noqa: A002  the API's own word for it
        """End a run that you opened (POST /runs/{id}/close).

        A block of `start` does this by itself. Inside of one, nothing more joins the run from here on.

        Args:
            id: Its id.

        Returns:
            The run, `COMPLETED` whatever became of its evaluations.

        Raises:
            NotFoundError: There is none with this id.
            BadRequestError: It has ended before, or the service opened it, which ends it as well. Some
                services use 409 for this, a `ConflictError`.
            UnknownOutcomeError: Every answer was lost; the run may have ended.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await galtea.runs.start(product_id)
            >>> (await galtea.runs.close(run.id)).finished_at is not None
            True
        """
        return await close_run(self._channel, id)

    async def delete(self, id: str) -> None:  # noqa: A002  the API's own word for it
        """Delete a run (DELETE /runs/{id}): hides its evaluations, keeps its sessions, frees its `custom_id`.

        A lost answer is no obstacle: it is sent again, and that it is gone by then is what was wanted.

        Args:
            id: Its id.

        Raises:
            NotFoundError: There was none with this id.
            UnknownOutcomeError: Every answer was lost.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await galtea.runs.start(product_id, custom_id="nightly-2")
            >>> await galtea.runs.delete(run.id)
            >>> await galtea.runs.list(custom_ids="nightly-2")
            []
        """
        await delete_run(self._channel, id)

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[RunFilters],
    ) -> list[Run]:
        """List one page of runs in one request (GET /runs).

        Args:
            sort: Pairs of field and direction, such as `[("created_at", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `RunFilters`; each takes one value or, where it is a list, an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await galtea.runs.start(product_id, custom_id="nightly-3")
            >>> [found.id == run.id for found in await galtea.runs.list(product_ids=product_id, search="#1")]
            [True]
        """
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self, *, sort: SortOrder | None = None, page_size: int = PAGE_SIZE, **filters: Unpack[RunFilters]
    ) -> AsyncIterator[Run]:
        """Iterate over all runs that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added. Long id lists are split over several requests. Memory stays flat unless `sort` is
        given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `RunFilters`; each takes one value or, where it is a list, an iterable.

        Returns:
            An async iterator over the runs.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
            >>> [run.kind async for run in galtea.runs.iterate(product_ids=product_id)]
            [<RunKind.EVALUATE_SESSION_BATCH: 'EVALUATE_SESSION_BATCH'>]
        """
        return self._listing.rows(filters, sort=sort, page_size=page_size)
