"""`POST /evaluations/fromSessions` of the emulator."""

from __future__ import annotations

from collections import Counter

import pytest
from emulator.api import connected

from galtea_async.emulator import EmulatorRules, GalteaEmulator


async def test_a_version_is_cut_off_at_the_cap_and_the_answer_says_so() -> None:
    """By version, 1,000 of 2,500 sessions are evaluated, each once per metric."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=2_500)
        answer = await api.post("/evaluations/fromSessions", {"versionId": version_id})
        assert answer.status == 200
        assert answer.json == {
            "sessionsEvaluated": 1_000,
            "sessionsFailed": 0,
            "evaluationsCreated": 2_000,
            "failures": [],
            "message": "Dispatched 2000 evaluations for 1000 sessions.",
            "totalSessionsAvailable": 2_500,
            "truncated": True,
        }
        counts = await emulator.evaluation_counts(version_id)
        assert Counter(counts.values()) == {2: 1_000, 0: 1_500}
        assert {one for one, count in counts.items() if count} != set(
            (await emulator.session_ids(version_id))[:1_000]
        )


@pytest.mark.parametrize(("sessions", "truncated"), [(0, False), (999, False), (1_000, False), (1_001, True)])
async def test_truncated_is_true_only_beyond_the_cap(sessions: int, truncated: bool) -> None:  # noqa: FBT001
    """Exactly the cap is not truncated."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=sessions)
        answer = (await api.post("/evaluations/fromSessions", {"versionId": version_id})).json
        assert (answer["truncated"], answer["totalSessionsAvailable"]) == (truncated, sessions)
        assert answer["sessionsEvaluated"] == min(sessions, 1_000)


async def test_the_order_of_a_capped_call_can_change_from_call_to_call() -> None:
    """With the rule "changing", the same call picks other sessions each time."""
    rules = EmulatorRules(batch_cap=10, order="changing")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=100)
        for _ in range(5):
            await api.post("/evaluations/fromSessions", {"versionId": version_id})
        counts = await emulator.evaluation_counts(version_id)
        assert sum(counts.values()) == 100
        assert sum(1 for count in counts.values() if count) > 20


async def test_sessions_fail_or_are_skipped_one_by_one() -> None:
    """Refused and unknown sessions are failures; skipped ones are only counted in the message."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=5)
        fine, refused, skipped, also_skipped, deleted = await emulator.session_ids(version_id)
        await emulator.refuse([refused], "no turns")
        await emulator.skip([skipped, also_skipped])
        await emulator.delete_session(deleted)
        answer = (await api.evaluate([fine, refused, skipped, also_skipped, deleted, "session_x"])).json
        assert answer["failures"] == [
            {"sessionId": refused, "error": "no turns"},
            {"sessionId": deleted, "error": f"Session {deleted} not found"},
            {"sessionId": "session_x", "error": "Session session_x not found"},
        ]
        assert (answer["sessionsEvaluated"], answer["sessionsFailed"], answer["evaluationsCreated"]) == (
            1,
            3,
            2,
        )
        assert answer["message"].endswith("Skipped 2 sessions: 2 not applicable.")
        assert (answer["totalSessionsAvailable"], answer["truncated"]) == (None, False)
        assert await emulator.evaluation_counts(version_id) == {
            fine: 2,
            refused: 0,
            skipped: 0,
            also_skipped: 0,
        }


REFUSED: list[tuple[dict[str, object], int, str]] = [
    ({}, 400, "Exactly one"),
    ({"sessionIds": ["SESSION"], "versionId": "VERSION"}, 400, "Exactly one"),
    ({"sessionIds": []}, 400, "empty"),
    ({"sessionIds": "SESSION"}, 400, "sessionIds"),
    ({"sessionIds": ["SESSION"], "runId": "run_x"}, 400, "runId"),
    ({"versionId": "version_x"}, 404, "Version version_x not found"),
    ({"sessionIds": ["SESSION"], "metrics": [{"id": "metric_x"}]}, 404, "Metrics not found: metric_x"),
    ({"sessionIds": ["SESSION"], "metrics": [{"name": "No such"}]}, 404, "Metrics not found: No such"),
    ({"sessionIds": ["SESSION"], "metrics": [{}]}, 400, "id or a name"),
    ({"sessionIds": ["SESSION"], "metrics": [{"name": "Self", "score": 2}]}, 400, "between 0 and 1"),
    ({"sessionIds": ["SESSION"], "metrics": [{"name": "Self"}]}, 400, "score is required"),
    (
        {"sessionIds": ["SESSION"], "specificationIds": ["spec_x"]},
        404,
        "Specifications not found: spec_x",
    ),
]


@pytest.mark.parametrize(("body", "status", "text"), REFUSED)
async def test_a_refused_batch_leaves_nothing_behind(body: dict[str, object], status: int, text: str) -> None:
    """A batch that is refused as a whole makes neither evaluations nor a run."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1)
        [session_id] = await emulator.session_ids(version_id)
        await emulator.add_metric(name="Self", source="SELF_HOSTED")
        if body.get("sessionIds") == ["SESSION"]:
            body = body | {"sessionIds": [session_id]}
        answer = await api.post("/evaluations/fromSessions", body)
        assert (answer.status, text in answer.message) == (status, True), answer.message
        assert await emulator.evaluations() == []
        assert (await api.get("/runs")).json == []


