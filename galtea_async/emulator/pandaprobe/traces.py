"""Traces: the turns that sessions consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import attrs
import msgspec

from galtea_async.emulator.pandaprobe import parameters
from galtea_async.emulator.pandaprobe.bodies import NewTrace
from galtea_async.emulator.pandaprobe.moments import iso, seconds
from galtea_async.emulator.pandaprobe.problems import answer, detail
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.wire import Page, Trace, TraceReceipt, TraceStatus
from galtea_async.emulator.parameters import Parameter
from galtea_async.emulator.replies import Reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["COLUMNS", "LISTING", "Traces", "trace_of"]

_SESSION_ID = Parameter(name="session_id", kind="text")
_STATUS = Parameter(name="status", kind="text", choices=get_args(TraceStatus))

LISTING = (_SESSION_ID, _STATUS, *parameters.PAGING)
"""The parameters of the list."""

COLUMNS = (
    "id, project_id, session_id, name, status, input, output, started_at, ended_at, user_id, tags,"
    " metadata, spans"
)
"""The columns of a trace."""

_VISIBLE = "project_id = ? AND visible_at <= ?"


@attrs.frozen(eq=False)
class Traces:
    """Stores and reads traces.

    Attributes:
        service: The service.
    """

    service: Service

    def create(self, call: Call, body: NewTrace) -> Reply:
        """Answer `POST /traces`: the trace will be stored in a moment."""
        trace_id = (
            self.service.new_id()
            if body.trace_id is None
            else parameters.identifier("trace_id", body.trace_id)
        )
        self.add(
            [
                (
                    trace_id,
                    call.scope,
                    body.session_id,
                    body.name,
                    body.status,
                    _json(body.input),
                    _json(body.output),
                    seconds("started_at", body.started_at),
                    None if body.ended_at is None else seconds("ended_at", body.ended_at),
                    body.user_id,
                    json_array(body.tags),
                    _json(body.metadata),
                    _json([self._span(trace_id, span) for span in body.spans]),
                    self.service.clock.seconds() + self.service.rules.trace_delay,
                )
            ]
        )
        return answer(202, TraceReceipt(trace_id=trace_id, task_id=self.service.new_id()))

    def add(self, rows: Sequence[Row]) -> None:
        """Store traces, in place of those with the same ids. A row is `COLUMNS` and when it can be seen."""
        marks = ", ".join("?" * 14)
        statement = f"INSERT OR REPLACE INTO traces ({COLUMNS}, visible_at) VALUES ({marks})"  # noqa: S608 - our own names
        self.service.store.change_many(statement, rows)

    def get(self, call: Call) -> Reply:
        """Answer `GET /traces/{trace_id}`."""
        trace_id = parameters.identifier("path -> trace_id", call.path["id"])
        select = f"SELECT {COLUMNS} FROM traces WHERE {_VISIBLE} AND id = ?"  # noqa: S608 - our own names
        row = self.service.store.row(select, (call.scope, self.service.clock.seconds(), trace_id))
        if row is None:
            raise detail(404, f"Trace {trace_id} not found")
        return answer(200, trace_of(row))

    def page(self, call: Call) -> Reply:
        """Answer `GET /traces`, the newest first."""
        paging = parameters.paging(call)
        given = {
            "session_id = ?": parameters.text(call, _SESSION_ID),
            "status = ?": parameters.choice(call, _STATUS),
        }
        wanted = {condition: value for condition, value in given.items() if value is not None}
        where = " AND ".join([_VISIBLE, *wanted])
        values = (call.scope, self.service.clock.seconds(), *wanted.values())
        count = f"SELECT count(*) FROM traces WHERE {where}"  # noqa: S608 - our own names
        select = f"SELECT {COLUMNS} FROM traces WHERE {where} ORDER BY started_at DESC, id LIMIT ? OFFSET ?"  # noqa: S608 - our own names
        rows = self.service.store.rows(select, (*values, paging.limit, paging.offset))
        return answer(
            200,
            Page(
                items=[trace_of(row) for row in rows],
                total=self.service.store.value(count, values),
                limit=paging.limit,
                offset=paging.offset,
            ),
        )

    def _span(self, trace_id: str, sent: dict[str, object]) -> dict[str, object]:
        assumed = {"name": "", "kind": "OTHER", "status": "UNSET"}
        return {**assumed, "span_id": self.service.new_id(), **sent, "trace_id": trace_id}


def trace_of(row: Row) -> Trace:
    """Turn a row of `COLUMNS` into an answer."""
    trace_id, project_id, session_id, name, status, given, output, started_at, ended_at, *further = row
    user_id, tags, metadata, spans = further
    return Trace(
        trace_id=trace_id,
        project_id=project_id,
        name=name,
        status=status,
        input=_raw(given),
        output=_raw(output),
        metadata=_raw(metadata),
        started_at=iso(started_at),
        ended_at=None if ended_at is None else iso(ended_at),
        session_id=session_id,
        user_id=user_id,
        tags=_raw(tags),
        spans=_raw(spans),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
