"""Session scores: how they are made when a run is planned, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args
from zlib import crc32

import attrs
import msgspec

from galtea_async.emulator.pandaprobe import parameters
from galtea_async.emulator.pandaprobe.course import Course
from galtea_async.emulator.pandaprobe.moments import iso
from galtea_async.emulator.pandaprobe.problems import JSON, answer
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.wire import Metric, Page, Score, ScoreSource, ScoreStatus
from galtea_async.emulator.parameters import Parameter
from galtea_async.emulator.replies import Reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["LISTING", "METRICS", "Scores"]

METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="agent_reliability",
            description="How reliably the agent gets through a session.",
            category="session",
        ),
        Metric(
            name="agent_consistency",
            description="How consistently the agent behaves over a session.",
            category="session",
        ),
    )
}

_VISIBLE = "visible_at <= ? AND (gone_at IS NULL OR gone_at > ?)"
_COLUMNS = "id, session_id, project_id, name, value, status, run_id, reason, metadata, visible_at"
_NEWEST_FIRST = "ORDER BY visible_at DESC, sequence DESC"
_SESSION_ID = Parameter(name="session_id", kind="text")
_NAME = Parameter(name="name", kind="text")
_RUN_ID = Parameter(name="eval_run_id", kind="text")
_STATUS = Parameter(name="status", kind="text", choices=get_args(ScoreStatus))
_SOURCE = Parameter(name="source", kind="text", choices=get_args(ScoreSource))
_DATE_FROM = Parameter(name="date_from", kind="moment")
_DATE_TO = Parameter(name="date_to", kind="moment")

LISTING = (_SESSION_ID, _NAME, _RUN_ID, _STATUS, _SOURCE, _DATE_FROM, _DATE_TO, *parameters.PAGING)
"""The parameters of the list."""


@attrs.frozen(eq=False)
class Scores:
    """Makes, reads and deletes scores.

    Attributes:
        service: The service.
    """

    service: Service

    def plan(
        self, run_id: str, project_id: str, session_ids: Sequence[str], metrics: Sequence[str], course: Course
    ) -> None:
        """Put down the scores of a run, each for the time when its session will have been evaluated.

        A session without traces gets none, and nothing else tells that it was unknown.
        """
        counts = self._trace_counts(project_id, session_ids)
        rows = (
            row
            for place, attempt in enumerate(course.attempts)
            for index, session_id in enumerate(session_ids[: attempt.sessions])
            if session_id in counts
            for row in self._drawn(
                (run_id, project_id, session_id),
                metrics,
                counts[session_id],
                attempt.starts_at + (index + 1) * attempt.pace,
                course.attempts[place + 1].starts_at if place + 1 < len(course.attempts) else None,
            )
        )
        self.service.store.change_many(
            "INSERT INTO scores (id, run_id, project_id, session_id, name, value, status, reason, metadata,"
            " visible_at, gone_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def of_run(self, run_id: str) -> list[Score]:
        """All the scores that a run has by now, the newest first."""
        return self._found("run_id = ?", (run_id,))

    def failed_of_run(self, run_id: str) -> int:
        """How many scores of a run have failed by now."""
        now = self.service.clock.seconds()
        count = f"SELECT count(*) FROM scores WHERE run_id = ? AND status = 'FAILED' AND {_VISIBLE}"  # noqa: S608 - our own names
        return int(self.service.store.value(count, (run_id, now, now)))

    def failed_targets(self, run_id: str) -> tuple[list[str], list[str]]:
        """The sessions and the metrics of a run's failed scores, each once."""
        failed = [score for score in reversed(self.of_run(run_id)) if score.status == "FAILED"]
        sessions = list(dict.fromkeys(score.session_id for score in failed))
        return sessions, list(dict.fromkeys(score.name for score in failed))

    def forget_run(self, run_id: str, *, delete: bool) -> None:
        """Detach the scores of a run that is deleted, or delete them; those to come never come."""
        now = self.service.clock.seconds()
        store = self.service.store
        store.change(f"DELETE FROM scores WHERE run_id = ? AND NOT ({_VISIBLE})", (run_id, now, now))  # noqa: S608 - our own names
        if delete:
            store.change("DELETE FROM scores WHERE run_id = ?", (run_id,))
        else:
            store.change("UPDATE scores SET run_id = NULL, gone_at = NULL WHERE run_id = ?", (run_id,))

    def in_project(self, project_id: str) -> list[Score]:
        """All the scores of a project by now, the newest first."""
        return self._found("project_id = ?", (project_id,))

    def list_of_run(self, call: Call) -> Reply:
        """Answer `GET /evaluations/session-runs/{id}/scores`; an unknown run has no scores."""
        run_id = parameters.identifier("path -> run_id", call.path["id"])
        return answer(200, self._found("run_id = ? AND project_id = ?", (run_id, call.scope)))

    def list_of_session(self, call: Call) -> Reply:
        """Answer `GET /evaluations/session-scores/{session_id}`."""
        return answer(200, self._found("session_id = ? AND project_id = ?", (call.path["id"], call.scope)))

    def page(self, call: Call) -> Reply:
        """Answer `GET /evaluations/session-scores`."""
        paging = parameters.paging(call)
        if parameters.choice(call, _SOURCE) not in {None, "AUTOMATED"}:
            return answer(200, Page[Score](items=[], total=0, limit=paging.limit, offset=paging.offset))
        conditions, values = self._conditions(call)
        where = " AND ".join(conditions)
        now = self.service.clock.seconds()
        count = f"SELECT count(*) FROM scores WHERE {where} AND {_VISIBLE}"  # noqa: S608 - our own names
        return answer(
            200,
            Page(
                items=self._found(where, values, paging),
                total=self.service.store.value(count, (*values, now, now)),
                limit=paging.limit,
                offset=paging.offset,
            ),
        )

    def delete(self, call: Call) -> Reply:
        """Answer `DELETE /evaluations/session-scores/{score_id}`, however often it is asked."""
        score_id = parameters.identifier("path -> score_id", call.path["id"])
        self.service.store.change(
            "DELETE FROM scores WHERE id = ? AND project_id = ?", (score_id, call.scope)
        )
        return Reply(status=204, content_type="")

    def metrics(self, _call: Call) -> Reply:
        """Answer `GET /evaluations/session-metrics`."""
        return Reply(status=200, body=msgspec.json.encode(list(METRICS.values())), content_type=JSON)

    def _conditions(self, call: Call) -> tuple[list[str], list[object]]:
        run_id = parameters.text(call, _RUN_ID)
        given = {
            "project_id = ?": call.scope,
            "session_id = ?": parameters.text(call, _SESSION_ID),
            "name = ?": parameters.text(call, _NAME),
            "run_id = ?": None if run_id is None else parameters.identifier("query -> eval_run_id", run_id),
            "status = ?": parameters.choice(call, _STATUS),
            "visible_at >= ?": parameters.moment(call, _DATE_FROM),
            "visible_at < ?": parameters.moment(call, _DATE_TO),
        }
        kept = {condition: value for condition, value in given.items() if value is not None}
        return list(kept), list(kept.values())

    def _found(
        self, where: str, values: Sequence[object], paging: parameters.Paging | None = None
    ) -> list[Score]:
        now = self.service.clock.seconds()
        limit, offset = (paging.limit, paging.offset) if paging else (-1, 0)
        select = (
            f"SELECT {_COLUMNS} FROM scores WHERE {where} AND {_VISIBLE} {_NEWEST_FIRST} LIMIT ? OFFSET ?"  # noqa: S608 - our own names
        )
        return [_score(row) for row in self.service.store.rows(select, (*values, now, now, limit, offset))]

    def _trace_counts(self, project_id: str, session_ids: Sequence[str]) -> dict[str, int]:
        rows = self.service.store.rows(
            "SELECT session_id, count(*) FROM traces WHERE project_id = ?"
            " AND session_id IN (SELECT value FROM json_each(?)) GROUP BY session_id",
            (project_id, json_array(session_ids)),
        )
        return {row[0]: row[1] for row in rows}

    def _drawn(
        self,
        target: tuple[str, str, str],
        metrics: Sequence[str],
        traces: int,
        visible_at: float,
        gone_at: float | None,
    ) -> Iterator[Row]:
        run_id, _, session_id = target
        for metric in metrics:
            fails = self._share(f"fails/{run_id}/{session_id}/{metric}") < self.service.rules.failed_share
            value = self._value(f"{session_id}/{metric}")
            status, reason = (
                ("FAILED", "The judge's answer could not be read.") if fails else ("SUCCESS", None)
            )
            yield (
                self.service.new_id(),
                *target,
                metric,
                None if fails else value,
                status,
                reason,
                self._metadata(session_id, traces),
                visible_at,
                gone_at,
            )

    def _value(self, subject: str) -> str:
        return "1.0" if self.service.rules.judges == "are_down" else str(round(self._share(subject), 4))

    def _metadata(self, session_id: str, traces: int) -> str:
        if self.service.rules.judges == "are_down":
            return "{}"
        signals = [{"confidence": round(self._share(f"{session_id}/{place}"), 4)} for place in range(traces)]
        return msgspec.json.encode({"traces_evaluated": traces, "per_trace_signals": signals}).decode()

    def _share(self, subject: str) -> float:
        """A number from 0 to 1 that follows from the seed and what it is about."""
        return crc32(f"{self.service.seed}/{subject}".encode()) / 2**32


def _score(row: Row) -> Score:
    identifier, session_id, project_id, name, value, status, run_id, reason, metadata, at = row
    return Score(
        id=identifier,
        session_id=session_id,
        project_id=project_id,
        name=name,
        value=value,
        status=status,
        eval_run_id=run_id,
        reason=reason,
        metadata=msgspec.Raw(metadata.encode()),
        created_at=iso(at),
        updated_at=iso(at),
    )
