"""`galtea.evaluations`: verdicts of metrics on sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Unpack, final

from attrs import field, frozen

from galtea_async.galtea.current_run import current_run_id
from galtea_async.galtea.evaluation_requests import batch_body, checked_filters, checked_ids, session_body
from galtea_async.galtea.evaluation_retry import retry_evaluations
from galtea_async.galtea.filters import EvaluationFilters, OneOrMore
from galtea_async.galtea.human_review import HumanReview
from galtea_async.galtea.listing import PAGE_SIZE, Listing, SortOrder
from galtea_async.galtea.open_claims import OpenClaims
from galtea_async.galtea.pending_reviews import PendingReviews, pending_listing
from galtea_async.http.channel import Channel
from galtea_async.http.lost_answers import delete_surely
from galtea_async.http.requests import list_answer_call, object_call
from galtea_async.models.batch_evaluation import BatchEvaluation
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.metric_input import MetricLike
from galtea_async.models.retry_result import RetryResult

__all__ = ["Evaluations"]


@final
@frozen(repr=False)
class Evaluations:
    """The endpoints of evaluations; reached as `galtea.evaluations`."""

    _channel: Channel
    _listing: Listing[Evaluation]
    _claims: OpenClaims = field(factory=OpenClaims)

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
        body = batch_body(
            session_ids=session_ids,
            version_id=version_id,
            metrics=metrics,
            specification_ids=specification_ids,
        )
        call = object_call("POST", "/evaluations/fromSessions", BatchEvaluation, body=body)
        return await self._channel.send(call)

    async def create(
        self,
        *,
        session_id: str,
        metrics: Iterable[MetricLike] | None = None,
        specification_ids: Iterable[str] | None = None,
        inference_result_id: str | None = None,
        run_id: str | None = None,
    ) -> list[Evaluation]:
        """Evaluate one session (POST /evaluations/fromSession).

        Calling this twice evaluates, and charges, twice. Inside of `async with galtea.runs.start(...)` the
        evaluations belong to that run.

        Args:
            session_id: The session.
            metrics: Names, `MetricInput` objects or mappings; by default those of its specifications.
            specification_ids: Specifications whose metrics to use.
            inference_result_id: The turn to judge, instead of the whole session.
            run_id: A run of your own; by default the one that encloses the current task.

        Returns:
            The rows, `PENDING` at first; none where no metric applies.

        Raises:
            InvalidRequestError: A wrong id or metric; nothing was sent.
            NotFoundError: There is no such session, metric or run.
            BadRequestError: The service does not accept it, for example because the run has ended.
            UnknownOutcomeError: The answer was lost; the session may have been evaluated.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> rows = await galtea.evaluations.create(session_id=session_ids[0], metrics=["accuracy"])
            >>> [row.session_id == session_ids[0] for row in rows]
            [True]
        """
        body = session_body(
            session_id=session_id,
            metrics=metrics,
            specification_ids=specification_ids,
            inference_result_id=inference_result_id,
            run_id=current_run_id() if run_id is None else run_id,
        )
        call = list_answer_call("/evaluations/fromSession", Evaluation, body)
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

    async def retry(self, ids: Iterable[str]) -> RetryResult:
        """Have failed and skipped evaluations judged again (POST /evaluations/retry).

        The service takes those with `can_retry`, a few times each, and charges for them again. 100 go into a
        request. Nothing is sent twice: after a lost answer it is looked up which have been taken.

        Args:
            ids: Any number of evaluations, by id; a repeated id counts once.

        Returns:
            The account of what was and was not retried, and why. An error that ends the call when a part of
            it is done already is in the account too (`stopped_by`).

        Raises:
            InvalidRequestError: There is no id, or one that is none; nothing was sent.
            PaymentRequiredError: There are not enough credits, and nothing was retried.
            GalteaError: Any other failure before anything was retried; see `galtea_async.errors`.

        Example:
            >>> failed = [row.id async for row in galtea.evaluations.iterate(can_retry=True)]
            >>> if failed:
            ...     result = await galtea.evaluations.retry(failed)
        """
        return await retry_evaluations(self._channel, self._listing, checked_ids("ids", ids))

    async def delete(self, id: str) -> None:  # noqa: A002  the API's own word for it
        """Delete an evaluation (DELETE /evaluations/{id}).

        A lost answer is no obstacle: it is sent again, and that it is gone by then is what was wanted.

        Args:
            id: Its id.

        Raises:
            NotFoundError: There was none with this id.
            UnknownOutcomeError: Every answer was lost.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> row, *_ = await galtea.evaluations.create(session_id=session_ids[0])
            >>> await galtea.evaluations.delete(row.id)
            >>> await galtea.evaluations.get(row.id)
            Traceback (most recent call last):
            galtea_async.errors.NotFoundError: ...
        """
        await delete_surely(self._channel, "/evaluations/{id}", id)

    async def claim(self, id: str) -> Evaluation:  # noqa: A002  the API's own word for it
        """Claim an evaluation for human review (POST /evaluations/{id}/claim); `claimed` gives it up as well.

        Claiming again what one has claimed changes nothing, so a lost answer is no obstacle.

        Args:
            id: Its id.

        Returns:
            The evaluation, with `human_evaluator_id` and `human_evaluator_started_at` set.

        Raises:
            NotFoundError: There is none with this id.
            ConflictError: Somebody else has claimed it, whatever status the service uses for that.
            PermissionDeniedError: The metric's reviewers are others.
            UnknownOutcomeError: Every answer was lost; the claim may hold.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> first, *_ = await galtea.evaluations.create(session_id=session_ids[0])
            >>> (await galtea.evaluations.claim(first.id)).human_evaluator_started_at is not None
            True
        """
        return await self._review.claim(id)

    async def release(self, id: str) -> Evaluation:  # noqa: A002  the API's own word for it
        """Give a claimed evaluation back (POST /evaluations/{id}/release).

        Args:
            id: Its id.

        Returns:
            The evaluation, without `human_evaluator_started_at`.

        Raises:
            NotFoundError: There is none with this id.
            ConflictError: Somebody else has claimed it.
            UnknownOutcomeError: Every answer was lost; the claim may still hold.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> first, *_ = await galtea.evaluations.create(session_id=session_ids[0])
            >>> claim = await galtea.evaluations.claim(first.id)
            >>> (await galtea.evaluations.release(first.id)).human_evaluator_started_at is None
            True
        """
        return await self._review.release(id)

    async def submit(self, id: str, *, score: float, reason: str | None = None) -> Evaluation:  # noqa: A002  likewise
        """Submit a person's score (POST /evaluations/{id}/submit), which ends the claim.

        Where a person is the metric's judge, the evaluation becomes `SUCCESS` with this score and reason. To
        any other it is a note: only `human_score` and `human_reason` are set.

        Args:
            id: Its id.
            score: From 0 to 1.
            reason: Why.

        Returns:
            The evaluation, with the review.

        Raises:
            InvalidRequestError: The score is not from 0 to 1; nothing was sent.
            NotFoundError: There is none with this id.
            ConflictError: Somebody else has claimed it.
            UnknownOutcomeError: Every answer was lost; the review may have arrived.
            GalteaError: Any other failure; see `galtea_async.errors`.

        Example:
            >>> first, *_ = await galtea.evaluations.create(session_id=session_ids[0])
            >>> (await galtea.evaluations.submit(first.id, score=0.8, reason="Kind.")).human_score
            0.8
        """
        return await self._review.submit(id, score, reason)

    def claimed(self, id: str) -> AbstractAsyncContextManager[Evaluation]:  # noqa: A002  the API's own word
        """Claim an evaluation for a block, and release it unless a review was submitted in the meantime.

        It is released however the block is left, also by an exception or a cancel, within ten seconds. If
        that fails, the exception that left the block gets a note; without one, the failure is raised.

        Args:
            id: Its id.

        Returns:
            An async context manager that gives the claimed evaluation.

        Raises:
            GalteaError: What `claim` raises, when the block is entered.

        Example:
            >>> first, *_ = await galtea.evaluations.create(session_id=session_ids[0])
            >>> async with galtea.evaluations.claimed(first.id) as evaluation:
            ...     reviewed = await galtea.evaluations.submit(evaluation.id, score=1.0)
            >>> reviewed.human_score
            1.0
        """
        return self._review.claimed(id)

    def pending_human(
        self,
        *,
        product_ids: OneOrMore | None = None,
        sort: SortOrder | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> PendingReviews:
        """List what waits for a person and nobody has claimed (GET /evaluations/human/pending).

        Args:
            product_ids: Only those of these products.
            sort: Pairs of field and direction; oldest first by default.
            limit: The largest number of rows of a page; 1,000 by default.
            offset: How many rows to skip; not for an iteration.

        Returns:
            Await it for one page, in one request; iterate over it with `async for` for all.

        Raises:
            InvalidRequestError: A value cannot be sent; when it is awaited or iterated over.
            GalteaError: Any other failure, then too; see `galtea_async.errors`.

        Example:
            >>> for evaluation in await galtea.evaluations.pending_human(product_ids=product_id, limit=10):
            ...     print(evaluation.session_id)
        """
        return PendingReviews(
            listing=pending_listing(self._channel, self._listing.base_bytes),
            filters={"product_ids": product_ids},
            sort=sort,
            limit=limit,
            offset=offset,
        )

    @property
    def _review(self) -> HumanReview:
        return HumanReview(channel=self._channel, claims=self._claims)

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
        return await self._listing.page(checked_filters(filters), sort=sort, limit=limit, offset=offset)

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
        return self._listing.rows(checked_filters(filters), sort=sort, page_size=page_size)
