"""`galtea.evaluations`: verdicts of metrics on sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final, Unpack, final

from attrs import frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.filters import EvaluationFilters
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.galtea.requests import object_call
from galtea_async.http.channel import Channel
from galtea_async.models.batch_evaluation import BatchEvaluation
from galtea_async.models.converter import unstructure
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.metric_input import MetricLike, metric_inputs
from galtea_async.models.text import are_ids, is_id

__all__ = ["BATCH_LIMIT", "Evaluations"]

BATCH_LIMIT: Final = 1_000
"""The most sessions that one request evaluates."""


@final
@frozen(repr=False)
class Evaluations:
    """The endpoints of evaluations; reached as `galtea.evaluations`."""

    _channel: Channel
    _listing: Listing[Evaluation]

    async def from_sessions(
        self,
        *,
        session_ids: Iterable[str] | None = None,
        version_id: str | None = None,
        metrics: Iterable[MetricLike] | None = None,
        specification_ids: Iterable[str] | None = None,
    ) -> BatchEvaluation:
        """Evaluate up to 1,000 sessions in one request (POST /evaluations/fromSessions).

        The service has no idempotency key: calling this twice evaluates, and charges, twice. For more
        sessions, or to have each evaluated exactly once, use `evaluate_sessions` or `evaluate_version`.

        Args:
            session_ids: The sessions, by id; a repeated id is sent once. This or `version_id`.
            version_id: The version whose sessions to evaluate; the service takes 1,000 of them.
            metrics: Names, `MetricInput` objects or mappings; by default the product's own.
            specification_ids: Specifications whose metrics to use.

        Returns:
            What the service did; `truncated` says whether the cap left sessions out.

        Raises:
            InvalidRequestError: Not exactly one of the two selectors, more than 1,000 ids, or a wrong id
                or metric; nothing was sent.
            UnknownOutcomeError: The answer was lost; the sessions may have been evaluated.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
            >>> answer.sessions_evaluated
            5
        """
        if (session_ids is None) == (version_id is None):
            raise InvalidRequestError("from_sessions needs exactly one of session_ids and version_id")
        body: dict[str, object] = {}
        if session_ids is not None:
            body["sessionIds"] = _session_ids(session_ids)
        else:
            body["versionId"] = _text("version_id", version_id)
        if chosen := metric_inputs(metrics):
            body["metrics"] = [unstructure(metric) for metric in chosen]
        if specification_ids is not None:
            body["specificationIds"] = _texts("specification_ids", specification_ids)
        call = object_call("POST", "/evaluations/fromSessions", BatchEvaluation, body=body)
        return await self._channel.send(call)

    async def get(self, id: str) -> Evaluation:  # noqa: A002  the API's own word for it
        """Get one evaluation (GET /evaluations/{id}).

        Args:
            id: Its id.

        Returns:
            The evaluation.

        Raises:
            NotFoundError: There is none with this id.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
            >>> first, *_ = await galtea.evaluations.list(session_ids=session_ids)
            >>> (await galtea.evaluations.get(first.id)).id == first.id
            True
        """
        return await self._channel.send(object_call("GET", "/evaluations/{id}", Evaluation, ids={"id": id}))

    async def claim(self, id: str) -> Evaluation:  # noqa: A002  the API's own word for it
        """Claim an evaluation for human review (POST /evaluations/{id}/claim).

        Args:
            id: Its id.

        Returns:
            The evaluation, with `human_evaluator_id` and `human_evaluator_started_at` set.

        Raises:
            NotFoundError: There is none with this id.
            ConflictError: Somebody else has claimed it.
            UnknownOutcomeError: The answer was lost; the claim may hold.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
            >>> first, *_ = await galtea.evaluations.list(session_ids=session_ids)
            >>> (await galtea.evaluations.claim(first.id)).human_evaluator_started_at is not None
            True
        """
        call = object_call("POST", "/evaluations/{id}/claim", Evaluation, ids={"id": id})
        return await self._channel.send(call)

    async def list(
        self,
        *,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
        **filters: Unpack[EvaluationFilters],
    ) -> list[Evaluation]:
        """List one page of evaluations in one request (GET /evaluations).

        Args:
            sort: Pairs of field and direction, such as `[("score", "desc")]`.
            limit: The largest number of rows; 1,000 by default.
            offset: How many rows to skip.
            filters: See `EvaluationFilters`; each takes one value or, where it is a list, an iterable.

        Returns:
            The rows of the page; the service may give fewer than `limit` although there are more.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent, such as a datetime without a time zone.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
            >>> len(await galtea.evaluations.list(session_ids=session_ids)) == answer.evaluations_created
            True
        """
        _check_scores(filters)
        return await self._listing.page(filters, sort=sort, limit=limit, offset=offset)

    def iterate(
        self,
        *,
        sort: SortOrder | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[EvaluationFilters],
    ) -> AsyncIterator[Evaluation]:
        """Iterate over all evaluations that match, however many pages and requests that takes.

        Every row that exists from beginning to end comes exactly once, oldest first by default, also while
        others are added. Long id lists are split over several requests. Memory stays flat unless `sort` is
        given.

        Args:
            sort: Another order, as pairs of field and direction; all ids are then remembered.
            page_size: How many rows to ask for at once.
            filters: See `EvaluationFilters`; each takes one value or, where it is a list, an iterable.

        Returns:
            An async iterator over the evaluations.

        Raises:
            TypeError: There is no such filter.
            InvalidRequestError: A value cannot be sent.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> answer = await galtea.evaluations.from_sessions(version_id=version_id)
            >>> rows = [row async for row in galtea.evaluations.iterate(version_ids=version_id, page_size=3)]
            >>> len(rows) == answer.evaluations_created
            True
        """
        _check_scores(filters)
        return self._listing.rows(filters, sort=sort, page_size=page_size)


def _session_ids(session_ids: Iterable[str]) -> list[str]:
    chosen = _texts("session_ids", session_ids)
    if len(chosen) > BATCH_LIMIT:
        raise InvalidRequestError(
            f"one request evaluates at most {BATCH_LIMIT} sessions, not {len(chosen)}",
            advice="evaluate_sessions takes any number",
        )
    return chosen


def _texts(name: str, values: Iterable[str]) -> list[str]:
    """Return the texts, each once; refuse a single text, an empty list and blanks."""
    if isinstance(values, str):
        raise InvalidRequestError(f"{name} is a list of ids, not the single text {values!r}")
    given = list(values)
    if not are_ids(given):
        wrong = next(value for value in given if not is_id(value))
        raise InvalidRequestError(f"{name}: an id is a text that is not blank, not {wrong!r}")
    if not given:
        raise InvalidRequestError(f"{name} is empty")
    return list(dict.fromkeys(given))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise InvalidRequestError(f"{name}: an id is a text that is not blank, not {value!r}")
    return value


def _check_scores(filters: EvaluationFilters) -> None:
    for name, value in filters.items():
        if "score_" in name and not (isinstance(value, int | float) and 0 <= value <= 1):
            raise InvalidRequestError(f"{name} is a number from 0 to 1, not {value!r}")
