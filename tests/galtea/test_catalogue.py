"""`galtea.products`, `.versions`, `.metrics` and `.specifications`: what is evaluated, and with what."""

from __future__ import annotations

import datetime
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from galtea_async import (
    AsyncGaltea,
    AutoCloseScope,
    ClosedSessionPolicy,
    InvalidRequestError,
    MetricScope,
    MetricSource,
    NotFoundError,
    SpecificationType,
)
from galtea_async.emulator import GalteaEmulator
from support.raw_server import RawServer, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from support.raw_server import Reply

KEY = "gsk_0123456789"
MOMENT = datetime.datetime(2026, 11, 7, 5, 31, 56, tzinfo=datetime.UTC)

PRODUCT = """{
  "id": "product_1", "name": "Shop", "organizationId": "organization_1", "description": "Sells shoes",
  "riskLevel": "GPAI", "operatorType": "PROVIDER", "interactionMode": "CONVERSATIONAL",
  "primaryTask": "CONVERSATIONAL_ASSISTANCE", "capabilities": "sell", "policies": "be kind",
  "inabilities": "pay", "autoCloseScope": "ALL", "autoCloseInactivityMinutes": 30,
  "closedSessionInferenceCreationPolicy": "REOPEN_AND_REEVALUATE",
  "createdAt": "2026-11-07T05:31:56Z", "deletedAt": null
}"""
VERSION = """{
  "id": "version_1", "name": "v2", "productId": "product_1", "number": 2, "description": "Faster",
  "systemPrompt": "Be kind", "modelId": "model_1", "datasetDescription": "Chats", "datasetUri": "s3://chats",
  "guardrails": "none", "parentVersionId": "version_0", "facts": {"commit_hash": "abc"},
  "conversationEndpointConnectionId": "endpointConnection_1",
  "initializationEndpointConnectionId": "endpointConnection_2",
  "finalizationEndpointConnectionId": "endpointConnection_3", "phoneConnectionId": "phoneConnection_1",
  "webRtcConnectionId": "webRtcConnection_1", "createdAt": "2026-11-07T05:31:56Z", "deletedAt": null
}"""
METRIC = """{
  "id": "metric_1", "name": "accuracy", "organizationId": "organization_1", "productId": null,
  "metricGroupId": "metricGroup_1", "description": "How true", "documentationUrl": "https://example.com",
  "source": "PARTIAL_PROMPT", "judgePrompt": "Judge!", "judgeGenerationSettings": {"temperature": 0.1},
  "classifierQuestion": null, "evaluatorModelName": "judge-1", "evaluationParams": ["input"],
  "userGroupIds": [], "tags": ["truth"], "passThreshold": 0.5, "applicabilityScope": "PRODUCTION",
  "applicabilityThreshold": 0.75, "createdAt": "2026-11-07T05:31:56Z", "deletedAt": null,
  "legacyAt": "2026-11-07T05:31:56Z", "disabledAt": null, "excludedFromAnalyticsAt": null
}"""
SPECIFICATION = """{
  "id": "specification_1", "productId": "product_1", "name": "Sells", "description": "Sells shoes",
  "type": "CAPABILITY", "testType": "QUALITY", "testVariant": null, "metricIds": ["metric_1"],
  "createdAt": "2026-11-07T05:31:56Z", "deletedAt": null
}"""

