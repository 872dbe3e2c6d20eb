"""Runs: those that callers open for their own work, and those that the platform opens for each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import msgspec

from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.bodies import CreateRunBody
from galtea_async.emulator.queries import Filter, Listing, created_between, one_of
from galtea_async.emulator.replies import Problem, Reply, json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["RUNS", "check_usable", "close", "create", "delete", "end", "find", "get", "open_for_batch"]

_SEARCH = """
EXISTS (
    SELECT 1 FROM (SELECT ? AS wanted)
    WHERE CASE WHEN wanted LIKE '#%' THEN '#' || ordinal = wanted ELSE instr(lower(custom_id), lower(wanted))
    > 0 END
)
"""

RUNS = Listing(
    entity="Run",
    filters=(
        one_of("ids", "id"),
        one_of("productIds", "product_id"),
        one_of("versionIds", "version_id"),
        one_of("customIds", "custom_id"),
        one_of("statuses", "status", choices=get_args(wire.RunStatus)),
        Filter(
            name="search", condition=_SEARCH, kind="text", about="A part of the customId, or # and a number"
        ),
        *created_between(),
    ),
    sortable={"createdAt": "created_at", "ordinal": "ordinal"},
)

# A run of the platform ends when the last of its evaluations has been judged, which is known from the
# beginning. `?1` is the server's time.
_ROWS = """(
    SELECT *,
        CASE WHEN ends_at <= ?1 THEN 'COMPLETED' ELSE 'RUNNING' END AS status,
        CASE WHEN ends_at <= ?1 THEN ends_at END AS finished_at,
        (SELECT count(*) FROM evaluations WHERE run_id = runs.id AND deleted_at IS NULL) AS evaluation_count,
        (
            SELECT count(*) FROM (
                SELECT session_id FROM evaluations WHERE run_id = runs.id AND deleted_at IS NULL
                UNION SELECT id FROM sessions WHERE run_id = runs.id AND deleted_at IS NULL
            )
        ) AS session_count
    FROM runs
)"""
_SELECT = f"SELECT {wire.columns(wire.RunAnswer)} FROM {_ROWS}"  # noqa: S608 - constants only


def create(service: Service, call: Call) -> Reply:
    """Answer `POST /runs`."""
    body = call.body(CreateRunBody)
    products = "SELECT id FROM products WHERE id = ? AND deleted_at IS NULL"
    service.row("Product", body.product_id, products, (body.product_id,))
    if body.version_id is not None:
        versions = "SELECT id FROM versions WHERE id = ? AND product_id = ? AND deleted_at IS NULL"
        service.row("Version", body.version_id, versions, (body.version_id, body.product_id))
    if body.custom_id is not None:
        _check_custom_id(service, body.custom_id, body.product_id)
    identifier = _open(service, product_id=body.product_id, user_id=call.user_id, opened_by="CALLER")
    service.store.change(
        "UPDATE runs SET version_id = ?, custom_id = ? WHERE id = ?",
        (body.version_id, body.custom_id, identifier),
    )
    return json_reply(201, _one(service, identifier))


def find(service: Service, call: Call) -> Reply:
    """Answer `GET /runs`."""
    rows = service.select(RUNS, call).rows(service.store, _SELECT, service.clock.timestamp())
    return json_reply(200, [_answer(service, row) for row in rows])


def get(service: Service, call: Call) -> Reply:
    """Answer `GET /runs/{id}`."""
    return json_reply(200, _one(service, call.path["id"]))


def close(service: Service, call: Call) -> Reply:
    """Answer `POST /runs/{id}/close`."""
    before = _one(service, call.path["id"])
    if before.opened_by != "CALLER":
        raise Problem(
            service.rules.run_refusal_status, f"Run {before.id} was opened by the platform and closes itself"
        )
    if before.status != "RUNNING":
        raise Problem(service.rules.run_refusal_status, f"Run {before.id} has ended already")
    end(service, before.id, at=service.clock.timestamp())
    return json_reply(200, _one(service, before.id))


def delete(service: Service, call: Call) -> Reply:
    """Answer `DELETE /runs/{id}`; the run's evaluations are hidden with it, its sessions stay."""
    before = _one(service, call.path["id"])
    service.store.change(
        "UPDATE runs SET deleted_at = ? WHERE id = ?", (service.clock.timestamp(), before.id)
    )
    return Reply(status=204, content_type="")


