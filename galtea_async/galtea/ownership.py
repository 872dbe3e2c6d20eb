"""Which of the rows at Galtea a batch has made itself, and which are other people's.

A row with a run is the batch's own if the run

- was opened by the service for a batch (kind EVALUATE_SESSION_BATCH, not by a caller), since the send;
- belongs to the user whose key this is, where the service tells who that is (GET /auth/user);
- touches no session outside of the batch;
- is the one of its product that fits best: a call opens one run per product. Where an answer counted the
  sessions, that many fit best; else the most do.

A row without a run is nobody's where the service has runs, for each of its batches then has one. Where it has
none, there is nothing to go by but time and metric, and every row that fits these is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final, final

from attrs import define, field

from galtea_async.bulk.chunk import NewChunk
from galtea_async.bulk.provider import BatchAnswer
from galtea_async.errors import ApiError
from galtea_async.galtea.listing import Listing
from galtea_async.galtea.own_user import own_user_id
from galtea_async.http.channel import Channel
from galtea_async.models.evaluation import Evaluation
from galtea_async.models.run import Run, RunKind, RunOpener
from galtea_async.models.session import Session

__all__ = ["Ownership"]

_UNKNOWN: Final = ""


@final
@define
class Ownership:
    """Tells a batch's own rows from other people's.

    Args:
        channel: The way to the service.
        runs: Its runs.
        sessions: Its sessions.
    """

    channel: Channel
    runs: Listing[Run]
    sessions: Listing[Session]
    _has_runs: bool | None = field(default=None, init=False)
    _user_id: str | None = field(default=None, init=False)

    async def own(
        self, rows: list[Evaluation], content: NewChunk, since: datetime, answer: BatchAnswer | None
    ) -> list[Evaluation]:
        """Return the rows that a batch has made itself.

        Args:
            rows: Rows of its sessions, made since it was sent.
            content: What it asked for.
            since: When it was sent, by the service's clock.
            answer: Its answer, where one came.
        """
        if not rows or (answer is not None and answer.run_ids):
            return [row for row in rows if answer is not None and row.run_id in answer.run_ids]
        if not await self._serves_runs():
            return rows
        per_run = Counter(row.run_id for row in rows if row.run_id is not None)
        candidates = [
            run
            for run in await self._listed(per_run)
            if await self._is_mine(run, since) and await self._is_within(run, content, per_run[run.id])
        ]
        own = {run.id for run in _best_per_product(candidates, rows, answer)}
        return [row for row in rows if row.run_id in own]

    async def _serves_runs(self) -> bool:
        if self._has_runs is None:
            try:
                await self.runs.page({}, limit=1)
            except ApiError as error:
                if error.status not in (404, 405):
                    raise
                self._has_runs = False
            else:
                self._has_runs = True
        return self._has_runs

    async def _listed(self, ids: Iterable[str]) -> list[Run]:
        wanted = list(ids)
        return [run async for run in self.runs.rows({"ids": wanted})] if wanted else []

    async def _is_mine(self, run: Run, since: datetime) -> bool:
        if run.opened_by is RunOpener.CALLER or run.kind not in (None, RunKind.EVALUATE_SESSION_BATCH):
            return False
        if run.created_at is not None and run.created_at < since:
            return False
        me = await self._me()
        return _UNKNOWN in (me, run.user_id or _UNKNOWN) or run.user_id == me

    async def _me(self) -> str:
        """Return whose key this is, asked once; empty where the service does not tell."""
        if self._user_id is None:
            self._user_id = await own_user_id(self.channel) or _UNKNOWN
        return self._user_id

    async def _is_within(self, run: Run, content: NewChunk, rows_here: int) -> bool:
        """Tell whether a run touches no session outside of the batch."""
        if run.evaluation_count == rows_here:
            return True
        members = frozenset(content.session_ids)
        involved = self.sessions.rows({"involved_in_run_ids": run.id})
        if content.version_id is not None:
            return all([session.version_id == content.version_id async for session in involved])
        return all([session.id in members async for session in involved])


def _best_per_product(candidates: list[Run], rows: list[Evaluation], answer: BatchAnswer | None) -> list[Run]:
    sessions: dict[str, set[str | None]] = {}
    for row in rows:
        if row.run_id is not None:
            sessions.setdefault(row.run_id, set()).add(row.session_id)

    def fit(run: Run) -> tuple[bool, int]:
        count = len(sessions.get(run.id, ()))
        return answer is not None and count == answer.evaluated, count

    best: dict[str | None, Run] = {}
    for run in sorted(candidates, key=fit, reverse=True):
        best.setdefault(run.product_id, run)
    return list(best.values())
