"""`panda.sessions`: the conversations that the service has recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Unpack, final

from attrs import frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.http.call import Call
from galtea_async.http.channel import Channel
from galtea_async.http.target import Parameter, fill, query_of, query_string
from galtea_async.models.converter import structure
from galtea_async.models.recorded_session import RecordedSession
from galtea_async.pandaprobe.arguments import checked_whole_number
from galtea_async.pandaprobe.filters import RecordedSessionFilters
from galtea_async.pandaprobe.listing import PAGE_SIZE, Listing
from galtea_async.pandaprobe.session_address import addressable_id

__all__ = ["RecordedSessions"]

_SESSION = "/sessions/{id}"
_MOST_TRACES = 1_000
_FIELDS = ("recent", "trace_count", "latency", "cost")
_DIRECTIONS = ("asc", "desc")


@final
@frozen(repr=False)
class RecordedSessions:
    """The endpoints of sessions; reached as `panda.sessions`.

    Sessions are not created: one begins with the first trace that names it; see `traces.create`.
    """

    _channel: Channel
    _listing: Listing[RecordedSession]

    async def get(
        self, session_id: str, *, limit: int | None = None, offset: int | None = None
    ) -> RecordedSession:
        """Get one session with its traces (GET /sessions/{session_id}).

        Args:
            session_id: Its id.
            limit: The largest number of traces, from 1 to 1,000; 200 by default.
            offset: How many traces to skip.

        Returns:
            The session; `trace_count` counts all its traces, `traces` has those asked for, oldest first.

        Raises:
            InvalidRequestError: The id has a slash, with which the service finds nothing, or a number is out
                of bounds; nothing was sent.
            NotFoundError: There is none with this id in the project.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> session = await panda.sessions.get(panda_session_ids[0])
            >>> session.session_id == panda_session_ids[0], len(session.traces)
            (True, 1)
        """
        window: list[Parameter] = []
        if limit is not None:
            window += query_of(
                {"limit": checked_whole_number("limit", limit, at_least=1, at_most=_MOST_TRACES)}
            )
        if offset is not None:
            window += query_of({"offset": checked_whole_number("offset", offset, at_least=0)})
        address = fill(_SESSION, id=addressable_id(session_id, instead="sessions.list(query=...)"))

        async def decode(body: bytes) -> RecordedSession:
            return structure(body, RecordedSession)

        target = address + query_string(window)
        return await self._channel.send(Call(method="GET", template=_SESSION, target=target, decode=decode))

    async def list(
        self,
        *,
        sort_by: Literal["recent", "trace_count", "latency", "cost"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        limit: int = PAGE_SIZE,
        offset: int | None = None,
        **filters: Unpack[RecordedSessionFilters],
    ) -> list[RecordedSession]:
        """List one page of sessions in one request (GET /sessions).

        Args:
            sort_by: What to sort by; `"recent"`, by the latest trace, is the default.
            sort_order: The direction; `"desc"` is the default.
            limit: The largest number of rows, from 1 to 200.
            offset: How many rows to skip.
            filters: See `RecordedSessionFilters`.

        Returns:
            The rows of the page, without their traces.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, or is out of bounds.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> found = await panda.sessions.list(query=panda_session_ids[0], sort_by="trace_count")
            >>> [(session.session_id == panda_session_ids[0], session.trace_count) for session in found]
            [(True, 1)]
        """
        for name, value, choices in (
            ("sort_by", sort_by, _FIELDS),
            ("sort_order", sort_order, _DIRECTIONS),
        ):
            if value is not None and value not in choices:
                raise InvalidRequestError(f"{name} is one of {', '.join(choices)}, not {value!r}")
        order = query_of({"sort_by": sort_by, "sort_order": sort_order})
        return await self._listing.page(filters, limit=limit, offset=offset, order=order)

    def iterate(
        self, *, page_size: int = PAGE_SIZE, **filters: Unpack[RecordedSessionFilters]
    ) -> AsyncIterator[RecordedSession]:
        """Iterate over all sessions that match, however many pages and requests that takes.

        Every session that exists from beginning to end comes exactly once, also while conversations go on,
        begin and are deleted. The one whose latest trace is oldest comes first: so a session whose
        conversation goes on moves to where the walk has not been yet. Their ids are remembered.

        Args:
            page_size: How many rows to ask for at once, from 2 to 200.
            filters: See `RecordedSessionFilters`.

        Returns:
            An async iterator over the sessions, without their traces.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, or is out of bounds.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> session_ids = [session.session_id async for session in panda.sessions.iterate(page_size=2)]
            >>> sorted(session_ids) == sorted(panda_session_ids)
            True
        """
        return self._listing.rows(filters, page_size=page_size)
