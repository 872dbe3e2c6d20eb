"""Sessions and the traces that they consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import msgspec

from galtea_async.emulator.pandaprobe import parameters
from galtea_async.emulator.pandaprobe.bodies import NewTrace, SessionFilters
from galtea_async.emulator.pandaprobe.moments import iso, seconds
from galtea_async.emulator.pandaprobe.problems import answer, detail, validation_error
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.wire import Page, Session, SessionDetail, Trace, TraceReceipt
from galtea_async.emulator.replies import Reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["Sessions"]

_SUMMARY = """
SELECT session_id, count(*) AS trace_count, min(started_at) AS first, max(started_at) AS last,
    1000 * sum(ended_at - started_at) AS latency, max(status = 'ERROR') AS has_error, max(user_id)
FROM traces WHERE {where} GROUP BY session_id {having}
"""
_ANY_TAG = "EXISTS (SELECT 1 FROM json_each(tags) WHERE value IN (SELECT value FROM json_each(?)))"
_ORDERS = {"recent": "last", "trace_count": "trace_count", "latency": "latency", "cost": "0"}
_TRACE = "id, name, status, input, output, started_at, ended_at, session_id, user_id, tags"
_STATUSES = ("PENDING", "RUNNING", "COMPLETED", "ERROR")


@attrs.frozen(eq=False)
class Sessions:
    """Stores traces and reads them as sessions.

    Attributes:
        service: The service.
    """

    service: Service

    def create_trace(self, call: Call, body: NewTrace) -> Reply:
        """Answer `POST /traces`: the trace will be stored in a moment."""
        if body.status not in _STATUSES:
            raise validation_error("status", f"Input should be {' or '.join(_STATUSES)}")
        trace_id = (
            self.service.new_id()
            if body.trace_id is None
            else parameters.identifier("trace_id", body.trace_id)
        )
        ended_at = None if body.ended_at is None else seconds("ended_at", body.ended_at)
        self.add_traces(
            [
                (
                    trace_id,
                    call.scope,
                    body.session_id,
                    body.name,
                    body.status,
                    msgspec.json.encode(body.input).decode(),
                    msgspec.json.encode(body.output).decode(),
                    seconds("started_at", body.started_at),
                    ended_at,
                    body.user_id,
                    json_array(body.tags),
                    self.service.clock.seconds() + self.service.rules.trace_delay,
                )
            ]
        )
        return answer(202, TraceReceipt(trace_id=trace_id, task_id=self.service.new_id()))

    def add_traces(self, rows: Sequence[Row]) -> None:
        """Store traces, in place of those with the same ids."""
        marks = ", ".join("?" * 12)
        self.service.store.change_many(f"INSERT OR REPLACE INTO traces VALUES ({marks})", rows)  # noqa: S608 - only marks

    def page(self, call: Call) -> Reply:
        """Answer `GET /sessions`."""
        paging = parameters.paging(call)
        order = _ORDERS[parameters.choice(call, "sort_by", _ORDERS) or "recent"]
        direction = parameters.choice(call, "sort_order", ("asc", "desc")) or "desc"
        summary, values = self._filtered(call)
        total = self.service.store.value(f"SELECT count(*) FROM ({summary})", values)  # noqa: S608 - our own names
        rows = self.service.store.rows(
            f"{summary} ORDER BY {order} {direction}, session_id LIMIT ? OFFSET ?",
            (*values, paging.limit, paging.offset),
        )
        return answer(
            200,
            Page(
                items=[self._session(call.scope, row) for row in rows],
                total=total,
                limit=paging.limit,
                offset=paging.offset,
            ),
        )

    def get(self, call: Call) -> Reply:
        """Answer `GET /sessions/{session_id}`."""
        limit = parameters.whole_number(call, "limit", default=200, least=1, most=1000)
        offset = parameters.whole_number(call, "offset", default=0, least=0)
        where = "project_id = ? AND visible_at <= ? AND session_id = ?"
        values = (call.scope, self.service.clock.seconds(), call.path["id"])
        row = self.service.store.row(_SUMMARY.format(where=where, having=""), values)
        if row is None:
            raise detail(404, f"Session {call.path['id']} not found")
        traces = self.service.store.rows(
            f"SELECT {_TRACE} FROM traces WHERE {where} ORDER BY started_at, id LIMIT ? OFFSET ?",  # noqa: S608 - our own names
            (*values, limit, offset),
        )
        summary = msgspec.structs.asdict(self._session(call.scope, row))
        return answer(200, SessionDetail(**summary, traces=[_trace(found) for found in traces]))

    def matching(self, project_id: str, filters: SessionFilters) -> list[str]:
        """The ids of the sessions that a run's filters let through."""
        conditions, values = self._visible(project_id)
        for name, condition, value in (
            ("date_from", "started_at >= ?", filters.date_from),
            ("date_to", "started_at < ?", filters.date_to),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(seconds(f"filters -> {name}", value))
        if filters.user_id is not None:
            conditions.append("user_id = ?")
            values.append(filters.user_id)
        if filters.tags:
            conditions.append(_ANY_TAG)
            values.append(json_array(filters.tags))
        having = "HAVING trace_count >= ?"
        values.append(filters.min_trace_count or 1)
        if filters.has_error is not None:
            having += " AND has_error = ?"
            values.append(filters.has_error)
        summary = _SUMMARY.format(where=" AND ".join(conditions), having=having)
        return self.service.store.column(f"{summary} ORDER BY first, session_id", values)

    def ids(self, project_id: str) -> list[str]:
        """The ids of a project's sessions, in the order in which they were added."""
        return self.service.store.column(
            "SELECT session_id FROM traces WHERE project_id = ? AND session_id IS NOT NULL"
            " GROUP BY session_id ORDER BY min(rowid)",
            (project_id,),
        )

    def _visible(self, project_id: str) -> tuple[list[str], list[object]]:
        conditions = ["project_id = ?", "visible_at <= ?", "session_id IS NOT NULL"]
        return conditions, [project_id, self.service.clock.seconds()]

    def _filtered(self, call: Call) -> tuple[str, list[object]]:
        conditions, values = self._visible(call.scope)
        for name, condition in (
            ("user_id", "user_id = ?"),
            ("query", "instr(lower(session_id), lower(?)) > 0"),
        ):
            value = parameters.text(call, name)
            if value is not None:
                conditions.append(condition)
                values.append(value)
        for name, condition in (
            ("started_after", "started_at >= ?"),
            ("started_before", "started_at <= ?"),
        ):
            value = parameters.text(call, name)
            if value is not None:
                conditions.append(condition)
                values.append(seconds(f"query -> {name}", value))
        tags = parameters.texts(call, "tags")
        if tags:
            conditions.append(_ANY_TAG)
            values.append(json_array(tags))
        has_error = parameters.boolean(call, "has_error")
        if has_error is not None:
            values.append(has_error)
        having = "" if has_error is None else "HAVING has_error = ?"
        return _SUMMARY.format(where=" AND ".join(conditions), having=having), values

    def _session(self, project_id: str, row: Row) -> Session:
        session_id, count, first, last, latency, has_error, user_id = row
        tags = self.service.store.column(
            "SELECT DISTINCT tag.value FROM traces, json_each(traces.tags) AS tag"
            " WHERE project_id = ? AND session_id = ? ORDER BY tag.value",
            (project_id, session_id),
        )
        return Session(
            session_id=session_id,
            trace_count=count,
            first_trace_at=iso(first),
            last_trace_at=iso(last),
            total_latency_ms=latency,
            has_error=bool(has_error),
            user_id=user_id,
            tags=tags,
        )


def _trace(row: Row) -> Trace:
    trace_id, name, status, given, output, started_at, ended_at, session_id, user_id, tags = row
    return Trace(
        trace_id=trace_id,
        name=name,
        status=status,
        input=msgspec.Raw(given.encode()),
        output=msgspec.Raw(output.encode()),
        started_at=iso(started_at),
        ended_at=None if ended_at is None else iso(ended_at),
        session_id=session_id,
        user_id=user_id,
        tags=msgspec.json.decode(tags, type=list[str]),
    )
