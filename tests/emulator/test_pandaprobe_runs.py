"""PandaProbe's runs: what they take, how they go on, fail, start again, get stuck, and end."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from emulator.pandaprobe_api import BATCH, RELIABILITY, RUNS, batch, connected

from galtea_async.emulator import Disconnect, Fault, PandaProbeEmulator, PandaProbeRules

if TYPE_CHECKING:
    from emulator.api import Api

CONSISTENCY = "agent_consistency"
KEYS = {
    "id",
    "name",
    "status",
    "metric_names",
    "total_targets",
    "evaluated_count",
    "failed_count",
    "created_at",
    "completed_at",
    "project_id",
    "target_type",
    "filters",
    "sampling_rate",
    "model",
    "monitor_id",
    "error_message",
}


async def seen(api: Api, run_id: str) -> dict[str, Any]:
    """A run as it is now."""
    answer = await api.get(f"{RUNS}/{run_id}")
    assert answer.status == 200
    return dict(answer.json)


async def test_a_run_shows_all_its_fields() -> None:
    """A new run is PENDING, has all 16 keys, and keeps the first of repeated ids in their order."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        created = await batch(
            api, ["b", "a", "b"], name=" my run\n", metrics=[RELIABILITY] * 2, signal_weights={"x": 1.5}
        )
        assert await seen(api, created.json["id"]) == created.json
    run = created.json
    assert created.status == 202
    assert set(run) == KEYS
    assert (run["status"], run["evaluated_count"], run["failed_count"]) == ("PENDING", 0, 0)
    assert run["filters"] == {"session_ids": ["b", "a"], "signal_weights": {"x": 1.5}}
    assert (run["total_targets"], run["metric_names"]) == (2, [RELIABILITY] * 2)
    assert (run["name"], run["target_type"], run["sampling_rate"]) == (" my run\n", "SESSION", 1.0)
    assert run["model"]
    assert (run["completed_at"], run["monitor_id"], run["error_message"]) == (None, None, None)
    assert datetime.fromisoformat(run["created_at"]).utcoffset() == timedelta(0)
    assert run["created_at"].endswith("+00:00")


async def test_an_older_service_counts_under_another_name() -> None:
    """As a switch, a run has `total_traces` in place of `total_targets`."""
    async with (
        PandaProbeEmulator(rules=PandaProbeRules(count_field="total_traces")) as emulator,
        connected(emulator) as api,
    ):
        run = (await batch(api, ["a", "b"])).json
        listed = (await api.get(RUNS)).json["items"][0]
    assert set(run) == set(listed) == KEYS - {"total_targets"} | {"total_traces"}
    assert run["total_traces"] == 2


async def test_all_ids_are_in_every_answer() -> None:
    """The whole list of ids comes back from creating, getting and listing."""
    ids = [f"session {number}" for number in range(500)]
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        created = (await batch(api, ids)).json
        got = await seen(api, created["id"])
        listed = (await api.get(RUNS)).json["items"][0]
    assert [run["filters"]["session_ids"] for run in (created, got, listed)] == [ids] * 3


async def test_nothing_makes_a_request_idempotent() -> None:
    """Equal requests with equal names, keys and request ids make two runs, both booked."""
    headers = {"Idempotency-Key": "k", "X-Request-ID": "r"}
    body = {"session_ids": ["a"], "metrics": [RELIABILITY], "name": "n", "unheard_of": 1}
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        answers = [await api.send("POST", BATCH, json=body, headers=headers) for _ in range(2)]
        assert await emulator.units() == 2
    assert answers[0].json["id"] != answers[1].json["id"]


