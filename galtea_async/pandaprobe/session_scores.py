"""`panda.session_scores`: what sessions have scored, by whichever run, person or program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Unpack, final

from attrs import frozen

from galtea_async.http.channel import Channel
from galtea_async.http.lost_answers import delete_surely
from galtea_async.http.requests import list_call
from galtea_async.models.session_score import SessionScore
from galtea_async.pandaprobe.filters import SessionScoreFilters
from galtea_async.pandaprobe.listing import PAGE_SIZE, Listing
from galtea_async.pandaprobe.session_address import addressable_id

__all__ = ["SessionScores"]

_SCORES: Final = "/evaluations/session-scores/{id}"
"""The scores of a session, by its id; and one score, by its own."""


@final
@frozen(repr=False)
class SessionScores:
    """The endpoints of session scores; reached as `panda.session_scores`."""

    _channel: Channel
    _listing: Listing[SessionScore]

    async def of_session(self, session_id: str) -> list[SessionScore]:
        """List all scores of a session, of all runs (GET /evaluations/session-scores/{session_id}).

        Args:
            session_id: The session.

        Returns:
            Its scores in one answer; none for a session that the service does not know.

        Raises:
            InvalidRequestError: The id has a slash, with which the service finds nothing; `list` with
                `session_id` takes any id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> run = await panda.session_runs.wait(run.id)
            >>> [score.name for score in await panda.session_scores.of_session(panda_session_ids[0])]
            ['agent_reliability']
        """
        id_ = addressable_id(session_id, instead="session_scores.list(session_id=...)")
        return await self._channel.send(list_call(_SCORES, SessionScore, ids={"id": id_}))

    async def list(
        self,
        *,
        limit: int = PAGE_SIZE,
        offset: int | None = None,
        **filters: Unpack[SessionScoreFilters],
    ) -> list[SessionScore]:
        """List one page of scores in one request, the newest first (GET /evaluations/session-scores).

        Args:
            limit: The largest number of rows, from 1 to 200.
            offset: How many rows to skip.
            filters: See `SessionScoreFilters`.

        Returns:
            The rows of the page.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> run = await panda.session_runs.wait(run.id)
            >>> len(await panda.session_scores.list(eval_run_id=run.id, status="SUCCESS", limit=3))
            3
        """
        return await self._listing.page(filters, limit=limit, offset=offset)

    def iterate(
        self, *, page_size: int = PAGE_SIZE, **filters: Unpack[SessionScoreFilters]
    ) -> AsyncIterator[SessionScore]:
        """Iterate over all scores that match, the newest first, in as many requests as that takes.

        Every score that exists from beginning to end comes exactly once, also while others are made and
        deleted. A run that is tried again deletes its scores and makes new ones. Their ids are remembered.

        Args:
            page_size: How many rows to ask for at once, from 2 to 200.
            filters: See `SessionScoreFilters`.

        Returns:
            An async iterator over the scores.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, or is out of bounds.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> run = await panda.session_runs.wait(run.id)
            >>> scores = panda.session_scores.iterate(name="agent_reliability", page_size=2)
            >>> len([score async for score in scores])
            5
        """
        return self._listing.rows(filters, page_size=page_size)

    async def delete(self, id: str) -> None:  # noqa: A002  the API's own word for it
        """Delete a score (DELETE /evaluations/session-scores/{id}).

        A lost answer is no obstacle: it is sent again. That the score was not there is no error.

        Args:
            id: Its id.

        Raises:
            UnknownOutcomeError: Every answer was lost.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
            >>> run = await panda.session_runs.wait(run.id)
            >>> first, *others = await panda.session_runs.scores(run.id)
            >>> await panda.session_scores.delete(first.id)
            >>> len(await panda.session_runs.scores(run.id))
            4
        """
        await delete_surely(self._channel, _SCORES, id)
