"""What the emulator holds, as tests and demonstrations set it up and look at it: without HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import msgspec

from galtea_async.emulator.clock import timestamp
from galtea_async.emulator.galtea import (
    batch,
    catalogue,
    conversation,
    evaluations,
    sessions,
    simulator,
    wire,
)
from galtea_async.emulator.galtea.scoring import Metric
from galtea_async.emulator.galtea.service import Service
from galtea_async.emulator.slices import in_slices
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["Contents"]

_METRICS_OF_A_PRODUCT = ("Answer Relevancy", "Factual Accuracy")


@attrs.frozen(kw_only=True, eq=False)
class Contents:
    """Fills a service and looks into it.

    Attributes:
        service: The service.
        user_id: The member of the organization who holds the key.
        colleague_id: Another member.
    """

    service: Service
    user_id: str
    colleague_id: str

    @property
    def catalogue(self) -> catalogue.Catalogue:
        """Products, versions, specifications, metrics and test cases."""
        return catalogue.Catalogue(self.service)

    def add_furnished_product(self) -> str:
        """Add a product with a specification that two metrics are linked to, and return its id."""
        product_id = self.catalogue.add_product()
        metric_ids = [self.catalogue.add_metric(product_id, name) for name in _METRICS_OF_A_PRODUCT]
        self.catalogue.add_specification(product_id, metric_ids, ())
        return product_id

    async def add_sessions(
        self, version_id: str, count: int, turns: int, created_at: datetime | None
    ) -> list[str]:
        """Add sessions to a version, and return their ids.

        While very many are added, others have their turn.
        """
        self.catalogue.require_version(version_id)
        moment = timestamp(created_at or self.service.clock.now())
        added: list[str] = []
        async for part in in_slices(range(count)):
            added += sessions.add(
                self.service, version_id, len(part), created_at=moment, user_id=self.user_id
            )
        recorded = simulator.recorded_turns(turns)
        async for session_ids in in_slices(added, rows_per_item=turns):
            conversation.record(self.service, session_ids, recorded, user_id=self.user_id)
        return added

    def add_evaluations(
        self,
        session_ids: Iterable[str],
        metric_id: str | None,
        created_at: datetime | None,
        run_id: str | None,
    ) -> list[str]:
        """Add an evaluation by a colleague to each session, and return their ids."""
        wanted = list(session_ids)
        found = {subject.id: subject for subject in batch.find_subjects(self.service, wanted)}
        _require_all(wanted, found)
        metric = self._metric(metric_id or self._first_metric())
        identifiers, _ = evaluations.add(
            self.service,
            [evaluations.NewEvaluation(subject=found[one], metric=metric, run_id=run_id) for one in wanted],
            user_id=self.colleague_id,
            created_at=created_at or self.service.clock.now(),
        )
        return identifiers

    def version_ids(self) -> list[str]:
        """The ids of the versions, in the order in which they were added."""
        return self.service.store.column("SELECT id FROM versions WHERE deleted_at IS NULL ORDER BY rowid")

    def session_ids(self, version_id: str) -> list[str]:
        """The ids of a version's sessions, in the order in which they were added."""
        statement = "SELECT id FROM sessions WHERE version_id = ? AND deleted_at IS NULL ORDER BY rowid"
        return self.service.store.column(statement, (version_id,))

    def evaluations(
        self, version_id: str | None, session_ids: Iterable[str] | None, since: datetime | None
    ) -> list[dict[str, object]]:
        """The evaluations as the API shows them now, oldest first."""
        wanted = None if session_ids is None else json_array(session_ids)
        conditions = (
            " WHERE deleted_at IS NULL AND (?2 IS NULL OR version_id = ?2)"
            " AND (?3 IS NULL OR session_id IN (SELECT value FROM json_each(?3)))"
            " AND (?4 IS NULL OR created_at >= ?4) ORDER BY created_at, entry"
        )
        parameters = (self.service.clock.timestamp(), version_id, wanted, _text(since))
        rows = [
            wire.evaluation(row)
            for row in self.service.store.rows(evaluations.SELECT + conditions, parameters)
        ]
        return msgspec.json.decode(msgspec.json.encode(rows), type=list[dict[str, object]])

    def evaluation_counts(self, version_id: str, since: datetime | None) -> dict[str, int]:
        """How many evaluations each of a version's sessions has."""
        statement = (
            "SELECT s.id, count(e.id) FROM sessions AS s LEFT JOIN evaluations AS e"
            " ON e.session_id = s.id AND e.deleted_at IS NULL AND (?2 IS NULL OR e.created_at >= ?2)"
            " WHERE s.version_id = ?1 AND s.deleted_at IS NULL GROUP BY s.id"
        )
        return dict(self.service.store.rows(statement, (version_id, _text(since))))

    def refuse(self, session_ids: Iterable[str], error: str) -> None:
        """Make sessions fail when they are to be evaluated."""
        self._mark(list(session_ids), "refusal", error)

    def skip(self, session_ids: Iterable[str]) -> None:
        """Make sessions be skipped when they are to be evaluated."""
        self._mark(list(session_ids), "is_skipped", 1)

    def delete_session(self, session_id: str) -> None:
        """Delete a session."""
        self._mark([session_id], "deleted_at", self.service.clock.timestamp())

    def _first_metric(self) -> str:
        statement = "SELECT id FROM metrics WHERE deleted_at IS NULL ORDER BY rowid"
        return self.service.store.value(statement) or self.catalogue.add_metric(None)

    def _metric(self, metric_id: str) -> Metric:
        row = self.service.store.row("SELECT name, source FROM metrics WHERE id = ?", (metric_id,))
        if row is None:
            raise LookupError(f"the emulator has no metric {metric_id!r}")
        return Metric(id=metric_id, name=row[0], source=row[1])

    def _mark(self, session_ids: list[str], column: str, value: object) -> None:
        ids = json_array(session_ids)
        statement = "SELECT id FROM sessions WHERE id IN (SELECT value FROM json_each(?))"
        _require_all(session_ids, self.service.store.column(statement, (ids,)))
        change = f"UPDATE sessions SET {column} = ? WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
        self.service.store.change(change, (value, ids))


def _require_all(session_ids: Iterable[str], known: Iterable[str]) -> None:
    missing = set(session_ids).difference(known)
    if missing:
        raise LookupError(f"the emulator has no session {', '.join(sorted(missing)[:5])}")


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
