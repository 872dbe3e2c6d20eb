"""Switches for what Galtea's documents leave open: each of them changes what clients see."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from emulator.api import Api, connected

from galtea_async.emulator import EmulatorRules, Fault, GalteaEmulator, Throttle

Scope = Literal["session", "origin", "strict", "request"]


async def new_run(api: Api, version_id: str) -> str:
    """A run of the caller's own on the version's product."""
    product_id = (await api.get(f"/versions/{version_id}")).json["productId"]
    return str((await api.post("/runs", {"productId": product_id, "versionId": version_id})).json["id"])


async def test_refusals_say_the_message_alone_or_the_error_as_well() -> None:
    """What a handler, a parameter, an id and a rate limit refuse is told in one form; pages stay pages."""
    bodies: dict[str, list[set[str]]] = {}
    for form in ("message", "both"):
        rules = EmulatorRules(error_bodies=form)
        async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
            of_list = [await api.get("/sessions", (name, "x")) for name in ("limit", "wrong")]
            answers = [*of_list, await api.get("/sessions/session_x")]
            emulator.faults = (Fault(action=Throttle()),)
            bodies[form] = [set(answer.json) for answer in (*answers, await api.get("/sessions"))]
            emulator.faults = ()
            assert (await api.get("/nowhere")).json is None
            assert [answer.status for answer in answers] == [400, 400, 404]
            if form == "both":
                assert answers[0].json["error"] == "Bad Request"
    assert bodies == {"message": [{"message"}] * 4, "both": [{"error", "message"}] * 4}


async def test_without_a_key_both_words_are_said_whatever_the_rules() -> None:
    """The refusal of a key keeps its own `error`."""
    rules = EmulatorRules(error_bodies="both")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator, api_key="wrong") as api:
        assert (await api.get("/sessions")).json == {
            "error": "Unauthorized",
            "message": "Invalid or missing API key",
        }


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("json", b'{"message":"Too many requests"}'),
        ("page", b"<h1>429 Too Many Requests</h1>"),
        ("empty", b""),
    ],
)
async def test_a_429_says_what_the_rules_want(form: str, expected: bytes) -> None:
    """The rate limit and a fault that throttles answer with the same body."""
    rules = EmulatorRules(rate_limit_body=form)  # type: ignore[arg-type]  # one of the three
    emulator = GalteaEmulator(rules=rules, rate_limit=(1, 60.0), faults=[Fault(action=Throttle(3), nth=1)])
    async with emulator, connected(emulator) as api:
        answers = [await api.get("/sessions"), await api.get("/sessions")]
        assert [(answer.status, expected in answer.content) for answer in answers] == [(429, True)] * 2
        assert {answer.content == b"" for answer in answers} == {form == "empty"}
        assert answers[0].headers["Retry-After"] == "3"


@pytest.mark.parametrize("told", [True, False])
async def test_a_429_says_how_long_to_wait_if_the_rules_want_it(*, told: bool) -> None:
    """Without the header a client has to find out by itself."""
    emulator = GalteaEmulator(rules=EmulatorRules(retry_after=told), rate_limit=(1, 60.0))
    async with emulator, connected(emulator) as api:
        assert (await api.get("/sessions")).status == 200
        refused = await api.get("/sessions")
        assert (refused.status, "Retry-After" in refused.headers) == (429, told)


@pytest.mark.parametrize(("is_null", "of_the_rest"), [(True, None), (False, False)])
async def test_can_retry_is_null_or_false_where_there_is_nothing_to_retry(
    *, is_null: bool, of_the_rest: bool | None
) -> None:
    """What has ended FAILED says `true` all the same, and the filter finds it."""
    rules = EmulatorRules(null_can_retry=is_null, failed_share=0.5, skipped_share=0.0)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=10)
        await api.post("/evaluations/fromSessions", {"versionId": version_id})
        assert {row["canRetry"] for row in (await api.get("/evaluations")).json} == {of_the_rest}
        await asyncio.sleep(60)
        rows = (await api.get("/evaluations")).json
        by_status = {(row["status"], row["canRetry"]) for row in rows}
        assert by_status == {("FAILED", True), ("SUCCESS", of_the_rest)}
        failed = {row["id"] for row in rows if row["status"] == "FAILED"}
        assert set((await api.get("/evaluations", ("canRetry", "true"))).ids) == failed


@pytest.mark.parametrize(
    ("scope", "of_linked", "of_free", "of_linked_narrowed", "of_free_narrowed"),
    [
        ("session", {"first", "second"}, {"first", "second", "other"}, {"second"}, {"second", "other"}),
        ("origin", {"first"}, {"first", "second", "other"}, set[str](), {"second", "other"}),
        ("strict", {"first"}, set[str](), set[str](), set[str]()),
        ("request", {"first", "second", "other"}, {"first", "second", "other"}, *[{"second", "other"}] * 2),
    ],
)
async def test_metrics_follow_from_the_specifications_that_the_rules_name(
    scope: Scope,
    of_linked: set[str],
    of_free: set[str],
    of_linked_narrowed: set[str],
    of_free_narrowed: set[str],
) -> None:
    """A session whose dataset has two specifications and one without a dataset, with and without a choice."""
    rules = EmulatorRules(specification_scope=scope)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        version_id = await emulator.add_version(product_id)
        case_id = await emulator.add_test_case("test_a")
        names: dict[str, str] = {}
        specifications: dict[str, str] = {}
        for name, tests in (("first", ["test_a"]), ("second", ["test_a"]), ("other", [])):
            metric_id = await emulator.add_metric(product_id, name=name)
            names[metric_id] = name
            specifications[name] = await emulator.add_specification(
                product_id, metric_ids=[metric_id], test_ids=tests
            )
        linked = (await api.post("/sessions", {"versionId": version_id, "testCaseId": case_id})).json["id"]
        [free] = await emulator.add_sessions(version_id, 1)

        async def metrics(session_id: str, **body: object) -> set[str]:
            before = {row["id"] for row in await emulator.evaluations(session_ids=[session_id])}
            assert (await api.evaluate([session_id], **body)).status == 200
            rows = await emulator.evaluations(session_ids=[session_id])
            return {names[str(row["metricId"])] for row in rows if row["id"] not in before}

        assert (await metrics(linked), await metrics(free)) == (of_linked, of_free)
        chosen = [specifications["second"], specifications["other"]]
        narrowed = [await metrics(one, specificationIds=chosen) for one in (linked, free)]
        assert narrowed == [of_linked_narrowed, of_free_narrowed]


@pytest.mark.parametrize("shown", [True, False])
async def test_a_run_of_the_platform_shows_what_it_was_resolved_to_if_the_rules_want_it(
    *, shown: bool
) -> None:
    """Its sessions and its metrics; a run of the caller's own shows nothing."""
    rules = EmulatorRules(run_inputs=shown)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=2)
        await api.post("/evaluations/fromSessions", {"versionId": version_id})
        own = await new_run(api, version_id)
        by_opener = {row["openedBy"]: row["resolvedInputs"] for row in (await api.get("/runs")).json}
        metric_ids = {str(row["metricId"]) for row in await emulator.evaluations(version_id=version_id)}
        assert by_opener["CALLER"] is (await api.get(f"/runs/{own}")).json["resolvedInputs"] is None
        if shown:
            inputs = by_opener["LAUNCH"]
            assert set(inputs["sessionIds"]) == set(await emulator.session_ids(version_id))
            assert set(inputs["metricIds"]) == metric_ids
        else:
            assert by_opener["LAUNCH"] is None