async def test_unknown_metrics_are_all_named() -> None:
    """A metric that is none gives the first kind of 422, which names each of them."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        refused = await batch(api, ["a"], metrics=["one", RELIABILITY, "two"])
        assert await emulator.runs() == []
    assert (refused.status, list(refused.json)) == (422, ["detail"])
    assert re.search("one.*two", refused.json["detail"])
    assert RELIABILITY not in refused.json["detail"]


async def test_a_bound_on_ids_can_be_set() -> None:
    """As a switch, more ids than allowed are refused as a body of the wrong form."""
    rules = PandaProbeRules(most_session_ids=2)
    async with PandaProbeEmulator(rules=rules) as emulator, connected(emulator) as api:
        assert (await batch(api, ["a", "b"])).status == 202
        assert (await batch(api, ["a", "b", "c"])).json["errors"][0]["field"] == "session_ids"


async def test_a_run_goes_from_session_to_session() -> None:
    """PENDING, RUNNING with rising counts and scores, all counted while still RUNNING, COMPLETED."""
    rules = PandaProbeRules(pick_up=1.0, seconds_per_session=1.0, closing=0.5)
    async with PandaProbeEmulator(rules=rules) as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(2)
        run_id = (await batch(api, session_ids)).json["id"]
        states: list[tuple[object, ...]] = []
        for pause in (0.5, 1.0, 1.0, 0.7, 1.0):
            await asyncio.sleep(pause)
            run = await seen(api, run_id)
            scores = (await api.get(f"{RUNS}/{run_id}/scores")).json
            states.append((run["status"], run["evaluated_count"], len(scores), run["completed_at"] is None))
    assert states == [
        ("PENDING", 0, 0, True),
        ("RUNNING", 0, 0, True),
        ("RUNNING", 1, 1, True),
        ("RUNNING", 2, 2, True),
        ("COMPLETED", 2, 2, False),
    ]


async def test_runs_wait_for_a_worker() -> None:
    """With one worker the second run starts when the first has ended."""
    rules = PandaProbeRules(workers=1, pick_up=0.0, seconds_per_session=1.0, closing=0.0)
    async with PandaProbeEmulator(rules=rules) as emulator, connected(emulator) as api:
        first, second = [(await batch(api, ["a", "b"])).json["id"] for _ in range(2)]
        await asyncio.sleep(1.5)
        assert ((await seen(api, first))["status"], (await seen(api, second))["status"]) == (
            "RUNNING",
            "PENDING",
        )
        await asyncio.sleep(1.0)
        assert ((await seen(api, first))["status"], (await seen(api, second))["status"]) == (
            "COMPLETED",
            "RUNNING",
        )


async def test_unknown_sessions_are_accepted_booked_and_counted() -> None:
    """An id without traces is processed silently: it counts, nothing fails, and there is no score."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        (known,) = await emulator.add_sessions(1)
        run_id = (await batch(api, ["unheard of", known])).json["id"]
        await asyncio.sleep(3)
        run = await seen(api, run_id)
        scores = (await api.get(f"{RUNS}/{run_id}/scores")).json
        assert await emulator.units() == 2
    assert (run["status"], run["evaluated_count"], run["failed_count"]) == ("COMPLETED", 2, 0)
    assert [score["session_id"] for score in scores] == [known]


async def test_a_failed_run_starts_again_with_counters_at_zero() -> None:
    """FAILED with an error, 10 s later RUNNING from zero without its scores, then COMPLETED with new ones."""
    rules = PandaProbeRules(pick_up=0.0, seconds_per_session=1.0, closing=0.0)
    async with PandaProbeEmulator(rules=rules) as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(4)
        await emulator.fail_next_run()
        run_id = (await batch(api, session_ids)).json["id"]
        await asyncio.sleep(2.5)
        failed = await seen(api, run_id)
        first_scores = {score["id"] for score in await emulator.scores(run_id=run_id)}
        await asyncio.sleep(10)
        restarted = await seen(api, run_id)
        assert await emulator.scores(run_id=run_id) == []
        await asyncio.sleep(4)
        completed = await seen(api, run_id)
        scores = {score["id"] for score in await emulator.scores(run_id=run_id)}
    assert (failed["status"], failed["evaluated_count"], len(first_scores)) == ("FAILED", 2, 2)
    assert failed["error_message"]
    assert failed["completed_at"]
    assert (restarted["status"], restarted["evaluated_count"]) == ("RUNNING", 0)
    assert (restarted["error_message"], restarted["completed_at"]) == (None, None)
    assert (completed["status"], completed["evaluated_count"], len(scores)) == ("COMPLETED", 4, 4)
    assert not scores & first_scores