async def test_metrics_and_specifications_are_merged_without_repeats() -> None:
    """Named metrics hold for every session; those of specifications are added, each of them once."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        one, two = await emulator.add_metric(product_id, name="One"), await emulator.add_metric(product_id)
        specification_id = await emulator.add_specification(product_id, metric_ids=[one, two])
        [session_id] = await emulator.add_sessions(await emulator.add_version(product_id), 1)
        named_twice = [{"id": one}, {"name": "One"}]
        assert (await api.evaluate([session_id], metrics=named_twice)).json["evaluationsCreated"] == 1
        merged = await api.evaluate([session_id], metrics=named_twice, specificationIds=[specification_id])
        assert merged.json["evaluationsCreated"] == 2


async def test_a_session_of_a_test_follows_the_specifications_linked_to_it() -> None:
    """A session's own specifications count; one without a test takes all of its product's."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        version_id = await emulator.add_version(product_id)
        mine, other = await emulator.add_metric(product_id), await emulator.add_metric(product_id)
        case_id = await emulator.add_test_case("test_a")
        own = await emulator.add_specification(product_id, metric_ids=[mine], test_ids=["test_a"])
        foreign = await emulator.add_specification(product_id, metric_ids=[other])
        tested = (await api.post("/sessions", {"versionId": version_id, "testCaseId": case_id})).json["id"]
        [free] = await emulator.add_sessions(version_id, 1)
        await api.evaluate([tested, free])
        assert {(row["sessionId"], row["metricId"]) for row in await emulator.evaluations()} == {
            (tested, mine),
            (free, mine),
            (free, other),
        }
        narrowed = (await api.evaluate([tested, free], specificationIds=[foreign])).json
        assert (narrowed["sessionsEvaluated"], narrowed["evaluationsCreated"]) == (1, 1)
        assert "Skipped 1 sessions: 1 no metrics to evaluate." in narrowed["message"]
        assert (await api.evaluate([tested], specificationIds=[own])).json["evaluationsCreated"] == 1


async def test_under_the_older_rule_listed_specifications_hold_for_every_session() -> None:
    """With the scope "request", linked metrics are evaluated against each session."""
    rules = EmulatorRules(specification_scope="request")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        version_id = await emulator.add_version(product_id)
        case_id = await emulator.add_test_case()
        foreign = await emulator.add_specification(
            product_id, metric_ids=[await emulator.add_metric(product_id)]
        )
        tested = (await api.post("/sessions", {"versionId": version_id, "testCaseId": case_id})).json["id"]
        answer = (await api.evaluate([tested], specificationIds=[foreign])).json
        assert answer["evaluationsCreated"] == 1


async def test_without_any_metric_a_batch_is_refused() -> None:
    """No metrics, no specifications, and a product without linked metrics: 400."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(await emulator.add_product(), sessions=1)
        answer = await api.post("/evaluations/fromSessions", {"versionId": version_id})
        assert (answer.status, "metrics or specificationIds" in answer.message) == (400, True)


async def test_nothing_is_evaluated_once_only_by_itself() -> None:
    """A repeated batch and a repeated id make a second set of evaluations: nothing removes duplicates."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1)
        [session_id] = await emulator.session_ids(version_id)
        assert (await api.evaluate([session_id, session_id])).json["sessionsEvaluated"] == 2
        await api.evaluate([session_id])
        assert await emulator.evaluation_counts(version_id) == {session_id: 6}


async def test_the_rules_can_collapse_ids_and_pairs() -> None:
    """With the kinder rules an id counts once, and a pair that has an evaluation gets no other."""
    rules = EmulatorRules(duplicate_ids="collapse", repeated_pairs="ignore")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1)
        [session_id] = await emulator.session_ids(version_id)
        assert (await api.evaluate([session_id, session_id])).json["sessionsEvaluated"] == 1
        assert (await api.evaluate([session_id])).json["evaluationsCreated"] == 0
        assert await emulator.evaluation_counts(version_id) == {session_id: 2}


