"""Making versions: new ones, and those that are there already under the same facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.bodies import (
    CreateVersionBody,
    UpdateVersionBody,
    VersionOfFactsBody,
    mentioned,
)
from galtea_async.emulator.galtea.nouns import PRODUCTS, VERSIONS
from galtea_async.emulator.replies import Problem, Reply, json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call

__all__ = ["add", "create", "get_or_create", "update"]


def create(service: Service, call: Call) -> Reply:
    """Answer `POST /versions`."""
    body = call.body(CreateVersionBody)
    PRODUCTS.one(service, body.product_id)
    described = {name: value for name, value in mentioned(body).items() if name not in {"product_id", "name"}}
    identifier = add(service, body.product_id, body.name, **described)
    return json_reply(201, VERSIONS.one(service, identifier))


def get_or_create(service: Service, call: Call) -> Reply:
    """Answer `POST /versions/get-or-create`. Facts are what makes a version the same as another."""
    body = call.body(VersionOfFactsBody)
    PRODUCTS.one(service, body.product_id)
    statement = (
        "SELECT id, facts FROM versions WHERE product_id = ? AND facts IS NOT NULL AND deleted_at IS NULL"
    )
    for identifier, facts in service.store.rows(statement, (body.product_id,)):
        if msgspec.json.decode(facts) == body.facts:
            return json_reply(200, VERSIONS.one(service, identifier))
    identifier = add(service, body.product_id, body.name, facts=wire.json_text(body.facts))
    return json_reply(201, VERSIONS.one(service, identifier))


def update(service: Service, call: Call) -> Reply:
    """Answer `PATCH /versions/{id}`. What is `null` is emptied, what is absent stays."""
    identifier = call.path["id"]
    changes = mentioned(call.changes(UpdateVersionBody))
    statement = "SELECT product_id, name FROM versions WHERE id = ? AND deleted_at IS NULL"
    product_id, name = service.row("Version", identifier, statement, (identifier,))
    if changes.get("name", name) != name:
        _check_name(service, product_id, str(changes["name"]))
    if "facts" in changes:
        changes["facts"] = wire.json_text(changes["facts"])
    service.change("versions", identifier, changes)
    return json_reply(200, VERSIONS.one(service, identifier))


def add(service: Service, product_id: str, name: str | None, **described: object) -> str:
    """Add a version to a product and return its id; without a name it is called by its number.

    Raises:
        Problem: With status 409, when the product has a version of that name.
    """
    if name is not None:
        _check_name(service, product_id, name)
    numbers = "SELECT 1 + count(*) FROM versions WHERE product_id = ?"
    number = service.store.value(numbers, (product_id,))
    return service.insert(
        "version",
        "versions",
        {"product_id": product_id, "name": name or f"v{number}", "number": number, **described},
    )


def _check_name(service: Service, product_id: str, name: str) -> None:
    taken = "SELECT 1 FROM versions WHERE product_id = ? AND name = ? AND deleted_at IS NULL"
    if service.store.row(taken, (product_id, name)) is not None:
        raise Problem(409, "A Version with the same Name already exists.")
