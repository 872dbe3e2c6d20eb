"""Human review: claim an evaluation, submit a score for it, or give it back.

A claim keeps others from reviewing the same evaluation at the same time. Three things about it are not
documented, so nothing here depends on them:

- **The status of a refusal.** Whether a 400 or 403 speaks of somebody else's claim or of something else is
  told by its words, or else by the evaluation itself and by whose key this is.
- **How long a claim lasts.** A claim that nobody gives up may last for ever. So `claimed` gives it up however
  its block is left, also where the answer to the claim itself never came.
- **What a repeated request does.** Claiming twice is harmless, the second one is the same user's. A lost
  release or submission is looked up before it is sent again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final, final

from attrs import frozen

from galtea_async.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    GalteaError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnknownOutcomeError,
)
from galtea_async.galtea.clean_up import clean_up
from galtea_async.galtea.open_claims import OpenClaims
from galtea_async.galtea.own_user import own_user_id
from galtea_async.http.call import Call
from galtea_async.http.channel import Channel
from galtea_async.http.lost_answers import send_surely
from galtea_async.http.requests import object_call
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.text import is_text

__all__ = ["HumanReview"]

_HELD_WORDS: Final = re.compile(
    r"\b(already|currently)\s+(been\s+)?(being\s+)?(claimed|reviewed)|\b(an)?other\s+(user|person|reviewer)"
    r"|\b(someone|somebody)\s+else",
    re.IGNORECASE,
)
_HELD_ADVICE: Final = "somebody else reviews it: take another one, or wait until it is released"
_LOCKED: Final = 423


@final
@frozen(kw_only=True)
class HumanReview:
    """The endpoints of human review, on which those of `galtea.evaluations` stand.

    Args:
        channel: The way to the service.
        claims: The open blocks of the client.
    """

    channel: Channel
    claims: OpenClaims

    async def claim(self, id_: str) -> Evaluation:
        """Claim an evaluation. A claim of one's own can be repeated, so a lost answer is no obstacle."""
        call = _call("claim", id_)

        async def look() -> None:
            return None

        try:
            return await send_surely(self.channel, call, look)
        except ApiError as error:
            refusal = error
        raise await self._as_it_is(refusal, id_)

    async def release(self, id_: str) -> Evaluation:
        """Give an evaluation back. After a lost answer, one that nobody holds has been given back."""
        call = _call("release", id_)

        async def look() -> Evaluation | None:
            row = await self._get(id_)
            return None if _is_claimed(row) else row

        try:
            return await send_surely(self.channel, call, look)
        except ApiError as error:
            refusal = error
        raise await self._as_it_is(refusal, id_)

    async def submit(self, id_: str, score: float, reason: str | None) -> Evaluation:
        """Submit a review. After a lost answer, an evaluation that says the same has received it."""
        body: dict[str, object] = {"score": _score(score)}
        if reason is not None:
            body["reason"] = _reason(reason)
        call = _call("submit", id_, body)

        async def look() -> Evaluation | None:
            row = await self._get(id_)
            return row if _has_review(row, score, reason) else None

        try:
            submitted = await send_surely(self.channel, call, look)
        except ApiError as error:
            refusal = error
        else:
            self.claims.submitted(id_)
            return submitted
        raise await self._as_it_is(refusal, id_)

    @asynccontextmanager
    async def claimed(self, id_: str) -> AsyncGenerator[Evaluation]:
        """Hold a claim while a block runs, and give it up unless a review was submitted."""
        try:
            evaluation = await self.claim(id_)
        except (UnknownOutcomeError, asyncio.CancelledError) as error:
            await clean_up(lambda: self._release_own(id_), purpose=f"release evaluation {id_}", leaving=error)
            raise
        claim = self.claims.begin(id_)
        leaving: BaseException | None = None
        try:
            yield evaluation
        except BaseException as error:
            leaving = error
            raise
        finally:
            self.claims.end(claim)
            if not claim.is_submitted:
                await clean_up(
                    lambda: self._give_up(id_), purpose=f"release evaluation {id_}", leaving=leaving
                )

    async def _give_up(self, id_: str) -> None:
        """Release what was claimed, where it is still there and not somebody else's by now."""
        with suppress(ConflictError, NotFoundError):
            await self.release(id_)

    async def _release_own(self, id_: str) -> None:
        """Release what may have been claimed, if it was."""
        row = await self._get(id_)
        if _is_claimed(row) and not await self._is_held_by_another(row):
            await self._give_up(id_)

    async def _get(self, id_: str) -> Evaluation:
        return await self.channel.send(object_call("GET", "/evaluations/{id}", Evaluation, ids={"id": id_}))

    async def _as_it_is(self, refusal: ApiError, id_: str) -> ApiError:
        """Return a refusal as what it is: a conflict where somebody else holds the claim."""
        if not _may_mean_held(refusal) or not await self._means_held(refusal, id_):
            return refusal
        return ConflictError(
            refusal.status,
            refusal.message,
            refusal.request_id,
            method=refusal.method,
            path=refusal.path,
            attempts=refusal.attempts,
            advice=_HELD_ADVICE,
        )

    async def _means_held(self, refusal: ApiError, id_: str) -> bool:
        if refusal.status == _LOCKED or _HELD_WORDS.search(refusal.message):
            return True
        try:
            row = await self._get(id_)
            return _is_claimed(row) and await self._is_held_by_another(row)
        except GalteaError:
            return False  # what nobody can look up is told as it came

    async def _is_held_by_another(self, row: Evaluation) -> bool:
        """Tell whether a claim is another user's; it counts as such where nothing says that it is ours."""
        me = await own_user_id(self.channel)
        return me is None or row.human_evaluator_id != me


def _call(action: str, id_: str, body: dict[str, object] | None = None) -> Call[Evaluation]:
    return object_call("POST", f"/evaluations/{{id}}/{action}", Evaluation, ids={"id": id_}, body=body)


def _may_mean_held(refusal: ApiError) -> bool:
    return type(refusal) in (BadRequestError, PermissionDeniedError) or refusal.status == _LOCKED


def _is_claimed(row: Evaluation) -> bool:
    started, finished = row.human_evaluator_started_at, row.human_evaluator_finished_at
    return started is not None and (finished is None or finished < started)


def _has_review(row: Evaluation, score: float, reason: str | None) -> bool:
    """Tell whether a review has arrived; older services show it in the fields of the verdict alone."""
    if row.human_score is not None:
        return (row.human_score, row.human_reason or None) == (score, reason or None)
    return row.evaluated_at is not None and (row.score, row.reason or None) == (score, reason or None)


def _score(score: object) -> float:
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise InvalidRequestError(f"score is a number from 0 to 1, not {score!r}")
    return score


def _reason(reason: object) -> str:
    if not isinstance(reason, str) or not is_text(reason):
        raise InvalidRequestError(f"reason is a text, not {reason!r}")
    return reason