async def test_one_session_and_one_turn_are_evaluated_without_a_word_about_the_rows() -> None:
    """As by very old services: 202, no body, and the rows are in the list."""
    rules = EmulatorRules(rows_in_answer=False)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1, turns=1)
        [session_id] = await emulator.session_ids(version_id)
        [turn_id] = (await api.get("/inferenceResults")).ids
        metrics = [{"id": await emulator.add_metric()}]
        answers = [
            await api.post("/evaluations/fromSession", {"sessionId": session_id, "metrics": metrics}),
            await api.post(
                "/evaluations/fromInferenceResult", {"inferenceResultId": turn_id, "metrics": metrics}
            ),
            await api.post(
                "/evaluations/singleTurn",
                {"versionId": version_id, "input": "a", "actualOutput": "b", "metrics": metrics},
            ),
        ]
        assert [(answer.status, answer.content) for answer in answers] == [(202, b"")] * 3
        assert len(await emulator.evaluations()) == 3
        described = (await api.get("/openapi.json")).json["paths"]["/evaluations/fromSession"]["post"]
        assert "content" not in described["responses"]["202"]


async def test_a_batch_takes_no_run_of_its_caller() -> None:
    """A `runId` is refused, and nothing is done."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=2)
        run_id = await new_run(api, version_id)
        body = {"versionId": version_id, "runId": run_id}
        refused = await api.post("/evaluations/fromSessions", body)
        assert (refused.status, "runId is not accepted" in refused.message) == (400, True)
        assert await emulator.evaluations() == []


async def test_a_batch_belongs_to_the_run_of_its_caller_as_it_once_did() -> None:
    """No other run is opened, and the caller's goes on until the caller closes it."""
    rules = EmulatorRules(batch_run_id="accept", run_ids_in_answer=True)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=2)
        run_id = await new_run(api, version_id)
        body = {"versionId": version_id, "runId": run_id}
        answer = (await api.post("/evaluations/fromSessions", body)).json
        assert (answer["sessionsEvaluated"], answer["runIds"]) == (2, [run_id])
        assert {row["runId"] for row in await emulator.evaluations()} == {run_id}
        await asyncio.sleep(60)
        [run] = (await api.get("/runs")).json
        assert (run["id"], run["status"], run["sessionCount"]) == (run_id, "RUNNING", 2)
        await api.post(f"/runs/{run_id}/close")
        ended = await api.post("/evaluations/fromSessions", body)
        assert (ended.status, ended.message) == (400, f"Run {run_id} has ended")
        assert len(await emulator.evaluations()) == answer["evaluationsCreated"]


