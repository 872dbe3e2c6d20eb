"""`galtea.sessions`: recorded conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final, Unpack, final

from attrs import frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.arguments import check_id, check_object, check_text, check_text_or_object
from galtea_async.galtea.changes import Changes, change, send_or_see
from galtea_async.galtea.filters import SessionFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.galtea.session_creation import create_session, get_or_create_session, in_enclosing_run
from galtea_async.http.channel import Channel
from galtea_async.http.lost_answers import delete_surely
from galtea_async.http.requests import object_call
from galtea_async.models.session import Session, SessionStatus
from galtea_async.models.session_input import SessionInput
from galtea_async.models.unset import UNSET, Unset

__all__ = ["Sessions"]

_TEXT_KEYS: Final = {"context": "value"}
_FINISHED: Final = "FINISHED"
"""The service wants a reason; this one is what the official client gives in place of one."""


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
            run_id: A run of your own that it belongs to; by default the run whose block the task is in (see
                `galtea.runs.start`), unless the session is a production one, which can have no run.

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
        return await create_session(self._channel, self._listing, in_enclosing_run(wanted))

    async def get_or_create(
        self,
        custom_id: str,
        *,
        version_id: str | None = None,
        product_id: str | None = None,
        test_case_id: str | None = None,
        is_production: bool | None = None,
        context: str | Mapping[str, object] | None = None,
        metadata: Mapping[str, object] | None = None,
        status: SessionStatus | str | None = None,
        run_id: str | None = None,
    ) -> Session:
        """Get the session with an id of your own, or create it (GET /sessions, then POST /sessions).

        On a version this gives one session, however many callers ask at the same time and whichever answers
        get lost: the service refuses a second one, and whoever is refused gets the first. On a product the
        session that was created last counts; where the product has no version yet, two callers at the same
        time can make one each.

        Args:
            custom_id: Your own id of it, unique per version.
            version_id: The version it belongs to; this or `product_id` is needed.
            product_id: The product, one of whose versions it belongs to.
            test_case_id: As for `create`; like all that follow, of no effect where the session exists.
            is_production: As for `create`; give `False` for what the official client makes by default.
            context: As for `create`.
            metadata: As for `create`.
            status: As for `create`.
            run_id: As for `create`; a session that exists stays in its run.

        Returns:
            The session, as it was found or created.

        Raises:
            InvalidRequestError: The arguments break a rule of the page; nothing was sent.
            UnknownOutcomeError: No attempt brought a verdict; it is safe to call again with a `version_id`.
            ConflictError: The service refuses the id as taken, and yet shows no session with it.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> first = await galtea.sessions.get_or_create("chat-7", version_id=version_id)
            >>> second = await galtea.sessions.get_or_create("chat-7", version_id=version_id)
            >>> second.id == first.id
            True
        """
        if custom_id is None:
            raise InvalidRequestError("sessions.get_or_create needs a custom_id")
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
        return await get_or_create_session(self._channel, self._listing, in_enclosing_run(wanted))

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

    async def update(
        self,
        id: str,  # noqa: A002
        *,
        custom_id: str | Unset | None = UNSET,
        status: SessionStatus | str | Unset = UNSET,
        context: str | Mapping[str, object] | Unset | None = UNSET,
        stopping_reason: str | Unset | None = UNSET,
        metadata: Mapping[str, object] | Unset | None = UNSET,
        error: str | Unset | None = UNSET,
    ) -> Session:
        """Change a session (PATCH /sessions/{id}).

        What is `UNSET` stays as it is, `None` sets a field to null, anything else sets it. After a lost
        answer the session is read once, and returned where it is as wanted; a change is never sent twice.

        Args:
            id: Its id.
            custom_id: Your own id of it, unique per version.
            status: PENDING opens it, COMPLETED and FAILED close it; it cannot be null.
            context: A text or a JSON object.
            stopping_reason: Why the conversation ended.
            metadata: Key-value data; it replaces all that was there.
            error: What went wrong in it; alone, this does not close it.

        Returns:
            The session, as it is now.

        Raises:
            InvalidRequestError: There is nothing to change, or a value is of no use; nothing was sent.
            ConflictError: The version has another session with this `custom_id`.
            NotFoundError: There is none with this id.
            UnknownOutcomeError: The answer was lost, and the session is not (yet) as wanted.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> session = await galtea.sessions.update(
            ...     session_ids[0], metadata={"channel": "web"}, error=None
            ... )
            >>> session.metadata
            {'channel': 'web'}
        """
        check_id("custom_id", custom_id)
        check_text("stopping_reason", stopping_reason)
        check_text("error", error)
        check_object("metadata", metadata)
        check_text_or_object("context", context)
        if not isinstance(status, str | Unset):
            raise InvalidRequestError(f"status is a SessionStatus or a text, not {status!r}")
        changes = Changes.of(
            {
                "custom_id": custom_id,
                "status": status,
                "context": context,
                "stopping_reason": stopping_reason,
                "metadata": metadata,
                "error": error,
            },
            text_keys=_TEXT_KEYS,
        )
        return await change(self._channel, "/sessions/{id}", id, Session, changes)

    async def finish(
        self,
        id: str,  # noqa: A002
        *,
        stopping_reason: str | None = None,
        error: str | None = None,
    ) -> Session:
        """Close a session (PATCH /sessions/{id}/finish): it is COMPLETED, or FAILED where there was an error.

        Turns that are added afterwards follow the product's policy for closed sessions, which may refuse
        them or drop them. After a lost answer the session is read once, and returned where it is closed as
        wanted.

        Args:
            id: Its id.
            stopping_reason: Why the conversation ended, such as `GOAL_ACHIEVED`; `FINISHED` by default.
            error: What went wrong; not together with `stopping_reason`.

        Returns:
            The session, as it is now.

        Raises:
            InvalidRequestError: Both were given, or one is blank; nothing was sent.
            NotFoundError: There is none with this id.
            UnknownOutcomeError: The answer was lost, and the session is not (yet) closed as wanted.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> (await galtea.sessions.finish(session_ids[0], stopping_reason="GOAL_ACHIEVED")).status
            <SessionStatus.COMPLETED: 'COMPLETED'>
            >>> (await galtea.sessions.finish(session_ids[1], error="The product did not answer")).status
            <SessionStatus.FAILED: 'FAILED'>
        """
        if stopping_reason is not None and error is not None:
            raise InvalidRequestError("a session is finished with a stopping_reason or an error, not both")
        check_id("stopping_reason", stopping_reason)
        check_id("error", error)
        told = {"stopping_reason": stopping_reason or _FINISHED} if error is None else {"error": error}
        status = SessionStatus.COMPLETED if error is None else SessionStatus.FAILED
        ids = {"id": id}
        body = Changes.of(told, text_keys={}).body()
        return await send_or_see(
            self._channel,
            object_call("PATCH", "/sessions/{id}/finish", Session, ids=ids, body=body),
            object_call("GET", "/sessions/{id}", Session, ids=ids),
            Changes.of({**told, "status": status}, text_keys={}),
        )

    async def delete(self, id: str) -> None:  # noqa: A002
        """Delete a session (DELETE /sessions/{id}); lists show it no more.

        This is safe whatever the network does: after a lost answer the request is sent again, and "not found"
        then means that the first one has arrived.

        Args:
            id: Its id.

        Raises:
            NotFoundError: There was none with this id.
            UnknownOutcomeError: No attempt brought a verdict; it is safe to call again.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> await galtea.sessions.delete(session_ids[0])
            >>> len(await galtea.sessions.list(version_ids=version_id))
            4
        """
        await delete_surely(self._channel, "/sessions/{id}", id)