EXAMPLES = {
    "products": (PRODUCT, "product_1"),
    "versions": (VERSION, "version_1"),
    "metrics": (METRIC, "metric_1"),
    "specifications": (SPECIFICATION, "specification_1"),
}
FIELDS: dict[str, dict[str, object]] = {
    "products": {
        "name": "Shop",
        "risk_level": "GPAI",
        "auto_close_scope": AutoCloseScope.ALL,
        "auto_close_inactivity_minutes": 30,
        "closed_session_inference_creation_policy": ClosedSessionPolicy.REOPEN_AND_REEVALUATE,
    },
    "versions": {
        "number": 2,
        "facts": {"commit_hash": "abc"},
        "dataset_uri": "s3://chats",
        "conversation_endpoint_connection_id": "endpointConnection_1",
        "web_rtc_connection_id": "webRtcConnection_1",
    },
    "metrics": {
        "source": MetricSource.PARTIAL_PROMPT,
        "applicability_scope": MetricScope.PRODUCTION,
        "applicability_threshold": 0.75,
        "judge_generation_settings": {"temperature": 0.1},
        "evaluation_params": ["input"],
        "tags": ["truth"],
        "legacy_at": MOMENT,
    },
    "specifications": {
        "type": SpecificationType.CAPABILITY,
        "test_type": "QUALITY",
        "metric_ids": ["metric_1"],
    },
}
ENUMERATIONS = {
    "products": ("auto_close_scope", "autoCloseScope"),
    "metrics": ("source", "source"),
    "specifications": ("type", "type"),
}
FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "products": ({"names": ["a", "b c"]}, "names=a&names=b+c"),
    "versions": (
        {"product_ids": "p", "names": "v1", "parent_version_ids": ["v0"]},
        "productIds=p&names=v1&parentVersionIds=v0",
    ),
    "metrics": (
        {
            "names": "accuracy",
            "tags": ["truth", "tone"],
            "product_ids": "p",
            "specification_ids": ["s1", "s2"],
            "include_legacy": False,
            "include_excluded_from_analytics": True,
        },
        (
            "names=accuracy&tags=truth&tags=tone&productIds=p&specificationIds=s1&specificationIds=s2"
            "&includeLegacy=false&includeExcludedFromAnalytics=true"
        ),
    ),
    "specifications": (
        {
            "product_ids": ["p"],
            "types": [SpecificationType.POLICY, "INABILITY"],
            "test_types": "QUALITY",
            "name": "sell",
        },
        "productIds=p&types=POLICY&types=INABILITY&testTypes=QUALITY&name=sell",
    ),
}
of_each_group = pytest.mark.parametrize("group", EXAMPLES)


@asynccontextmanager
async def replying(reply: Reply) -> AsyncGenerator[tuple[AsyncGaltea, RawServer]]:
    """Serve a reply to a client."""
    async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        yield galtea, server


@of_each_group
async def test_get_reads_every_field(group: str) -> None:
    """`get` is GET /{group}/{id}; every field of the service has a place of its own."""
    text, id_ = EXAMPLES[group]
    async with replying(json_answer(200, text)) as (galtea, server):
        found = await getattr(galtea, group).get("../1")
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("GET", f"/{group}/..%2F1", b"")
    assert (found.id, found.created_at, found.extra) == (id_, MOMENT, {})
    assert {name: getattr(found, name) for name in FIELDS[group]} == FIELDS[group]


@of_each_group
async def test_only_the_id_is_certain(group: str) -> None:
    """An older service sends fewer fields and a newer one more; both are read."""
    async with replying(json_answer(200, '{"id": "1", "colour": {"dark": true}}')) as (galtea, _):
        found = await getattr(galtea, group).get("1")
    values = attrs.asdict(found)
    assert (values.pop("id"), values.pop("extra")) == ("1", {"colour": {"dark": True}})
    assert set(values.values()) == {None}


@pytest.mark.parametrize("group", ENUMERATIONS)
async def test_values_that_are_newer_than_this_library(group: str) -> None:
    """An unknown value of an enumeration is kept, and says that it is unknown."""
    name, wire = ENUMERATIONS[group]
    async with replying(json_answer(200, f'{{"id": "1", "{wire}": "SOMETHING_NEW"}}')) as (galtea, _):
        value = getattr(await getattr(galtea, group).get("1"), name)
    assert (value, value.is_known) == ("SOMETHING_NEW", False)


