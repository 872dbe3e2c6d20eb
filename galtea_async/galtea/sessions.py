"""`galtea.sessions`: recorded conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Unpack, final

from attrs import frozen

from galtea_async.galtea.filters import SessionFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.galtea.requests import object_call
from galtea_async.galtea.session_creation import create_session
from galtea_async.http.channel import Channel
from galtea_async.models.session import Session, SessionStatus
from galtea_async.models.session_input import SessionInput

__all__ = ["Sessions"]


@final
@frozen(repr=False)
class Sessions:
    """The endpoints of sessions; reached as `galtea.sessions`."""

    _channel: Channel
    _listing: Listing[Session]

    async def create(
        self,
        *,
        version_id: str | None = None,
        product_id: str | None = None,
        custom_id: str | None = None,
        test_case_id: str | None = None,
        is_production: bool | None = None,
        context: str | Mapping[str, object] | None = None,
        metadata: Mapping[str, object] | None = None,
        status: SessionStatus | str | None = None,
        run_id: str | None = None,
    ) -> Session:
        """Create a session (POST /sessions). What is `None` is left to the service.

        With a `custom_id` this is safe whatever the network does: after a lost answer the session is looked
        up on its version before it is sent again.

        Args:
            version_id: The version it belongs to; this or `product_id` is needed.
            product_id: The product whose latest version it belongs to.
            custom_id: Your own id of it, unique per version.
            test_case_id: The test case that it ran.
            is_production: Whether it is real traffic.
            context: A text or a JSON object; not together with `test_case_id`.
            metadata: Free key-value data.
            status: The status to start with.
            run_id: A run of your own that it belongs to.

        Returns:
            The session, as the service stored it.

        Raises:
            InvalidRequestError: The arguments break a rule of the page; nothing was sent.
            ConflictError: The version has a session with this `custom_id` already.
            UnknownOutcomeError: The answer was lost and there is no `custom_id`; the session may exist.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> session = await galtea.sessions.create(version_id=version_id, context="It is Monday.")
            >>> session.context
            {'value': 'It is Monday.'}
        """
        wanted = SessionInput(
            version_id=version_id,
            product_id=product_id,
            custom_id=custom_id,
            test_case_id=test_case_id,
            is_production=is_production,
            context=context,
            metadata=metadata,
            status=status,
            run_id=run_id,
        )
        return await create_session(self._channel, self._listing, wanted)

    async def get(self, id: str) -> Session:  # noqa: A002  the API's own word for it
        """Get one session (GET /sessions/{id}).

        Args:
            id: Its id.

        Returns:
            The session.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> session = await galtea.sessions.get(session_ids[0])
            >>> session.id == session_ids[0]
            True
        """
        return await self._channel.send(object_call("GET", "/sessions/{id}", Session, ids={"id": id}))

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[SessionFilters],
    ) -> list[Session]:
        """List one page of sessions in one request (GET /sessions).

        Args:
            sort: Pairs of field and direction, such as `[("created_at", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `SessionFilters`; each takes one value or an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> page = await galtea.sessions.list(version_ids=version_id, limit=2)
            >>> len(page)
            2
        """
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self, *, sort: SortOrder | None = None, page_size: int = PAGE_SIZE, **filters: Unpack[SessionFilters]
    ) -> AsyncIterator[Session]:
        """Iterate over all sessions that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added. Long id lists are split over several requests. Memory stays flat unless `sort` is
        given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `SessionFilters`; each takes one value or an iterable.

        Returns:
            An async iterator over the sessions.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> len(
            ...     [
            ...         session
            ...         async for session in galtea.sessions.iterate(version_ids=version_id, page_size=2)
            ...     ]
            ... )
            5
        """
        return self._listing.rows(filters, sort=sort, page_size=page_size)
