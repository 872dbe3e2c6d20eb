"""`galtea.runs`: what goes over the wire, and what the service makes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from galtea_async import (
    AsyncGaltea,
    BadRequestError,
    InvalidRequestError,
    NotFoundError,
    RunKind,
    RunOpener,
    RunStatus,
)
from support.raw_server import RawServer, json_answer
from support.run_place import open_place

KEY = "gsk_0123456789"
RUN = """{
  "id": "run_1", "productId": "product_1", "versionId": "version_1", "userId": "user_1", "ordinal": 42,
  "customId": "nightly", "relaunchedFromRunId": null, "openedBy": "CALLER", "status": "RUNNING", "kind": null,
  "jobId": null, "error": null, "request": {"a": [1]}, "resolvedInputs": null,
  "createdAt": "2026-10-01T02:03:04.567Z", "finishedAt": null, "deletedAt": null,
  "evaluationCount": 3, "sessionCount": 2, "color": "red"
}"""


async def test_start_sends_what_is_given() -> None:
    """`start` is POST /runs, and reads every field of a run."""
    async with RawServer(json_answer(201, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        run = await galtea.runs.start("product_1", version_id="version_1", custom_id="nightly")
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/runs")
    assert json.loads(request.body) == {
        "productId": "product_1",
        "versionId": "version_1",
        "customId": "nightly",
    }
    assert (run.id, run.product_id, run.version_id, run.user_id) == (
        "run_1",
        "product_1",
        "version_1",
        "user_1",
    )
    assert (run.ordinal, run.custom_id, run.opened_by) == (42, "nightly", RunOpener.CALLER)
    assert (run.status, run.kind, run.request) == (RunStatus.RUNNING, None, {"a": [1]})
    assert run.created_at == datetime(2026, 10, 1, 2, 3, 4, 567_000, tzinfo=UTC)
    assert (run.evaluation_count, run.session_count, run.extra) == (3, 2, {"color": "red"})


async def test_every_run_gets_a_custom_id() -> None:
    """Where the caller has none, one is made up that no other run has, by which it can be found again."""
    async with RawServer(json_answer(201, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await galtea.runs.start("product_1")
        await galtea.runs.start("product_1")
    first, second = (json.loads(request.body) for request in server.requests)
    assert first.keys() == {"productId", "customId"}
    assert first["customId"].startswith("galtea-async-")
    assert first["customId"] != second["customId"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("get", ("GET", "/runs/..%2Frun_1")),
        ("close", ("POST", "/runs/..%2Frun_1/close")),
        ("delete", ("DELETE", "/runs/..%2Frun_1")),
    ],
)
async def test_one_run(call: str, expected: tuple[str, str]) -> None:
    """`get`, `close` and `delete` name one run, without a body."""
    async with RawServer(json_answer(200, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await getattr(galtea.runs, call)("../run_1")
    (request,) = server.requests
    assert (request.method, request.target, request.body) == (*expected, b"")


async def test_list_is_one_request() -> None:
    """`list` is one GET /runs with every filter by its wire name."""
    async with (
        RawServer(json_answer(200, f"[{RUN}]")) as server,
        AsyncGaltea(KEY, base_url=server.url) as galtea,
    ):
        runs = await galtea.runs.list(
            ids=["r1", "r2"],
            product_ids="p",
            version_ids=["v"],
            custom_ids=["a b&c"],
            statuses=[RunStatus.RUNNING, "FAILED"],
            search="#42",
            from_created_at=datetime(2026, 1, 2, tzinfo=UTC),
            to_created_at="2026-01-03T00:00:00Z",
            sort=[("created_at", "desc")],
            limit=3,
            offset=6,
        )
    (request,) = server.requests
    assert (request.method, request.target) == (
        "GET",
        (
            "/runs?ids=r1&ids=r2&productIds=p&versionIds=v&customIds=a+b%26c&statuses=RUNNING&statuses=FAILED"
            "&search=%2342&fromCreatedAt=2026-01-02T00%3A00%3A00%2B00%3A00&toCreatedAt=2026-01-03T00%3A00%3A00Z"
            "&sort=createdAt&sort=desc&limit=3&offset=6"
        ),
    )
    assert [run.id for run in runs] == ["run_1"]


async def test_iterate_gives_every_run() -> None:
    """All pages, and runs that the service has opened too."""
    async with open_place() as place:
        for number in range(5):
            await place.galtea.runs.start(place.product_id, custom_id=f"nightly-{number}")
        await place.galtea.evaluations.from_sessions(session_ids=place.session_ids, metrics=["accuracy"])
        runs = [run async for run in place.galtea.runs.iterate(product_ids=place.product_id, page_size=2)]
        assert sorted(run.ordinal or 0 for run in runs) == [1, 2, 3, 4, 5, 6]
        assert [run.kind for run in runs if run.opened_by is RunOpener.LAUNCH] == [
            RunKind.EVALUATE_SESSION_BATCH
        ]


@pytest.mark.parametrize(
    "arguments",
    [
        {"product_id": ""},
        {"product_id": None},
        {"product_id": "p", "version_id": " "},
        {"product_id": "p", "custom_id": ""},
        {"product_id": "p", "custom_id": 7},
    ],
    ids=repr,
)
async def test_what_is_no_id_never_leaves(arguments: dict[str, Any]) -> None:
    """A wrong id is refused at once, before the result is awaited."""
    async with RawServer(json_answer(201, RUN)) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            _ = galtea.runs.start(**arguments)
        assert server.connections == 0


@pytest.mark.parametrize("unknown", [{"product_id": "product_x"}, {"version_id": "version_x"}])
async def test_an_unknown_product_or_version(unknown: dict[str, str]) -> None:
    """There is nothing to open a run on."""
    async with open_place() as place:
        with pytest.raises(NotFoundError, match="_x not found"):
            await place.galtea.runs.start(**{"product_id": place.product_id, **unknown})


async def test_a_run_is_closed_once() -> None:
    """A run that had ended before is refused, and so is one that the service has opened."""
    async with open_place() as place:
        run = await place.galtea.runs.start(place.product_id)
        await place.galtea.runs.close(run.id)
        with pytest.raises(BadRequestError, match="has ended already"):
            await place.galtea.runs.close(run.id)
        await place.galtea.evaluations.from_sessions(session_ids=place.session_ids, metrics=["accuracy"])
        launched = [run async for run in place.galtea.runs.iterate() if run.opened_by is RunOpener.LAUNCH]
        with pytest.raises(BadRequestError, match="opened by the platform"):
            await place.galtea.runs.close(launched[0].id)


async def test_a_service_without_runs() -> None:
    """An older service has no such route, and the error says so."""
    async with open_place(runs=False) as place:
        with pytest.raises(NotFoundError, match="no such route"):
            async with place.galtea.runs.start(place.product_id):
                pytest.fail("there are no runs")
