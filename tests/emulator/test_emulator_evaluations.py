"""Evaluations over the emulated API: how they end, how they are found, and what people do with them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from emulator.api import Api, connected

from galtea_async.emulator import GalteaEmulator

FIELDS_OF_THE_PAGE = {
    "id",
    "metricId",
    "sessionId",
    "userId",
    "status",
    "testCaseId",
    "inferenceResultId",
    "score",
    "reason",
    "error",
    "canRetry",
    "creditsUsed",
    "conversationSimulatorVersion",
    "humanEvaluatorId",
    "humanEvaluatorStartedAt",
    "failedTurns",
    "createdAt",
    "deletedAt",
    "evaluatedAt",
    "metricLegacyAt",
    "metricDisabledAt",
}


async def evaluated(emulator: GalteaEmulator, api: Api, sessions: int) -> str:
    version_id = await emulator.add_version(sessions=sessions)
    answer = await api.post("/evaluations/fromSessions", {"versionId": version_id})
    assert answer.json["sessionsEvaluated"] == sessions
    return version_id


async def test_evaluations_start_pending_and_settle_within_the_judging_time() -> None:
    """Nothing of an evaluation's end can be seen before its time, and nothing is pending after it."""
    async with GalteaEmulator(judging=(10, 20)) as emulator, connected(emulator) as api:
        await evaluated(emulator, api, 200)
        fresh = (await api.get("/evaluations")).json
        assert {(row["status"], row["canRetry"]) for row in fresh} == {("PENDING", False)}
        hidden = ("score", "reason", "error", "evaluatedAt", "creditsUsed", "judgeInputTokens")
        assert {row[name] for row in fresh for name in hidden} == {None}
        assert fresh[0].keys() >= FIELDS_OF_THE_PAGE
        await asyncio.sleep(15)
        assert 100 < len((await api.get("/evaluations", ("statuses", "PENDING"))).json) < 300
        await asyncio.sleep(5)
        settled = (await api.get("/evaluations")).json
        statuses = Counter(row["status"] for row in settled)
        assert statuses.keys() == {"SUCCESS", "FAILED", "SKIPPED"}
        assert statuses["SUCCESS"] > 350
        for row in settled:
            assert isinstance(row["canRetry"], bool)
            assert row["canRetry"] == (row["status"] == "FAILED")
            assert (row["score"] is not None) == (row["status"] == "SUCCESS")
            assert row["score"] is None or 0 <= row["score"] <= 1
            assert row["createdAt"] < row["evaluatedAt"]
            assert (row["error"] is not None) == (row["status"] == "FAILED")


async def test_verdicts_follow_from_the_seed_alone() -> None:
    """The same seed gives the same ids and scores in any order of requests; another seed does not."""

    async def scores(seed: int, order: int) -> dict[tuple[str, str], object]:
        async with GalteaEmulator(seed=seed) as emulator, connected(emulator) as api:
            session_ids = await emulator.session_ids(await emulator.add_version(sessions=30))
            for session_id in session_ids[::order]:
                await api.evaluate([session_id])
            await asyncio.sleep(60)
            return {
                (str(row["sessionId"]), str(row["metricId"])): row["score"]
                for row in await emulator.evaluations()
            }

    first = await scores(1, 1)
    assert first == await scores(1, -1)
    assert first.keys().isdisjoint(await scores(2, 1))


async def test_kinds_of_metrics_are_judged_in_their_own_ways() -> None:
    """A person's metric waits for the person, a rule's is there at once with 0 or 1."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(await emulator.add_version(), 50)
        human = await emulator.add_metric(source="HUMAN_EVALUATION")
        rule = await emulator.add_metric(source="DETERMINISTIC")
        await api.evaluate(session_ids, metrics=[{"id": human}, {"id": rule}])
        waiting = (await api.get("/evaluations", ("metricIds", human))).json
        assert {(row["status"], row["score"], row["evaluatedAt"]) for row in waiting} == {
            ("PENDING_HUMAN", None, None)
        }
        ruled = (await api.get("/evaluations", ("metricSources", "DETERMINISTIC"))).json
        assert {(row["status"], row["score"]) for row in ruled} == {("SUCCESS", 0.0), ("SUCCESS", 1.0)}


async def test_filters_select_by_what_rows_belong_to() -> None:
    """Relation filters keep their rows, take several values, and match nothing for unknown ones."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        one, two = await evaluated(emulator, api, 2), await evaluated(emulator, api, 3)
        every = (await api.get("/evaluations")).json
        sessions = {version: set(await emulator.session_ids(version)) for version in (one, two)}
        for name, key in [("sessionIds", "sessionId"), ("metricIds", "metricId"), ("productIds", "productId"),
                          ("runIds", "runId"), ("userIds", "userId")]:  # fmt: skip
            value = every[0][key]
            found = await api.get("/evaluations", (name, value))
            assert set(found.ids) == {row["id"] for row in every if row[key] == value}, name
            assert (await api.get("/evaluations", (name, "unknown"))).json == []
        found = await api.get("/evaluations", ("versionIds", one), ("versionIds", "unknown"))
        assert {row["sessionId"] for row in found.json} == sessions[one]
        assert len((await api.get("/evaluations", ("versionIds[]", one), ("versionIds[]", two))).json) == len(
            every
        )
        specification_id = (await api.get("/specifications")).json[0]["id"]
        linked = (await api.get(f"/specifications/{specification_id}")).json["metricIds"]
        found = await api.get("/evaluations", ("specificationIds", specification_id))
        assert set(found.ids) == {row["id"] for row in every if row["metricId"] in linked}