@of_each_group
async def test_list_is_one_request(group: str) -> None:
    """`list` is one GET /{group} with the filters by their wire names, then sort, limit and offset."""
    filters, query = FILTERS[group]
    text, id_ = EXAMPLES[group]
    async with replying(json_answer(200, f"[{text}]")) as (galtea, server):
        rows = await getattr(galtea, group).list(
            **filters,
            from_created_at=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
            to_created_at="2026-02-03T00:00:00Z",
            sort=[("created_at", "desc")],
            limit=7,
            offset=14,
        )
        await getattr(galtea, group).list(ids=["a", "b"])
    assert [row.id for row in rows] == [id_]
    by_filters, by_ids = server.requests
    assert by_filters.target == (
        f"/{group}?{query}&fromCreatedAt=2026-01-02T00%3A00%3A00%2B00%3A00"
        "&toCreatedAt=2026-02-03T00%3A00%3A00Z&sort=createdAt&sort=desc&limit=7&offset=14"
    )
    assert by_ids.target == f"/{group}?ids=a&ids=b"


@of_each_group
async def test_what_no_list_takes(group: str) -> None:
    """A misspelt filter is a `TypeError`, a naive time is refused, and nothing is sent."""
    async with replying(json_answer(200, "[]")) as (galtea, server):
        endpoints = getattr(galtea, group)
        with pytest.raises(TypeError, match="no filter 'colours'"):
            await endpoints.list(colours="red")
        with pytest.raises(InvalidRequestError, match="time zone"):
            await endpoints.list(from_created_at=datetime.datetime(2026, 1, 2))  # noqa: DTZ001  on purpose
        for id_ in ("", " ", "..", None, 7):
            with pytest.raises(InvalidRequestError):
                await endpoints.get(id_)
        assert server.connections == 0


@of_each_group
@pytest.mark.parametrize("envelope", ["{}", '{{"data": {}, "total": 1, "page": 1, "limit": 1000}}'])
async def test_both_envelopes(group: str, envelope: str) -> None:
    """Rows are read whether the service wraps them or not."""
    text, id_ = EXAMPLES[group]
    async with replying(json_answer(200, envelope.format(f"[{text}]"))) as (galtea, _):
        assert [row.id for row in await getattr(galtea, group).list()] == [id_]
        assert [row.id async for row in getattr(galtea, group).iterate()] == [id_]


async def test_the_catalogue_of_a_service() -> None:
    """What is in the service is found by id, by name and by what it belongs to, page by page."""
    async with GalteaEmulator() as emulator:
        product_id = await emulator.add_product()
        metric_ids = [
            await emulator.add_metric(product_id=product_id, name=f"metric {number}") for number in range(7)
        ]
        await emulator.add_specification(product_id, metric_ids=metric_ids[:2])
        version_ids = [await emulator.add_version(product_id, sessions=0) for _ in range(7)]
        async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
            versions = galtea.versions.iterate(product_ids=product_id, page_size=2)
            assert sorted([version.id async for version in versions]) == sorted(version_ids)
            metrics = galtea.metrics.iterate(product_ids=product_id, page_size=2)
            assert {metric.id async for metric in metrics} >= {*metric_ids}
            (named,) = await galtea.metrics.list(product_ids=product_id, names="metric 3")
            assert named.id == metric_ids[3]
            (specification,) = [
                row
                async for row in galtea.specifications.iterate(product_ids=product_id)
                if row.metric_ids == metric_ids[:2]
            ]
            linked = await galtea.metrics.list(specification_ids=specification.id)
            assert sorted(metric.id for metric in linked) == sorted(metric_ids[:2])
            assert [row.id async for row in galtea.products.iterate(ids=[product_id])] == [product_id]


@of_each_group
async def test_every_filter_is_known_to_the_service(group: str) -> None:
    """The service refuses filters that it does not know, and refuses none of these."""
    filters, _ = FILTERS[group]
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        assert await getattr(galtea, group).list(**filters, from_created_at=MOMENT, limit=5) == []


@of_each_group
async def test_what_is_not_there(group: str) -> None:
    """An unknown id is a `NotFoundError`, in `get` and among the ids of a list."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        with pytest.raises(NotFoundError, match="nothing_1 not found"):
            await getattr(galtea, group).get("nothing_1")
        with pytest.raises(NotFoundError, match="nothing_1"):
            await getattr(galtea, group).list(ids="nothing_1")