async def test_the_third_failure_is_final() -> None:
    """A run is tried three times in all, and stays FAILED then."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        await emulator.fail_next_run(failures=3)
        run_id = (await batch(api, ["a", "b"])).json["id"]
        history: list[str] = []
        for _ in range(600):
            status = (await emulator.runs())[0]["status"]
            if history[-1:] != [status]:
                history.append(str(status))
            await asyncio.sleep(0.05)
        await asyncio.sleep(3600)
        assert (await seen(api, run_id))["status"] == "FAILED"
    assert history == ["PENDING", *["RUNNING", "FAILED"] * 3]


@pytest.mark.parametrize(("status", "count"), [("PENDING", 0), ("RUNNING", 5)])
async def test_a_stuck_run_makes_no_progress_and_cannot_be_retried(status: Any, count: int) -> None:
    """A run can stay PENDING or RUNNING for ever; it can only be deleted."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        await emulator.strand_next_run(status)
        run_id = (await batch(api, [f"s{number}" for number in range(10)])).json["id"]
        await asyncio.sleep(86_400)
        run = await seen(api, run_id)
        assert (run["status"], run["evaluated_count"]) == (status, count)
        assert (await api.post(f"{RUNS}/{run_id}/retry")).status == 422
        assert (await api.delete(f"{RUNS}/{run_id}")).status == 204


async def test_a_500_may_leave_an_orphan() -> None:
    """The run of a request that was answered with 500 is listed under its name, PENDING for ever."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        await emulator.orphan_next_run()
        broken = await batch(api, ["a"], name="token")
        await asyncio.sleep(3600)
        (orphan,) = (await api.get(RUNS)).json["items"]
        assert (await batch(api, ["a"])).status == 202
        assert await emulator.run_counts() == {"a": 2}
    assert (broken.status, broken.content) == (500, b"Internal Server Error")
    assert (orphan["name"], orphan["status"]) == ("token", "PENDING")


async def test_a_500_may_hide_a_success() -> None:
    """The work of a request that was answered with 500 can be done all the same."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(2)
        await emulator.lose_next_answer()
        assert (await batch(api, session_ids)).status == 500
        await asyncio.sleep(3)
        (run,) = await emulator.runs()
        assert len(await emulator.scores(session_ids=session_ids)) == 2
    assert run["status"] == "COMPLETED"


async def test_faults_work_as_they_do_on_the_other_service() -> None:
    """A connection that is cut after the work leaves the run; one that is cut before leaves none."""
    route = "POST /evaluations/session-runs/batch"
    faults = [
        Fault(route=route, when="before", action=Disconnect(), nth=1),
        Fault(route=route, when="after", action=Disconnect(), nth=2),
    ]
    async with PandaProbeEmulator(faults=faults) as emulator, connected(emulator) as api:
        for expected in (0, 1):
            with pytest.raises(aiohttp.ClientError):
                await batch(api, ["a"])
            assert len(await emulator.runs()) == expected


async def test_runs_are_listed_newest_first_and_by_nothing_but_status() -> None:
    """Pages count all; unknown parameters are ignored; an offset past the end is an empty page."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        for name in ("one", "two", "three"):
            await batch(api, ["a"], name=name)
            await asyncio.sleep(1)
        await emulator.strand_next_run("PENDING")
        await batch(api, ["a"], name="four")
        page = (await api.get(f"{RUNS}?limit=2&offset=1&name=one")).json
        pending = (await api.get(f"{RUNS}?status=PENDING")).json
        beyond = (await api.get(f"{RUNS}?offset=99")).json
    assert [run["name"] for run in page["items"]] == ["three", "two"]
    assert (page["total"], page["limit"], page["offset"]) == (4, 2, 1)
    assert [run["name"] for run in pending["items"]] == ["four"]
    assert (beyond["items"], beyond["total"]) == ([], 4)


async def test_a_run_by_filters_keeps_the_filters() -> None:
    """The ids that the filters let through are counted and not listed; no match is a 422."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        await emulator.add_sessions(3, traces=2)
        await emulator.add_sessions(2)
        body = {"metrics": [RELIABILITY], "filters": {"min_trace_count": 2}}
        run = (await api.post(RUNS, body)).json
        half = (await api.post(RUNS, {"metrics": [RELIABILITY], "sampling_rate": 0.4})).json
        none = await api.post(RUNS, {"metrics": [RELIABILITY], "filters": {"user_id": "nobody"}})
        await asyncio.sleep(3)
        assert len(await emulator.scores(run_id=run["id"])) == 3
    assert (run["total_targets"], run["filters"]) == (3, {"min_trace_count": 2})
    assert (half["total_targets"], half["sampling_rate"]) == (2, 0.4)
    assert (none.status, list(none.json)) == (422, ["detail"])


