"""Sessions: creating, listing, changing and closing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import attrs
import msgspec
from msgspec import UNSET

from galtea_async.emulator.galtea import runs, versions, wire
from galtea_async.emulator.galtea.bodies import (
    CloseSessionBody,
    CreateSessionBody,
    UpdateSessionBody,
    mentioned,
)
from galtea_async.emulator.galtea.dataset_filters import OF_DATASETS
from galtea_async.emulator.queries import Filter, Listing, created_between, one_of
from galtea_async.emulator.replies import Problem, Reply, json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["SESSIONS", "add", "close", "create", "delete", "find", "get", "one", "open_session", "update"]

_STATUSES = get_args(wire.SessionStatus)

SESSIONS = Listing(
    entity="Session",
    filters=(
        one_of("ids", "id"),
        one_of("customIds", "custom_id"),
        one_of("productIds", "product_id"),
        one_of("versionIds", "version_id"),
        one_of("testCaseIds", "test_case_id"),
        *OF_DATASETS,
        one_of("statuses", "status", choices=_STATUSES),
        one_of("userIds", "user_id"),
        one_of("runIds", "run_id", about="Runs in which it was created"),
        Filter(
            name="involvedInRunIds",
            condition="EXISTS (SELECT 1 FROM json_each(?) WHERE value = sessions.run_id OR EXISTS ("
            "SELECT 1 FROM evaluations AS e WHERE e.run_id = value AND e.session_id = sessions.id"
            " AND e.deleted_at IS NULL))",
            about="Runs in which it was created or evaluated",
        ),
        Filter(
            name="commentLabels",
            condition="'__none__' IN (SELECT value FROM json_each(?))",  # no comments here
            about="Labels of comments; __none__ for those without a comment, __any__ for those with one",
        ),
        *created_between(),
    ),
    sortable={"createdAt": "created_at", "status": "status", "customId": "custom_id"},
)

_SELECT = f"SELECT {wire.columns(wire.SessionAnswer)} FROM sessions"  # noqa: S608 - constants only
_INSERT = """
INSERT INTO sessions (
    id, version_id, custom_id, user_id, test_case_id, status, created_at, run_id, product_id, is_production,
    context, metadata, place
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@attrs.frozen(kw_only=True)
class _Anchor:
    """Where a session belongs."""

    version_id: str
    product_id: str


def add(service: Service, version_id: str, count: int, *, created_at: str, user_id: str) -> list[str]:
    """Add production sessions to a version, and return their ids."""
    product_id = service.store.value("SELECT product_id FROM versions WHERE id = ?", (version_id,))
    if product_id is None:
        raise LookupError(f"the emulator has no version {version_id!r}")
    identifiers = [service.identifiers.new("session") for _ in range(count)]
    place = service.identifiers.place
    service.store.change_many(
        _INSERT,
        (
            (
                one,
                version_id,
                None,
                user_id,
                None,
                "COMPLETED",
                created_at,
                None,
                product_id,
                1,
                None,
                "{}",
                place(),
            )
            for one in identifiers
        ),
    )
    return identifiers


def create(service: Service, call: Call) -> Reply:
    """Answer `POST /sessions`."""
    identifier = open_session(service, call.body(CreateSessionBody), user_id=call.user_id)
    return json_reply(201, one(service, identifier))


def open_session(service: Service, body: CreateSessionBody, *, user_id: str) -> str:
    """Make a session as a request asks for it, and return its id.

    Raises:
        Problem: The request contradicts itself, or names what does not exist or is taken.
    """
    is_production = _check_creation(body)
    anchor = _anchor(service, body)
    if body.run_id is not None:
        _check_run(service, body.run_id, anchor, is_production=is_production)
    _check_custom_id(service, body.custom_id, anchor.version_id)
    identifier = service.identifiers.new("session")
    service.store.change(
        _INSERT,
        (
            identifier,
            anchor.version_id,
            body.custom_id,
            user_id if service.rules.production_user or not is_production else None,
            body.test_case_id,
            body.status or service.rules.initial_session_status,
            service.clock.timestamp(),
            body.run_id,
            anchor.product_id,
            is_production,
            _context(service, body),
            wire.json_text(body.metadata),
            service.identifiers.place(),
        ),
    )
    return identifier


def find(service: Service, call: Call) -> Reply:
    """Answer `GET /sessions`."""
    selection = service.select(SESSIONS, call)
    answers = [_answer(service, row) for row in selection.rows(service.store, _SELECT)]
    return service.page(selection, "sessions", answers)


def get(service: Service, call: Call) -> Reply:
    """Answer `GET /sessions/{id}`."""
    return json_reply(200, one(service, call.path["id"]))


def update(service: Service, call: Call) -> Reply:
    """Answer `PATCH /sessions/{id}`. What is `null` is emptied, what is absent stays."""
    body = call.changes(UpdateSessionBody)
    before = one(service, call.path["id"])
    _check_status(None if body.status is UNSET else body.status)
    if body.custom_id and body.custom_id != before.custom_id:
        _check_custom_id(service, body.custom_id, before.version_id)
    changes = mentioned(body)
    if "context" in changes:
        changes["context"] = wire.json_text(_as_object(body.context))
    if "metadata" in changes:
        changes["metadata"] = wire.json_text(body.metadata)
    return _changed(service, before.id, changes)


def close(service: Service, call: Call) -> Reply:
    """Answer `PATCH /sessions/{id}/finish`."""
    body = call.body(CloseSessionBody)
    before = one(service, call.path["id"])
    if body.error:
        return _changed(service, before.id, {"status": "FAILED", "error": body.error})
    if not (body.stopping_reason or "").strip():
        raise Problem(400, "Either stoppingReason or error is required")
    return _changed(service, before.id, {"status": "COMPLETED", "stopping_reason": body.stopping_reason})


def delete(service: Service, call: Call) -> Reply:
    """Answer `DELETE /sessions/{id}`."""
    before = one(service, call.path["id"])
    service.change("sessions", before.id, {"deleted_at": service.clock.timestamp()})
    return Reply(status=204, content_type="")


def _check_creation(body: CreateSessionBody) -> bool:
    """Check what needs no looking up, and return whether the session is a production one."""
    if body.version_id is None and body.product_id is None:
        raise Problem(400, "versionId or productId is required")
    if body.test_case_id is not None and body.is_production:
        raise Problem(400, "testCaseId cannot be combined with isProduction=true")
    if body.test_case_id is not None and body.context is not None:
        raise Problem(400, "context cannot be set when testCaseId is set: it is derived from the test case")
    _check_status(body.status)
    return body.test_case_id is None if body.is_production is None else body.is_production


def _check_status(status: str | None) -> None:
    if status is not None and status not in _STATUSES:
        raise Problem(400, f"Invalid status {status}. Accepted: {', '.join(_STATUSES)}")


def _anchor(service: Service, body: CreateSessionBody) -> _Anchor:
    if body.version_id is not None:
        statement = "SELECT id, product_id FROM versions WHERE id = ? AND deleted_at IS NULL"
        version_id, product_id = service.row("Version", body.version_id, statement, (body.version_id,))
        return _Anchor(version_id=version_id, product_id=product_id)
    product_id = str(body.product_id)
    service.row(
        "Product", product_id, "SELECT id FROM products WHERE id = ? AND deleted_at IS NULL", (product_id,)
    )
    statement = "SELECT id FROM versions WHERE product_id = ? AND deleted_at IS NULL ORDER BY number DESC"
    latest = service.store.value(statement, (product_id,))
    return _Anchor(version_id=latest or versions.add(service, product_id, "default"), product_id=product_id)


def _check_run(service: Service, run_id: str, anchor: _Anchor, *, is_production: bool) -> None:
    if is_production:
        raise Problem(400, "runId cannot be set on a production session")
    runs.check_usable(service, run_id, product_id=anchor.product_id, version_id=anchor.version_id)


def _check_custom_id(service: Service, custom_id: str | None, version_id: str) -> None:
    if custom_id is None:
        return
    statement = "SELECT 1 FROM sessions WHERE custom_id = ? AND version_id = ? AND deleted_at IS NULL"
    if service.store.row(statement, (custom_id, version_id)) is not None:
        text = f"A session with the same customId {custom_id!r} already exists in version {version_id}"
        raise Problem(service.rules.session_conflict_status, text)


def _context(service: Service, body: CreateSessionBody) -> str | None:
    if body.test_case_id is not None:
        statement = "SELECT context FROM test_cases WHERE id = ?"
        return str(service.row("TestCase", body.test_case_id, statement, (body.test_case_id,))[0])
    return wire.json_text(_as_object(body.context))


def _as_object(context: object) -> object:
    return {"value": context} if isinstance(context, str) else context


def _changed(service: Service, identifier: str, changes: dict[str, object]) -> Reply:
    service.change("sessions", identifier, changes)
    return json_reply(200, one(service, identifier))


def one(service: Service, identifier: str) -> wire.SessionAnswer:
    """One session.

    Raises:
        Problem: With status 404, when there is none.
    """
    statement = f"{_SELECT} WHERE id = ? AND deleted_at IS NULL"
    return _answer(service, service.row("Session", identifier, statement, (identifier,)))


def _answer(service: Service, row: Row) -> wire.SessionAnswer:
    answer = wire.session(row)
    if not service.rules.runs:
        answer.run_id = msgspec.UNSET
    return answer