async def test_the_rules_can_refuse_a_whole_batch_for_one_bad_id_or_for_its_size() -> None:
    """With the harsher rules an unknown id is a 404 for all, and too many ids are a 400."""
    rules = EmulatorRules(unknown_session="not_found", session_ids_cap=2)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(await emulator.add_version(), 3)
        bad = await api.evaluate([session_ids[0], "session_x"])
        assert (bad.status, bad.message) == (404, "Sessions not found: session_x")
        many = await api.evaluate(session_ids)
        assert (many.status, "Too many" in many.message) == (400, True)
        assert await emulator.evaluations() == []


async def test_a_batch_opens_one_run_for_each_product() -> None:
    """Each product's share is a run of the platform, and each row carries it."""
    rules = EmulatorRules(run_ids_in_answer=True, run_request=True)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        versions = [await emulator.add_version(sessions=2), await emulator.add_version(sessions=3)]
        session_ids = [one for version_id in versions for one in await emulator.session_ids(version_id)]
        metric_id = await emulator.add_metric()
        answer = (await api.evaluate(session_ids, metrics=[{"id": metric_id}])).json
        runs = {run["id"]: run for run in (await api.get("/runs")).json}
        assert set(answer["runIds"]) == set(runs)
        assert sorted((run["evaluationCount"], run["sessionCount"]) for run in runs.values()) == [
            (2, 2),
            (3, 3),
        ]
        for run in runs.values():
            assert (run["kind"], run["openedBy"], run["status"]) == (
                "EVALUATE_SESSION_BATCH",
                "LAUNCH",
                "RUNNING",
            )
            assert run["request"]["sessionIds"] == session_ids
        assert {row["runId"] for row in await emulator.evaluations()} == set(runs)


async def test_a_service_without_runs_shows_none() -> None:
    """Without runs, rows have no runId, `/runs` is unknown and so is the filter."""
    async with GalteaEmulator(rules=EmulatorRules(runs=False)) as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(await emulator.add_version(), 1)
        await api.evaluate(session_ids)
        assert all("runId" not in row for row in (await api.get("/evaluations")).json)
        assert "runId" not in (await api.get("/sessions")).json[0]
        unknown = await api.get("/runs")
        assert (unknown.status, unknown.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert (await api.get("/evaluations", ("runIds", "x"))).status == 400


@pytest.mark.parametrize("status", [400, 402, 422])
async def test_without_credits_a_batch_is_refused(status: int) -> None:
    """Credits run out in the middle as skipped rows that can be retried, and at admission as a refusal."""
    rules = EmulatorRules(credits_status=status)  # type: ignore[arg-type]  # parametrized over its values
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(await emulator.add_version(), 5)
        await emulator.set_credits(7)
        assert (await api.evaluate(session_ids)).json["evaluationsCreated"] == 10
        unpaid = list((await api.get("/evaluations", ("statuses", "SKIPPED"), ("canRetry", "true"))).json)
        assert len(unpaid) == 7
        assert all("credits" in row["error"] for row in unpaid)
        refused = await api.evaluate(session_ids)
        assert (refused.status, "credits" in refused.message) == (status, True)
        free = await emulator.add_metric(source="DETERMINISTIC")
        assert (await api.evaluate(session_ids, metrics=[{"id": free}])).status == 200


async def test_one_session_is_evaluated_into_a_run_of_the_callers() -> None:
    """`fromSession` answers 201 with the rows, which carry the caller's run."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        metric_id = await emulator.add_metric(product_id)
        [session_id] = await emulator.add_sessions(await emulator.add_version(product_id), 1)
        run_id = (await api.post("/runs", {"productId": product_id})).json["id"]
        body = {"sessionId": session_id, "metrics": [{"id": metric_id}], "runId": run_id}
        answer = await api.post("/evaluations/fromSession", body)
        assert answer.status == 201
        [row] = answer.json
        assert (row["sessionId"], row["metricId"], row["runId"]) == (session_id, metric_id, run_id)
        assert (row["status"], row["score"]) == ("PENDING", None)
        assert (await api.get("/evaluations", ("runIds", run_id))).ids == [row["id"]]
        assert (await api.post("/evaluations/fromSession", body | {"sessionId": "session_x"})).status == 404
        await emulator.refuse([session_id], "no turns")
        refused = await api.post("/evaluations/fromSession", body)
        assert (refused.status, refused.message) == (400, "no turns")
        await emulator.skip([session_id])
        assert (await api.get("/evaluations")).ids == [row["id"]]


async def test_a_score_of_the_callers_own_is_kept() -> None:
    """A self-hosted metric's score is there at once, costs nothing, and holds for every session."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(await emulator.add_version(), 2)
        await emulator.add_metric(name="Mine", source="SELF_HOSTED")
        await emulator.set_credits(0)
        await api.evaluate(session_ids, metrics=[{"name": "Mine", "score": 0.25}])
        rows = (await api.get("/evaluations")).json
        assert [(row["status"], row["score"], row["creditsUsed"]) for row in rows] == [
            ("SUCCESS", 0.25, None)
        ] * 2
