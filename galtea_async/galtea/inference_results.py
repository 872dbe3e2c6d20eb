"""`galtea.inference_results`: the turns of sessions, what a person said and what the product answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final, Unpack, final

from attrs import frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.changes import Changes, change
from galtea_async.galtea.filters import InferenceResultFilters
from galtea_async.galtea.inference_result_bodies import (
    Measurements,
    check_measurements,
    check_texts,
    conversation_body,
    creation_body,
)
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.http.channel import Channel
from galtea_async.http.lost_answers import delete_surely
from galtea_async.http.requests import list_answer_call, object_call
from galtea_async.models.inference_result import InferenceResult, InferenceResultStatus
from galtea_async.models.turn import TurnLike
from galtea_async.models.unset import UNSET, Unset

__all__ = ["InferenceResults"]

_TEXT_KEYS: Final = {"input": "user_message"}


@final
@frozen(repr=False)
class InferenceResults:
    """The endpoints of inference results; reached as `galtea.inference_results`.

    A session is named by its id, or by your own id of it together with its version or product. It has to be
    there: none of these calls makes one. What becomes of a turn for a session that is closed is the product's
    policy: see `ClosedSessionPolicy`.
    """

    _channel: Channel
    _listing: Listing[InferenceResult]

    async def create(
        self,
        *,
        session_id: str | None = None,
        session_custom_id: str | None = None,
        version_id: str | None = None,
        product_id: str | None = None,
        input: str | Mapping[str, object] | None = None,  # noqa: A002  the API's own word for it
        actual_output: str | Mapping[str, object] | None = None,
        retrieval_context: str | None = None,
        status: InferenceResultStatus | str | None = None,
        error: str | None = None,
        conversation_simulator_version: str | None = None,
        **measurements: Unpack[Measurements],
    ) -> InferenceResult:
        """Add one turn to a session, with all that was measured (POST /inferenceResults).

        What is `None` is left to the service. Nothing tells one turn from another that says the same, so
        after a lost answer nothing is sent again: list the turns of the session to see whether it is there.

        Args:
            session_id: The session; this or `session_custom_id` is needed.
            session_custom_id: Your own id of it; needs `version_id` or `product_id`.
            version_id: Its version; wins over `product_id`.
            product_id: Its product.
            input: What the person said: a text, or an object with the text under `user_message`.
            actual_output: What the product answered: a text, or an object with it under `assistant_message`.
            retrieval_context: What the product looked up for its answer.
            status: PENDING for an answer that is still to come, see `update`.
            error: Why there is no answer.
            conversation_simulator_version: Which simulator of the service said the input, if any did.
            measurements: See `Measurements`; the latency is in milliseconds.

        Returns:
            The turn, as the service stored it.

        Raises:
            TypeError: There is no such measurement.
            InvalidRequestError: The session is named in no way or in two, or a value is of no use; nothing
                was sent.
            BadRequestError: There is no session with this `session_custom_id`, or it is closed for good.
            NotFoundError: There is no session with this id.
            UnknownOutcomeError: The answer was lost; the turn may exist.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> turn = await galtea.inference_results.create(
            ...     session_id=session_ids[0],
            ...     input="Where is my order?",
            ...     actual_output="On its way.",
            ...     latency=412.5,
            ...     output_tokens=4,
            ... )
            >>> turn.index, turn.actual_output, turn.latency
            (0, 'On its way.', 412.5)
        """
        texts: dict[str, object] = {
            "status": status,
            "error": error,
            "input": input,
            "actual_output": actual_output,
            "retrieval_context": retrieval_context,
            "conversation_simulator_version": conversation_simulator_version,
        }
        check_texts(texts)
        check_measurements(measurements)
        anchor = _anchor(session_id, session_custom_id, version_id, product_id)
        body = creation_body(anchor, {**texts, **measurements})
        return await self._channel.send(object_call("POST", "/inferenceResults", InferenceResult, body=body))

    async def create_batch(
        self,
        session_id: str | None = None,
        turns: Iterable[TurnLike] = (),
        *,
        session_custom_id: str | None = None,
        version_id: str | None = None,
        product_id: str | None = None,
        conversation_simulator_version: str | None = None,
    ) -> list[InferenceResult]:
        """Add a conversation to a session in one request (POST /inferenceResults/batch).

        What a person said is paired with the answer that follows, and each pair makes one inference result;
        either may stand alone. As with `create`, nothing is sent again after a lost answer.

        Args:
            session_id: The session; this or `session_custom_id` is needed.
            turns: What was said, in order: `Turn` objects, or mappings with `role`, `content` and perhaps
                `retrieval_context`.
            session_custom_id: Your own id of the session; needs `version_id` or `product_id`.
            version_id: Its version; wins over `product_id`.
            product_id: Its product.
            conversation_simulator_version: Which simulator of the service spoke for the person, if any did.

        Returns:
            The inference results, as the service stored them.

        Raises:
            InvalidRequestError: There is no turn or a wrong one, or the session is named in no way or in two;
                nothing was sent.
            BadRequestError: There is no session with this `session_custom_id`, or it is closed for good.
            NotFoundError: There is no session with this id.
            UnknownOutcomeError: The answer was lost; the turns may exist.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> added = await galtea.inference_results.create_batch(
            ...     session_ids[0],
            ...     [
            ...         Turn(role="user", content="When will it come?"),
            ...         Turn(role="assistant", content="Tomorrow.", retrieval_context="It takes a day."),
            ...         {"role": "user", "content": "Thank you!"},
            ...     ],
            ... )
            >>> [(result.input, result.actual_output) for result in added]
            [({'user_message': 'When will it come?'}, 'Tomorrow.'), ({'user_message': 'Thank you!'}, None)]
        """
        anchor = _anchor(session_id, session_custom_id, version_id, product_id)
        body = conversation_body(anchor, turns, conversation_simulator_version)
        return await self._channel.send(list_answer_call("/inferenceResults/batch", InferenceResult, body))

    async def get(self, id: str) -> InferenceResult:  # noqa: A002
        """Get one inference result (GET /inferenceResults/{id}).

        Args:
            id: Its id.

        Returns:
            The inference result.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> added = await galtea.inference_results.create(session_id=session_ids[0], input="Hello")
            >>> (await galtea.inference_results.get(added.id)).input
            {'user_message': 'Hello'}
        """
        call = object_call("GET", "/inferenceResults/{id}", InferenceResult, ids={"id": id})
        return await self._channel.send(call)

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[InferenceResultFilters],
    ) -> list[InferenceResult]:
        """List one page of inference results in one request (GET /inferenceResults).

        Args:
            sort: Pairs of field and direction, such as `[("created_at", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `InferenceResultFilters`; ids take one value or an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more. `index`
            says where in its session each belongs.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> len(await galtea.inference_results.list(session_ids=session_ids[0]))
            0
        """
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self,
        *,
        sort: SortOrder | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[InferenceResultFilters],
    ) -> AsyncIterator[InferenceResult]:
        """Iterate over all inference results that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added; those of one conversation may come in any order, and `index` tells it. Long id
        lists are split over several requests. Memory stays flat unless `sort` is given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `InferenceResultFilters`; ids take one value or an iterable.

        Returns:
            An async iterator over the inference results.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]
            >>> for session_id in session_ids:
            ...     added = await galtea.inference_results.create_batch(session_id, turns)
            >>> results = galtea.inference_results.iterate(session_ids=session_ids, page_size=2)
            >>> len([result async for result in results])
            5
        """
        return self._listing.rows(filters, sort=sort, page_size=page_size)

    async def update(
        self,
        id: str,  # noqa: A002
        *,
        index: int | Unset = UNSET,
        status: InferenceResultStatus | str | Unset = UNSET,
        error: str | Unset | None = UNSET,
        input: str | Mapping[str, object] | Unset | None = UNSET,  # noqa: A002
        actual_output: str | Mapping[str, object] | Unset | None = UNSET,
        retrieval_context: str | Unset | None = UNSET,
        conversation_simulator_version: str | Unset | None = UNSET,
        **measurements: Unpack[Measurements],
    ) -> InferenceResult:
        """Change an inference result (PATCH /inferenceResults/{id}), such as one that waited for its answer.

        What is `UNSET` or not named stays as it is, `None` sets a field to null, anything else sets it. After
        a lost answer it is read once, and returned where it is as wanted; a change is never sent twice.

        Args:
            id: Its id.
            index: Its place in the session, from 0; it cannot be null.
            status: How far the product is with its answer; it cannot be null.
            error: Why there is no answer.
            input: What the person said.
            actual_output: What the product answered.
            retrieval_context: What the product looked up for its answer.
            conversation_simulator_version: Which simulator of the service said the input.
            measurements: See `Measurements`; the latency is in milliseconds.

        Returns:
            The inference result, as it is now.

        Raises:
            TypeError: There is no such measurement.
            InvalidRequestError: There is nothing to change, or a value is of no use; nothing was sent.
            NotFoundError: There is none with this id.
            UnknownOutcomeError: The answer was lost, and the inference result is not (yet) as wanted.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> asked = await galtea.inference_results.create(
            ...     session_id=session_ids[0], input="Where is my order?", status="PENDING"
            ... )
            >>> answered = await galtea.inference_results.update(
            ...     asked.id, actual_output="On its way.", status="GENERATED", latency=412.5
            ... )
            >>> answered.actual_output, answered.latency
            ('On its way.', 412.5)
        """
        if index is not UNSET and (not isinstance(index, int) or isinstance(index, bool) or index < 0):
            raise InvalidRequestError(f"index is a whole number, at least 0, not {index!r}")
        if not isinstance(status, str | Unset):
            raise InvalidRequestError(f"status is an InferenceResultStatus or a text, not {status!r}")
        texts: dict[str, object] = {
            "status": status,
            "error": error,
            "input": input,
            "actual_output": actual_output,
            "retrieval_context": retrieval_context,
            "conversation_simulator_version": conversation_simulator_version,
        }
        check_texts(texts)
        check_measurements(measurements)
        changes = Changes.of({"index": index, **texts, **measurements}, text_keys=_TEXT_KEYS)
        return await change(self._channel, "/inferenceResults/{id}", id, InferenceResult, changes)

    async def delete(self, id: str) -> None:  # noqa: A002
        """Delete an inference result (DELETE /inferenceResults/{id}); lists show it no more.

        This is safe whatever the network does: after a lost answer the request is sent again, and "not found"
        then means that the first one has arrived.

        Args:
            id: Its id.

        Raises:
            NotFoundError: There was none with this id.
            UnknownOutcomeError: No attempt brought a verdict; it is safe to call again.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> added = await galtea.inference_results.create(session_id=session_ids[0], input="Hello")
            >>> await galtea.inference_results.delete(added.id)
            >>> await galtea.inference_results.list(session_ids=session_ids[0])
            []
        """
        await delete_surely(self._channel, "/inferenceResults/{id}", id)


def _anchor(
    session_id: str | None, session_custom_id: str | None, version_id: str | None, product_id: str | None
) -> dict[str, object]:
    return {
        "session_id": session_id,
        "session_custom_id": session_custom_id,
        "version_id": version_id,
        "product_id": product_id,
    }
