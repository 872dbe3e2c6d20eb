"""Runs over the emulated API."""

from __future__ import annotations

import asyncio

import pytest
from emulator.api import connected

from galtea_async.emulator import EmulatorRules, GalteaEmulator


async def test_a_callers_run_is_opened_found_closed_and_deleted() -> None:
    """A run of the caller's runs until it is closed, and its customId is free again when it is deleted."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        body = {"productId": product_id, "customId": "nightly"}
        opened = await api.post("/runs", body)
        run = opened.json
        assert opened.status == 201
        assert (run["openedBy"], run["status"], run["ordinal"], run["kind"]) == ("CALLER", "RUNNING", 1, None)
        assert (run["evaluationCount"], run["sessionCount"], run["finishedAt"]) == (0, 0, None)
        duplicate = await api.post("/runs", body)
        assert (duplicate.status, "with the same" in duplicate.message) == (400, True)
        second = (await api.post("/runs", {"productId": product_id})).json
        for pairs, expected in [
            ([("customIds", "nightly")], {run["id"]}),
            ([("productIds", product_id)], {run["id"], second["id"]}),
            ([("search", "#2")], {second["id"]}),
            ([("search", "NIGHT")], {run["id"]}),
            ([("statuses", "RUNNING")], {run["id"], second["id"]}),
            ([("statuses", "COMPLETED")], set[str]()),
        ]:
            assert set((await api.get("/runs", *pairs)).ids) == expected, pairs
        closed = (await api.post(f"/runs/{run['id']}/close")).json
        assert (closed["status"], closed["finishedAt"] is None) == ("COMPLETED", False)
        assert (await api.post(f"/runs/{run['id']}/close")).status == 400
        assert (await api.delete(f"/runs/{run['id']}")).status == 204
        assert (await api.post(f"/runs/{run['id']}/close")).status == 404
        assert (await api.post("/runs", body)).status == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"productId": "product_x"}, 404), ({"productId": "PRODUCT", "versionId": "version_x"}, 404)],
)
async def test_a_run_needs_a_product_that_exists(body: dict[str, str], status: int) -> None:
    """Unknown products and versions are a 404, no product is a 400."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        known = {"PRODUCT": await emulator.add_product()}
        assert (
            await api.post("/runs", {key: known.get(value, value) for key, value in body.items()})
        ).status == status


@pytest.mark.parametrize("status", [400, 409])
async def test_a_run_of_the_platform_ends_by_itself_and_takes_nobody_in(status: int) -> None:
    """A batch's run completes with its last verdict; closing it or joining it is refused."""
    rules = EmulatorRules(run_refusal_status=status)  # type: ignore[arg-type]  # parametrized over its values
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=20)
        await api.post("/evaluations/fromSessions", {"versionId": version_id})
        [run] = (await api.get("/runs", ("versionIds", version_id))).json
        assert (run["status"], run["evaluationCount"], run["sessionCount"]) == ("RUNNING", 40, 20)
        assert (await api.post(f"/runs/{run['id']}/close")).status == status
        [session_id, *_] = await emulator.session_ids(version_id)
        joined = await api.post("/evaluations/fromSession", {"sessionId": session_id, "runId": run["id"]})
        assert (joined.status, "opened by the platform" in joined.message) == (status, True)
        await asyncio.sleep(31)
        ended = (await api.get(f"/runs/{run['id']}")).json
        last = max(str(row["evaluatedAt"]) for row in await emulator.evaluations())
        assert (ended["status"], ended["finishedAt"]) == ("COMPLETED", last)


async def test_what_tests_refer_to_must_exist() -> None:
    """Filling the emulator with references to nothing is an error at once."""
    async with GalteaEmulator() as emulator:
        with pytest.raises(LookupError, match="product_x"):
            await emulator.add_version("product_x")
        with pytest.raises(LookupError, match="product_x"):
            await emulator.add_metric("product_x")
        with pytest.raises(LookupError, match="product_x"):
            await emulator.add_specification("product_x")
        with pytest.raises(LookupError, match="version_x"):
            await emulator.add_sessions("version_x", 1)
        for mark in (
            emulator.skip(["session_x"]),
            emulator.refuse(["session_x"], "e"),
            emulator.delete_session("session_x"),
        ):
            with pytest.raises(LookupError, match="session_x"):
                await mark