async def test_a_retry_is_a_new_run_over_what_failed() -> None:
    """It names the old run, takes the union of failed sessions and metrics, and can be asked for twice."""
    rules = PandaProbeRules(failed_share=0.5)
    async with PandaProbeEmulator(rules=rules, seed=3) as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(20)
        old = (await batch(api, session_ids, name="mine")).json
        await asyncio.sleep(3)
        failed = [score for score in await emulator.scores(run_id=old["id"]) if score["status"] == "FAILED"]
        retried = [await api.post(f"{RUNS}/{old['id']}/retry") for _ in range(2)]
        assert (await seen(api, old["id"]))["failed_count"] == len(failed)
        assert await emulator.units() == 20 + 2 * len(failed)
    assert 0 < len(failed) < 20
    assert all(score["value"] is None and score["reason"] for score in failed)
    assert [answer.status for answer in retried] == [202, 202]
    assert retried[0].json["id"] != retried[1].json["id"]
    assert retried[0].json["name"] == "Retry: mine"
    assert retried[0].json["filters"]["retry_of"] == old["id"]
    assert set(retried[0].json["filters"]["session_ids"]) == {score["session_id"] for score in failed}


async def test_what_cannot_be_retried() -> None:
    """Nothing failed is 422, an unknown run 404, a name without room for the prefix breaks the service."""
    rules = PandaProbeRules(failed_share=1.0)
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        run_id = (await batch(api, ["a"])).json["id"]
        assert (await api.post(f"{RUNS}/{run_id}/retry")).status == 422
        assert (await api.post(f"{RUNS}/{emulator.project_id}/retry")).status == 404
    async with PandaProbeEmulator(rules=rules) as emulator, connected(emulator) as api:
        long = (await batch(api, await emulator.add_sessions(1), name="n" * 249)).json["id"]
        await asyncio.sleep(3)
        assert (await api.post(f"{RUNS}/{long}/retry")).status == 500


@pytest.mark.parametrize(("query", "left"), [("", 2), ("?delete_scores=true", 0)])
async def test_deleting_a_run_keeps_its_scores_unless_told_otherwise(query: str, left: int) -> None:
    """Scores stay without their run; the run is gone, a second time is 404, and nothing is given back."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(2)
        run_id = (await batch(api, session_ids)).json["id"]
        await asyncio.sleep(3)
        deleted = await api.delete(f"{RUNS}/{run_id}{query}")
        assert (deleted.status, deleted.content) == (204, b"")
        assert (await api.get(f"{RUNS}/{run_id}")).status == 404
        assert (await api.delete(f"{RUNS}/{run_id}")).status == 404
        scores = await emulator.scores()
        assert await emulator.units() == 2
    assert [score["eval_run_id"] for score in scores] == [None] * left


async def test_deleting_a_running_run_ends_its_scores() -> None:
    """A run can be deleted while it is RUNNING; no score comes afterwards."""
    rules = PandaProbeRules(pick_up=0.0, seconds_per_session=1.0)
    async with PandaProbeEmulator(rules=rules) as emulator, connected(emulator) as api:
        run_id = (await batch(api, await emulator.add_sessions(10))).json["id"]
        await asyncio.sleep(3.5)
        assert (await api.delete(f"{RUNS}/{run_id}")).status == 204
        await asyncio.sleep(60)
        assert len(await emulator.scores()) == 3


async def test_a_run_answers_at_the_address_of_trace_runs_too() -> None:
    """The same id is found under `/evaluations/trace-runs`."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        run = (await batch(api, ["a"])).json
        assert (await api.get(f"/evaluations/trace-runs/{run['id']}")).json == run


async def test_a_file_keeps_everything(tmp_path: Any) -> None:
    """With a file, runs go on where they were when the emulator starts again, and ids stay unique."""
    path = str(tmp_path / "panda.db")
    async with PandaProbeEmulator(path=path) as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(2)
        first = (await batch(api, session_ids)).json["id"]
        project_id = emulator.project_id
    async with PandaProbeEmulator(path=path) as emulator, connected(emulator) as api:
        assert emulator.project_id == project_id
        assert await emulator.session_ids() == session_ids
        second = (await batch(api, session_ids)).json["id"]
        assert [run["id"] for run in await emulator.runs()] == [first, second]