async def test_a_batch_does_not_look_at_a_field_that_it_does_not_know() -> None:
    """A `runId` that is ignored need not exist: the batch opens a run of its own."""
    rules = EmulatorRules(batch_run_id="ignore")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1)
        body = {"versionId": version_id, "runId": "run_x"}
        assert (await api.post("/evaluations/fromSessions", body)).json["sessionsEvaluated"] == 1
        [run] = (await api.get("/runs")).json
        assert {row["runId"] for row in await emulator.evaluations()} == {run["id"]}


async def test_skipped_sessions_leave_no_trace_if_the_message_does_not_count_them() -> None:
    """They are neither evaluated, nor failed, nor mentioned."""
    messages: dict[bool, str] = {}
    for counted in (True, False):
        rules = EmulatorRules(skips_in_message=counted)
        async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
            version_id = await emulator.add_version(sessions=3)
            await emulator.skip((await emulator.session_ids(version_id))[:1])
            answer = (await api.post("/evaluations/fromSessions", {"versionId": version_id})).json
            assert (answer["sessionsEvaluated"], answer["sessionsFailed"], answer["failures"]) == (2, 0, [])
            messages[counted] = answer["message"]
    sentence = " Skipped 1 sessions: 1 not applicable."
    assert messages == {True: f"{messages[False]}{sentence}", False: messages[True].removesuffix(sentence)}


async def test_an_evaluation_costs_what_the_rules_say() -> None:
    """Credits for four at three each: four are judged, the fifth is skipped and can be retried."""
    rules = EmulatorRules(credits_per_evaluation=3, failed_share=0.0, skipped_share=0.0)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=5)
        await emulator.set_credits(14)
        session_ids = await emulator.session_ids(version_id)
        await api.evaluate(session_ids, metrics=[{"id": await emulator.add_metric()}])
        await asyncio.sleep(60)
        rows = await emulator.evaluations()
        paid = [row["creditsUsed"] for row in rows if row["status"] == "SUCCESS"]
        unpaid = [row["canRetry"] for row in rows if row["status"] == "SKIPPED"]
        assert (paid, unpaid) == ([3] * 4, [True])


@pytest.mark.parametrize("status", [400, 404])
async def test_an_unknown_metric_has_the_status_that_the_rules_name(status: Literal[400, 404]) -> None:
    """In a batch and for one session, by id and by name; nothing is evaluated."""
    rules = EmulatorRules(unknown_metric_status=status)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        [session_id] = await emulator.session_ids(await emulator.add_version(sessions=1))
        for metric in ({"id": "metric_x"}, {"name": "metric_x"}):
            of_batch = await api.evaluate([session_id], metrics=[metric])
            of_one = await api.post(
                "/evaluations/fromSession", {"sessionId": session_id, "metrics": [metric]}
            )
            for refused in (of_batch, of_one):
                assert (refused.status, refused.message) == (status, "Metrics not found: metric_x")
        assert await emulator.evaluations() == []