def open_for_batch(
    service: Service, *, product_id: str, version_id: str | None, user_id: str, request: object
) -> str:
    """Open the run that the platform makes for one product's share of a batch, and return its id."""
    identifier = _open(service, product_id=product_id, user_id=user_id, opened_by="LAUNCH")
    shown = msgspec.json.encode(request).decode() if service.rules.run_request else None
    service.store.change(
        "UPDATE runs SET version_id = ?, kind = 'EVALUATE_SESSION_BATCH', request = ? WHERE id = ?",
        (version_id, shown, identifier),
    )
    return identifier


def end(service: Service, run_id: str, *, at: str) -> None:
    """Say when a run ends, which may be later than now."""
    service.store.change("UPDATE runs SET ends_at = ? WHERE id = ?", (at, run_id))


def check_usable(service: Service, run_id: str, *, product_id: str, version_id: str) -> None:
    """Refuse a run to which the caller cannot add.

    Raises:
        Problem: With status 404 or the one that the rules name.
    """
    run = _one(service, run_id)
    reason = None
    if run.opened_by != "CALLER":
        reason = "was opened by the platform"
    elif run.status != "RUNNING":
        reason = "has ended"
    elif run.product_id != product_id:
        reason = "belongs to another product"
    elif run.version_id not in {None, version_id}:
        reason = "belongs to another version"
    if reason is not None:
        raise Problem(service.rules.run_refusal_status, f"Run {run_id} {reason}")


def _open(service: Service, *, product_id: str, user_id: str, opened_by: str) -> str:
    identifier = service.identifiers.new("run")
    service.store.change(
        "INSERT INTO runs (id, product_id, user_id, ordinal, opened_by, created_at, place)"
        " VALUES (?1, ?2, ?3, 1 + (SELECT count(*) FROM runs WHERE product_id = ?2), ?4, ?5, ?6)",
        (identifier, product_id, user_id, opened_by, service.clock.timestamp(), service.identifiers.place()),
    )
    return identifier


def _check_custom_id(service: Service, custom_id: str, product_id: str) -> None:
    statement = "SELECT 1 FROM runs WHERE custom_id = ? AND product_id = ? AND deleted_at IS NULL"
    if service.store.row(statement, (custom_id, product_id)) is not None:
        text = f"A run with the same customId {custom_id!r} already exists in product {product_id}"
        raise Problem(service.rules.session_conflict_status, text)


def _one(service: Service, identifier: str) -> wire.RunAnswer:
    statement = f"{_SELECT} WHERE id = ? AND deleted_at IS NULL"
    return _answer(
        service, service.row("Run", identifier, statement, (service.clock.timestamp(), identifier))
    )


def _answer(service: Service, row: Row) -> wire.RunAnswer:
    answer = wire.run(row)
    if service.rules.run_inputs and answer.opened_by == "LAUNCH":
        answer.resolved_inputs = _inputs(service, answer.id)
    return answer


def _inputs(service: Service, run_id: str) -> dict[str, list[str]]:
    statement = (
        "SELECT session_id, metric_id FROM evaluations WHERE run_id = ? AND deleted_at IS NULL ORDER BY rowid"
    )
    pairs = service.store.rows(statement, (run_id,))
    return {
        "sessionIds": list(dict.fromkeys(session_id for session_id, _ in pairs)),
        "metricIds": list(dict.fromkeys(metric_id for _, metric_id in pairs)),
    }
