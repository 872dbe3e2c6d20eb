"""Sessions, which are what traces with the same session id have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import msgspec

from galtea_async.emulator.pandaprobe import parameters
from galtea_async.emulator.pandaprobe.bodies import SessionFilters
from galtea_async.emulator.pandaprobe.moments import iso, seconds
from galtea_async.emulator.pandaprobe.problems import answer, detail
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.traces import COLUMNS, trace_of
from galtea_async.emulator.pandaprobe.wire import Page, Session, SessionDetail
from galtea_async.emulator.parameters import Parameter
from galtea_async.emulator.replies import Reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["GETTING", "LISTING", "Sessions"]

_SUMMARY = """
SELECT session_id, count(*) AS trace_count, min(started_at) AS first, max(started_at) AS last,
    1000 * sum(ended_at - started_at) AS latency, max(status = 'ERROR') AS has_error, max(user_id)
FROM traces WHERE {where} GROUP BY session_id {having}
"""
_ANY_TAG = "EXISTS (SELECT 1 FROM json_each(tags) WHERE value IN (SELECT value FROM json_each(?)))"
_ORDERS = {"recent": "last", "trace_count": "trace_count", "latency": "latency", "cost": "NULL"}

_USER_ID = Parameter(name="user_id", kind="text")
_QUERY = Parameter(name="query", kind="text")
_TAGS = Parameter(name="tags")
_HAS_ERROR = Parameter(name="has_error", kind="boolean")
_STARTED_AFTER = Parameter(name="started_after", kind="moment")
_STARTED_BEFORE = Parameter(name="started_before", kind="moment")
_SORT_BY = Parameter(name="sort_by", kind="text", choices=tuple(_ORDERS))
_SORT_ORDER = Parameter(name="sort_order", kind="text", choices=("asc", "desc"))
_TRACE_LIMIT = Parameter(name="limit", kind="whole", least=1, most=1000, default=200)
_TRACE_OFFSET = Parameter(name="offset", kind="whole", most=2**63 - 1, default=0)

LISTING = (
    *(_USER_ID, _QUERY, _TAGS, _HAS_ERROR, _STARTED_AFTER, _STARTED_BEFORE, _SORT_BY, _SORT_ORDER),
    *parameters.PAGING,
)
"""The parameters of the list."""

GETTING = (_TRACE_LIMIT, _TRACE_OFFSET)
"""The parameters that choose among the traces of one session."""


@attrs.frozen(eq=False)
class Sessions:
    """Reads traces as sessions.

    Attributes:
        service: The service.
    """

    service: Service

    def page(self, call: Call) -> Reply:
        """Answer `GET /sessions`."""
        paging = parameters.paging(call)
        order = _ORDERS[parameters.choice(call, _SORT_BY) or "recent"]
        direction = parameters.choice(call, _SORT_ORDER) or "desc"
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
        limit = parameters.whole_number(call, _TRACE_LIMIT)
        offset = parameters.whole_number(call, _TRACE_OFFSET)
        where = "project_id = ? AND visible_at <= ? AND session_id = ?"
        values = (call.scope, self.service.clock.seconds(), call.path["id"])
        row = self.service.store.row(_SUMMARY.format(where=where, having=""), values)
        if row is None:
            raise detail(404, f"Session {call.path['id']} not found")
        traces = self.service.store.rows(
            f"SELECT {COLUMNS} FROM traces WHERE {where} ORDER BY started_at, id LIMIT ? OFFSET ?",  # noqa: S608 - our own names
            (*values, limit, offset),
        )
        summary = msgspec.structs.asdict(self._session(call.scope, row))
        return answer(200, SessionDetail(**summary, traces=[trace_of(found) for found in traces]))

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
        given = {
            "user_id = ?": parameters.text(call, _USER_ID),
            "instr(lower(session_id), lower(?)) > 0": parameters.text(call, _QUERY),
            "started_at >= ?": parameters.moment(call, _STARTED_AFTER),
            "started_at <= ?": parameters.moment(call, _STARTED_BEFORE),
        }
        for condition, value in given.items():
            if value is not None:
                conditions.append(condition)
                values.append(value)
        tags = parameters.texts(call, _TAGS)
        if tags:
            conditions.append(_ANY_TAG)
            values.append(json_array(tags))
        has_error = parameters.boolean(call, _HAS_ERROR)
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