async def test_an_empty_test_id_means_without_a_test() -> None:
    """`testIds=` keeps what has no test; `excludeTestIds=` omits it."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1)
        [free] = await emulator.session_ids(version_id)
        case_id = await emulator.add_test_case("test_a")
        tested = (await api.post("/sessions", {"versionId": version_id, "testCaseId": case_id})).json["id"]
        metric_id = await emulator.add_metric()
        await api.evaluate([free, tested], metrics=[{"id": metric_id}])
        for path, key in [("/evaluations", "sessionId"), ("/sessions", "id")]:

            async def found(*pairs: tuple[str, str], path: str = path, key: str = key) -> set[str]:
                return {row[key] for row in (await api.get(path, *pairs)).json}

            assert await found(("testIds", "")) == {free}
            assert await found(("testIds", "test_a")) == {tested}
            assert await found(("testIds", "test_a"), ("testIds", "")) == {free, tested}
            assert await found(("excludeTestIds", "")) == {tested}
            assert await found(("excludeTestIds", "test_a")) == {free}
            assert await found(("testCaseIds", case_id)) == {tested}


async def test_filters_select_by_what_has_come_out() -> None:
    """Status, score bounds, passed and canRetry agree with the rows."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        await evaluated(emulator, api, 300)
        await asyncio.sleep(60)
        every: list[dict[str, Any]] = (await api.get("/evaluations")).json
        scored = [row for row in every if row["score"] is not None]
        middle = sorted(row["score"] for row in scored)[len(scored) // 2]
        cases: list[tuple[tuple[str, str], list[dict[str, Any]]]] = [
            (("scoreGt", str(middle)), [row for row in scored if row["score"] > middle]),
            (("scoreGte", str(middle)), [row for row in scored if row["score"] >= middle]),
            (("scoreLt", str(middle)), [row for row in scored if row["score"] < middle]),
            (("scoreLte", str(middle)), [row for row in scored if row["score"] <= middle]),
            (("passed", "true"), [row for row in scored if row["score"] >= 0.5]),
            (("passed", "false"), [row for row in scored if row["score"] < 0.5]),
            (("canRetry", "true"), [row for row in every if row["canRetry"]]),
            (("canRetry", "false"), [row for row in every if not row["canRetry"]]),
            (("statuses", "FAILED"), [row for row in every if row["status"] == "FAILED"]),
            (("humanScoreGte", "0"), []),
        ]
        for pair, expected in cases:
            assert set((await api.get("/evaluations", pair)).ids) == {row["id"] for row in expected}, pair
        for wrong in ("1.01", "-0.1", "much"):
            assert (await api.get("/evaluations", ("scoreGt", wrong))).status == 400


async def test_rows_that_do_not_count_are_hidden() -> None:
    """Deleted rows, rows of deleted runs and rows of metrics outside the analytics are not listed."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await evaluated(emulator, api, 1)
        [session_id] = await emulator.session_ids(version_id)
        aside = await emulator.add_metric(excluded_from_analytics=True)
        [hidden] = await emulator.add_evaluations([session_id], metric_id=aside)
        assert hidden not in (await api.get("/evaluations")).ids
        assert hidden not in (await api.get("/evaluations", ("includeExcludedFromAnalytics", "false"))).ids
        assert hidden in (await api.get("/evaluations", ("includeExcludedFromAnalytics", "true"))).ids
        assert (await api.get(f"/evaluations/{hidden}")).status == 200
        first, second = (await api.get("/evaluations")).ids
        assert (await api.delete(f"/evaluations/{first}")).status == 204
        assert (await api.get("/evaluations")).ids == [second]
        assert (await api.get(f"/evaluations/{first}")).message == f"Evaluation {first} not found"
        [run_id] = (await api.get("/runs")).ids
        assert (await api.delete(f"/runs/{run_id}")).status == 204
        assert (await api.get("/evaluations")).json == []
        assert [row["id"] for row in await emulator.evaluations(version_id=version_id)] == [second, hidden]


async def test_older_evaluations_of_others_can_be_there_already() -> None:
    """Evaluations can be added at any time, by a colleague, and counted from a time on."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=2)
        one, two = await emulator.session_ids(version_id)
        start = emulator.now()
        old = await emulator.add_evaluations([one, one, two], created_at=start - timedelta(days=3))
        assert await emulator.evaluation_counts(version_id) == {one: 2, two: 1}
        assert await emulator.evaluation_counts(version_id, since=start) == {one: 0, two: 0}
        await api.evaluate([two])
        assert await emulator.evaluation_counts(version_id, since=start) == {one: 0, two: 2}
        assert len(await emulator.evaluations(session_ids=[two], since=start)) == 2
        rows = {row["id"]: row for row in (await api.get("/evaluations")).json}
        assert {rows[one_id]["status"] for one_id in old} <= {"SUCCESS", "FAILED", "SKIPPED"}
        assert {rows[one_id]["userId"] for one_id in old}.isdisjoint(
            row["userId"] for one_id, row in rows.items() if one_id not in old
        )
        with pytest.raises(LookupError, match="session_x"):
            await emulator.add_evaluations(["session_x"])
        with pytest.raises(LookupError, match="metric_x"):
            await emulator.add_evaluations([one], metric_id="metric_x")
