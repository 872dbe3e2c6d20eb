"""Evaluating one session or one turn over the emulated API."""

from __future__ import annotations

import asyncio

import pytest
from emulator.api import Api, connected

from galtea_async.emulator import GalteaEmulator


async def recorded(emulator: GalteaEmulator, api: Api) -> tuple[str, str]:
    """Add a session with a turn, and return the ids of both."""
    [session_id] = await emulator.add_sessions(await emulator.add_version(), 1, turns=1)
    [turn_id] = (await api.get("/inferenceResults", ("sessionIds", session_id))).ids
    return session_id, turn_id


async def test_a_turn_is_evaluated_on_its_own() -> None:
    """Its evaluations name it, are found by it, and are judged apart from those of the session."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_id, turn_id = await recorded(emulator, api)
        metrics = [{"id": await emulator.add_metric(source="DETERMINISTIC")}]
        answer = await api.post(
            "/evaluations/fromInferenceResult", {"inferenceResultId": turn_id, "metrics": metrics}
        )
        [of_turn] = answer.json
        assert (answer.status, of_turn["inferenceResultId"], of_turn["sessionId"]) == (
            201,
            turn_id,
            session_id,
        )
        whole = {"sessionId": session_id, "metrics": metrics}
        [of_session] = (await api.post("/evaluations/fromSession", whole)).json
        assert of_session["inferenceResultId"] is None
        assert (await api.get("/evaluations", ("inferenceResultIds", turn_id))).ids == [of_turn["id"]]
        assert (await api.get("/inferenceResults", ("evaluationIds", of_turn["id"]))).ids == [turn_id]
        assert (await api.get("/inferenceResults", ("evaluationIds", of_session["id"]))).ids == []


async def test_a_turn_can_be_named_with_its_session() -> None:
    """It must belong to it."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_id, turn_id = await recorded(emulator, api)
        _, turn_of_another = await recorded(emulator, api)
        body = {"sessionId": session_id, "metrics": [{"id": await emulator.add_metric()}]}
        [row] = (await api.post("/evaluations/fromSession", body | {"inferenceResultId": turn_id})).json
        assert row["inferenceResultId"] == turn_id
        refused = await api.post("/evaluations/fromSession", body | {"inferenceResultId": turn_of_another})
        assert (refused.status, "does not belong" in refused.message) == (400, True)
        unknown = await api.post(
            "/evaluations/fromInferenceResult", {"inferenceResultId": "inferenceResult_x"}
        )
        assert (unknown.status, unknown.message) == (404, "InferenceResult inferenceResult_x not found")


async def test_a_single_turn_is_recorded_and_evaluated() -> None:
    """One call makes the session, closed, with the turn in it, and the evaluations of the turn."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        body = {
            "versionId": version_id,
            "metrics": [{"id": await emulator.add_metric()}],
            "input": "Hello?",
            "actualOutput": "Hello!",
            "isProduction": None,
            "latency": 3.5,
            "usageInfo": {"input_tokens": 5, "tokens": None},
            "costInfo": {"cost": 0.5},
        }
        [row] = (await api.post("/evaluations/singleTurn", body)).json
        turn = (await api.get(f"/inferenceResults/{row['inferenceResultId']}")).json
        assert (turn["input"], turn["actualOutput"]) == ({"user_message": "Hello?"}, "Hello!")
        assert (turn["latency"], turn["inputTokens"], turn["tokens"], turn["cost"]) == (3.5, 5, None, 0.5)
        session = (await api.get(f"/sessions/{turn['sessionId']}")).json
        assert (session["status"], session["isProduction"]) == ("COMPLETED", False)
        assert session["versionId"] == version_id


async def test_a_single_turn_of_a_test_case_takes_its_input() -> None:
    """The turn asks what the case asks, and the session belongs to the case."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        case_id = await emulator.add_test_case()
        body = {
            "productId": await emulator.add_product(),
            "metrics": [{"id": await emulator.add_metric()}],
            "testCaseId": case_id,
            "actualOutput": "Hello!",
        }
        [row] = (await api.post("/evaluations/singleTurn", body)).json
        assert row["testCaseId"] == case_id
        turn = (await api.get(f"/inferenceResults/{row['inferenceResultId']}")).json
        assert turn["input"] == (await api.get(f"/testCases/{case_id}")).json["input"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"input": None}, 400),
        ({"testCaseId": "CASE"}, 400),
        ({"input": None, "testCaseId": "testCase_x"}, 404),
        ({"actualOutput": None}, 400),
        ({"metrics": [{"id": "metric_x"}]}, 404),
        ({"versionId": "version_x"}, 404),
        ({"versionId": None}, 400),
        ({"runId": "run_x"}, 404),
        ({"usageInfo": {"tokens": "many"}}, 400),
    ],
)
async def test_a_single_turn_that_is_refused_leaves_nothing_behind(
    change: dict[str, object], status: int
) -> None:
    """Neither a session nor a turn nor an evaluation."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        known = {"CASE": await emulator.add_test_case()}
        body: dict[str, object] = {
            "versionId": await emulator.add_version(),
            "metrics": [{"id": await emulator.add_metric()}],
            "input": "Hello?",
            "actualOutput": "Hello!",
        }
        sent = body | {name: known.get(str(value), value) for name, value in change.items()}
        assert (await api.post("/evaluations/singleTurn", sent)).status == status
        for path in ("/sessions", "/inferenceResults", "/evaluations"):
            assert (await api.get(path)).json == []


async def test_a_row_says_whether_it_passed() -> None:
    """From the time of its score on, measured against the metric's threshold, which each row shows."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(await emulator.add_version(), 40)
        judged = await emulator.add_metric()
        await api.evaluate(session_ids, metrics=[{"id": judged}])
        assert {row["passed"] for row in (await api.get("/evaluations")).json} == {None}
        await asyncio.sleep(60)
        rows = (await api.get("/evaluations")).json
        assert {row["metricPassThreshold"] for row in rows} == {0.5}
        for row in rows:
            assert row["passed"] == (None if row["score"] is None else row["score"] >= 0.5)
