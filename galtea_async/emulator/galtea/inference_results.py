"""Inference results, the turns of sessions: listing, changing and deleting them.

They are added in `conversation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.bodies import UpdateInferenceResultBody, mentioned
from galtea_async.emulator.galtea.conversation import as_input, check_status, shown
from galtea_async.emulator.queries import Filter, Listing, created_between, one_of
from galtea_async.emulator.replies import Reply, json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call

__all__ = ["INFERENCE_RESULTS", "delete", "find", "get", "one", "update"]

INFERENCE_RESULTS = Listing(
    entity="InferenceResult",
    filters=(
        one_of("ids", "id"),
        one_of("sessionIds", "session_id"),
        Filter(
            name="evaluationIds",
            condition="id IN (SELECT inference_result_id FROM evaluations"
            " WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL)",
        ),
        *created_between(),
    ),
    sortable={"createdAt": "created_at", "index": "turn_index"},
)

_SELECT = f"SELECT {wire.columns(wire.InferenceResultAnswer)} FROM inference_results"  # noqa: S608 - constants only


def find(service: Service, call: Call) -> Reply:
    """Answer `GET /inferenceResults`."""
    selection = service.select(INFERENCE_RESULTS, call)
    answers = [shown(service, row) for row in selection.rows(service.store, _SELECT)]
    return service.page(selection, "inference_results", answers)


def get(service: Service, call: Call) -> Reply:
    """Answer `GET /inferenceResults/{id}`."""
    return json_reply(200, one(service, call.path["id"]))


def update(service: Service, call: Call) -> Reply:
    """Answer `PATCH /inferenceResults/{id}`. An output that arrives completes a turn that was pending."""
    body = call.changes(UpdateInferenceResultBody)
    before = one(service, call.path["id"])
    check_status(None if body.status is UNSET else body.status)
    changes = mentioned(body)
    if "input" in changes:
        changes["input"] = wire.json_text(as_input(body.input or None))
    if "actual_output" in changes:
        changes["actual_output"] = wire.json_text(changes["actual_output"])
        if before.status == "PENDING" and changes["actual_output"] is not None:
            changes.setdefault("status", "GENERATED")
    service.change("inference_results", before.id, changes)
    return json_reply(200, one(service, before.id))


def delete(service: Service, call: Call) -> Reply:
    """Answer `DELETE /inferenceResults/{id}`."""
    before = one(service, call.path["id"])
    service.change("inference_results", before.id, {"deleted_at": service.clock.timestamp()})
    return Reply(status=204, content_type="")


def one(service: Service, identifier: str) -> wire.InferenceResultAnswer:
    """One turn.

    Raises:
        Problem: With status 404, when there is none.
    """
    statement = f"{_SELECT} WHERE id = ? AND deleted_at IS NULL"
    return shown(service, service.row("InferenceResult", identifier, statement, (identifier,)))
