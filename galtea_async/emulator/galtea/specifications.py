"""Making specifications, and linking metrics and tests to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from galtea_async.emulator.galtea.bodies import (
    CreateSpecificationBody,
    LinkMetricsBody,
    LinkTestsBody,
    mentioned,
)
from galtea_async.emulator.galtea.nouns import (
    METRICS_OF_SPECIFICATION,
    PRODUCTS,
    SPECIFICATIONS,
    TESTS_OF_SPECIFICATION,
)
from galtea_async.emulator.replies import Reply, json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.nouns import Linked
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call

__all__ = ["create", "link_metrics", "link_tests", "unlink_metrics", "unlink_tests"]


def create(service: Service, call: Call) -> Reply:
    """Answer `POST /specifications`."""
    body = call.body(CreateSpecificationBody)
    PRODUCTS.one(service, body.product_id)
    values = {name: value for name, value in mentioned(body).items() if name != "metric_ids"}
    with service.store.transaction():
        identifier = service.insert("specification", "specifications", values)
        METRICS_OF_SPECIFICATION.link(service, identifier, body.metric_ids)
    return json_reply(201, SPECIFICATIONS.one(service, identifier))


def link_metrics(service: Service, call: Call) -> Reply:
    """Answer `POST /specifications/{id}/metrics`."""
    return _link(service, call.path["id"], METRICS_OF_SPECIFICATION, call.body(LinkMetricsBody).metric_ids)


def unlink_metrics(service: Service, call: Call) -> Reply:
    """Answer `DELETE /specifications/{id}/metrics`."""
    return _unlink(service, call.path["id"], METRICS_OF_SPECIFICATION, call.body(LinkMetricsBody).metric_ids)


def link_tests(service: Service, call: Call) -> Reply:
    """Answer `POST /specifications/{id}/tests`."""
    return _link(service, call.path["id"], TESTS_OF_SPECIFICATION, call.body(LinkTestsBody).test_ids)


def unlink_tests(service: Service, call: Call) -> Reply:
    """Answer `DELETE /specifications/{id}/tests`."""
    return _unlink(service, call.path["id"], TESTS_OF_SPECIFICATION, call.body(LinkTestsBody).test_ids)


def _link(service: Service, identifier: str, linked: Linked, others: list[str]) -> Reply:
    SPECIFICATIONS.one(service, identifier)
    linked.link(service, identifier, others)
    return json_reply(200, SPECIFICATIONS.one(service, identifier))


def _unlink(service: Service, identifier: str, linked: Linked, others: list[str]) -> Reply:
    SPECIFICATIONS.one(service, identifier)
    linked.unlink(service, identifier, others)
    return Reply(status=204, content_type="")
