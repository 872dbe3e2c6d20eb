"""Session runs: made from ids or from filters, read, tried again, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import attrs
import msgspec

from galtea_async.emulator.pandaprobe import parameters
from galtea_async.emulator.pandaprobe.bodies import NewBatchRun, NewFilteredRun
from galtea_async.emulator.pandaprobe.course import Course
from galtea_async.emulator.pandaprobe.moments import iso
from galtea_async.emulator.pandaprobe.problems import (
    answer,
    detail,
    internal_server_error,
    validation_error,
)
from galtea_async.emulator.pandaprobe.route_names import RETRY
from galtea_async.emulator.pandaprobe.scores import METRICS, Scores
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.sessions import Sessions
from galtea_async.emulator.pandaprobe.wire import Page, Run, RunStatus, built, shape_of_run
from galtea_async.emulator.parameters import Parameter
from galtea_async.emulator.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["DELETING", "LISTING", "Runs"]

_LONGEST_TEXT = 255
_STATUS = Parameter(name="status", kind="text", choices=get_args(RunStatus))
_DELETE_SCORES = Parameter(name="delete_scores", kind="boolean")
_COLUMNS = "id, project_id, name, metrics, targets, filters, sampling_rate, model, created_at, course"
_FAILURE = "(sqlalchemy.dialects.postgresql.asyncpg.Error) connection was closed in the middle of operation"

LISTING = (_STATUS, *parameters.PAGING)
"""The parameters of the list; it knows no other filter."""

DELETING = (_DELETE_SCORES,)
"""The parameters of a deletion."""


@attrs.frozen(kw_only=True)
class _Wish:
    """A run that is asked for."""

    project_id: str
    session_ids: Sequence[str]
    metrics: Sequence[str]
    filters: Mapping[str, object]
    name: str | None
    model: str | None
    sampling_rate: float = 1.0


@attrs.frozen(eq=False)
class Runs:
    """Makes, reads and deletes runs.

    Attributes:
        service: The service.
        scores: The scores.
        sessions: The sessions.
    """

    service: Service
    scores: Scores
    sessions: Sessions

    def create_batch(self, call: Call, body: NewBatchRun) -> Reply:
        """Answer `POST /evaluations/session-runs/batch`; whether the sessions exist is not looked at."""
        most = self.service.rules.most_session_ids
        if most is not None and len(body.session_ids) > most:
            raise validation_error("session_ids", f"List should have at most {most} items")
        session_ids = list(dict.fromkeys(body.session_ids))
        return self._accept(
            _Wish(
                project_id=call.scope,
                session_ids=session_ids,
                metrics=body.metrics,
                filters=_with_weights({"session_ids": session_ids}, body.signal_weights),
                name=body.name,
                model=body.model,
            )
        )

    def create_filtered(self, call: Call, body: NewFilteredRun) -> Reply:
        """Answer `POST /evaluations/session-runs`; the run keeps the filters, not the ids."""
        session_ids = self.sessions.matching(call.scope, body.filters)
        if not session_ids:
            raise detail(422, "No sessions match the given filters")
        sample = max(1, int(len(session_ids) * body.sampling_rate))
        filters = {
            name: value for name, value in msgspec.structs.asdict(body.filters).items() if value is not None
        }
        return self._accept(
            _Wish(
                project_id=call.scope,
                session_ids=self.service.chance.sample(session_ids, sample),
                metrics=body.metrics,
                filters=_with_weights(filters, body.signal_weights),
                name=body.name,
                model=body.model,
                sampling_rate=body.sampling_rate,
            )
        )

    def retry(self, call: Call) -> Reply:
        """Answer `POST /evaluations/session-runs/{id}/retry`: a new run over what failed."""
        run_id = parameters.identifier("path -> run_id", call.path["id"])
        self.service.count(call, RETRY)
        old = self._run(run_id, call.scope)
        session_ids, metrics = self.scores.failed_targets(run_id)
        if not session_ids:
            raise detail(422, "No failed scores to retry")
        return self._accept(
            _Wish(
                project_id=call.scope,
                session_ids=session_ids,
                metrics=metrics,
                filters={"session_ids": session_ids, "retry_of": run_id},
                name=f"Retry: {old.name or run_id}",
                model=old.model,
            )
        )

    def page(self, call: Call) -> Reply:
        """Answer `GET /evaluations/session-runs`: the newest first; it knows no filter but the status."""
        paging = parameters.paging(call)
        status = parameters.choice(call, _STATUS)
        now = self.service.clock.seconds()
        places = [
            row[0]
            for row in self.service.store.rows(
                "SELECT sequence, course FROM runs WHERE project_id = ?"
                " ORDER BY created_at DESC, sequence DESC",
                (call.scope,),
            )
            if status is None or Course.read(row[1]).at(now).status == status
        ]
        page = places[paging.offset : paging.offset + paging.limit]
        items = [self._shown(run) for place in page for run in self._found("sequence = ?", (place,))]
        return answer(200, Page(items=items, total=len(places), limit=paging.limit, offset=paging.offset))

    def get(self, call: Call) -> Reply:
        """Answer `GET /evaluations/session-runs/{id}`."""
        run_id = parameters.identifier("path -> run_id", call.path["id"])
        return answer(200, self._shown(self._run(run_id, call.scope)))

    def delete(self, call: Call) -> Reply:
        """Answer `DELETE /evaluations/session-runs/{id}`."""
        run_id = parameters.identifier("path -> run_id", call.path["id"])
        delete_scores = parameters.boolean(call, _DELETE_SCORES) or False
        self._run(run_id, call.scope)
        with self.service.store.transaction():
            self.scores.forget_run(run_id, delete=delete_scores)
            self.service.store.change("DELETE FROM runs WHERE id = ?", (run_id,))
        return Reply(status=204, content_type="")

    def in_project(self, project_id: str) -> list[Run]:
        """All the runs of a project as they are now, the oldest first."""
        return self._found("project_id = ? ORDER BY sequence", (project_id,))

    def _accept(self, wish: _Wish) -> Reply:
        unknown = [metric for metric in dict.fromkeys(wish.metrics) if metric not in METRICS]
        if unknown:
            raise detail(422, f"Unknown session metrics: {', '.join(unknown)}")
        if not _can_be_stored(wish):
            raise internal_server_error()
        mishap = self.service.planner.next_mishap()
        run_id = self.service.new_id()
        now = self.service.clock.seconds()
        with self.service.store.transaction():
            self.service.book(len(wish.session_ids) * len(wish.metrics))
            course = self.service.planner.plan(now, len(wish.session_ids), mishap)
            self._insert(run_id, wish, now, course)
            self.scores.plan(run_id, wish.project_id, wish.session_ids, wish.metrics, course)
        if not mishap.answered:
            raise internal_server_error()
        return answer(202, self._shown(self._run(run_id, wish.project_id)))

    def _insert(self, run_id: str, wish: _Wish, now: float, course: Course) -> None:
        self.service.store.change(
            f"INSERT INTO runs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
            (
                run_id,
                wish.project_id,
                wish.name,
                msgspec.json.encode(wish.metrics).decode(),
                len(wish.session_ids),
                msgspec.json.encode(wish.filters).decode(),
                wish.sampling_rate,
                wish.model or self.service.rules.default_model,
                now,
                course.written(),
            ),
        )

    def _run(self, run_id: str, project_id: str) -> Run:
        found = self._found("id = ? AND project_id = ?", (run_id, project_id))
        if not found:
            raise detail(404, f"Evaluation run {run_id} not found")
        return found[0]

    def _found(self, where: str, values: Sequence[object]) -> list[Run]:
        select = f"SELECT {_COLUMNS} FROM runs WHERE {where}"  # noqa: S608 - our own names
        return [self._as_it_is_now(row) for row in self.service.store.rows(select, values)]

    def _as_it_is_now(self, row: Row) -> Run:
        run_id, project_id, name, metrics, targets, filters, sampling_rate, model, created_at, course = row
        state = Course.read(course).at(self.service.clock.seconds())
        return Run(
            id=run_id,
            name=name,
            status=state.status,
            metric_names=msgspec.json.decode(metrics, type=list[str]),
            total_targets=targets,
            evaluated_count=state.evaluated_count,
            failed_count=self.scores.failed_of_run(run_id),
            created_at=iso(created_at),
            completed_at=None if state.completed_at is None else iso(state.completed_at),
            project_id=project_id,
            filters=msgspec.Raw(filters.encode()),
            sampling_rate=sampling_rate,
            model=model,
            error_message=_FAILURE if state.status == "FAILED" else None,
        )

    def _shown(self, run: Run) -> Run:
        return built(run, shape_of_run(self.service.rules.count_field))


def _with_weights(filters: dict[str, object], weights: dict[str, float] | None) -> dict[str, object]:
    return filters if weights is None else {**filters, "signal_weights": weights}


def _can_be_stored(wish: _Wish) -> bool:
    """Whether the database takes the texts: they are not too long and hold no NUL."""
    labels = [text for text in (wish.name, wish.model) if text is not None]
    texts = (*labels, *wish.session_ids)
    return all(len(text) <= _LONGEST_TEXT for text in labels) and not any("\0" in text for text in texts)
