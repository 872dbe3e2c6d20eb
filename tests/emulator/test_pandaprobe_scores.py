"""PandaProbe's scores, metrics, sessions and traces."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from emulator.pandaprobe_api import RELIABILITY, RUNS, batch, connected

from galtea_async.emulator import PandaProbeEmulator, PandaProbeRules

CONSISTENCY = "agent_consistency"
SCORES = "/evaluations/session-scores"
NOBODY = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


async def test_a_score_is_a_decimal_string() -> None:
    """A score has all its fields; the value is text with at most four decimals."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        (session_id,) = await emulator.add_sessions(1, traces=3)
        run_id = (await batch(api, [session_id])).json["id"]
        await asyncio.sleep(3)
        (score,) = (await api.get(f"{RUNS}/{run_id}/scores")).json
    assert re.fullmatch(r"[01]\.\d{1,4}", score["value"])
    assert (score["session_id"], score["eval_run_id"], score["name"]) == (session_id, run_id, RELIABILITY)
    assert (score["status"], score["source"], score["data_type"]) == ("SUCCESS", "AUTOMATED", "NUMERIC")
    assert (score["reason"], score["author_user_id"]) == (None, None)
    assert score["metadata"]["traces_evaluated"] == 3
    assert len(score["metadata"]["per_trace_signals"]) == 3
    assert score["created_at"] == score["updated_at"]


async def test_a_metric_that_is_named_twice_is_scored_twice() -> None:
    """Repeated metrics make two rows with ids of their own."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        session_ids = await emulator.add_sessions(1)
        await batch(api, session_ids, metrics=[RELIABILITY, RELIABILITY])
        await asyncio.sleep(3)
        assert len({score["id"] for score in await emulator.scores()}) == 2


async def test_the_same_seed_gives_the_same_scores() -> None:
    """Values follow from the seed, the session and the metric."""

    async def values(seed: int) -> list[object]:
        async with PandaProbeEmulator(seed=seed) as emulator, connected(emulator) as api:
            await batch(api, await emulator.add_sessions(5))
            await asyncio.sleep(3)
            return [score["value"] for score in await emulator.scores()]

    assert await values(1) == await values(1) != await values(2)


async def test_an_outage_of_the_judges_looks_like_success() -> None:
    """Without a language model each score is a success of 1.0 with nothing in its metadata."""
    async with (
        PandaProbeEmulator(rules=PandaProbeRules(judges="are_down")) as emulator,
        connected(emulator) as api,
    ):
        await batch(api, await emulator.add_sessions(1))
        await asyncio.sleep(3)
        (score,) = await emulator.scores()
    assert (score["status"], score["value"], score["metadata"]) == ("SUCCESS", "1.0", {})


async def test_scores_of_an_unknown_run_or_session_are_none() -> None:
    """Neither is an error."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        for path in (f"{RUNS}/{NOBODY}/scores", f"{SCORES}/nobody"):
            answer = await api.get(path)
            assert (answer.status, answer.json) == (200, [])


async def test_scores_are_listed_by_filters_that_exist() -> None:
    """Session, metric, run, status, source and time select; `metric_name` is ignored."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        first, second = await emulator.add_sessions(2)
        run_id = (await batch(api, [first, second], metrics=[RELIABILITY, CONSISTENCY])).json["id"]
        await asyncio.sleep(3)
        await batch(api, [first])
        await asyncio.sleep(3)
        day_later = (emulator.now() + timedelta(days=1)).date().isoformat()

        async def total(query: str) -> int:
            return int((await api.get(f"{SCORES}?{query}")).json["total"])

        assert await total("limit=1") == 5
        assert await total(f"session_id={first}") == 3
        assert await total(f"name={CONSISTENCY}") == 2
        assert await total(f"metric_name={CONSISTENCY}") == 5
        assert await total(f"eval_run_id={run_id}") == 4
        assert await total("status=FAILED") == 0
        assert await total("source=ANNOTATION") == 0
        assert await total(f"date_from={day_later}") == 0
        assert await total(f"date_to={day_later}") == 5
        assert len((await api.get(f"{SCORES}/{first}")).json) == 3


async def test_a_score_can_be_deleted_again_and_again() -> None:
    """Deleting is a 204, also of what is gone."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        await batch(api, await emulator.add_sessions(1))
        await asyncio.sleep(3)
        (score,) = await emulator.scores()
        for _ in range(2):
            assert (await api.delete(f"{SCORES}/{score['id']}")).status == 204
        assert await emulator.scores() == []


async def test_the_metrics_of_sessions_are_listed() -> None:
    """Two metrics, each with name, description and category."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        metrics = (await api.get("/evaluations/session-metrics")).json
    assert [metric["name"] for metric in metrics] == [RELIABILITY, CONSISTENCY]
    assert all(metric.keys() == {"name", "description", "category"} for metric in metrics)


async def test_a_session_comes_with_its_first_trace() -> None:
    """A trace is accepted at once and seen a moment later, as a session of its own."""
    trace = {
        "name": "turn",
        "started_at": "2026-01-02T03:04:05Z",
        "ended_at": "2026-01-02T03:04:07Z",
        "session_id": "mine",
        "user_id": "ada",
        "tags": ["b", "a"],
        "input": {"text": "Hello"},
        "status": "ERROR",
    }
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        accepted = await api.post("/traces", trace)
        unseen = await api.get("/sessions/mine")
        await asyncio.sleep(1)
        session = (await api.get("/sessions/mine")).json
        assert await emulator.session_ids() == ["mine"]
    assert (accepted.status, accepted.json.keys()) == (202, {"trace_id", "task_id"})
    assert (unseen.status, list(unseen.json)) == (404, ["detail"])
    (stored,) = session.pop("traces")
    assert (stored["trace_id"], stored["input"], stored["output"]) == (
        accepted.json["trace_id"],
        {"text": "Hello"},
        None,
    )
    assert session == {
        "session_id": "mine",
        "trace_count": 1,
        "first_trace_at": "2026-01-02T03:04:05+00:00",
        "last_trace_at": "2026-01-02T03:04:05+00:00",
        "total_latency_ms": 2000.0,
        "has_error": True,
        "user_id": "ada",
        "tags": ["a", "b"],
        "total_span_count": 0,
        "total_tokens": 0,
        "total_cost": 0.0,
    }


async def test_a_trace_with_a_known_id_takes_its_place() -> None:
    """A client that makes the ids of its traces can send one twice."""
    trace = {"name": "turn", "started_at": "2026-01-02", "session_id": "mine", "trace_id": NOBODY}
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        for _ in range(2):
            assert (await api.post("/traces", trace)).json["trace_id"] == NOBODY
        await asyncio.sleep(1)
        assert (await api.get("/sessions/mine")).json["trace_count"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"session_id": "s" * 256}, "session_id"),
        ({"started_at": "soon"}, "started_at"),
        ({"trace_id": "no uuid"}, "trace_id"),
        ({"status": "FINE"}, "status"),
    ],
)
async def test_a_trace_of_the_wrong_form_is_refused(change: dict[str, Any], field: str) -> None:
    """The field that is wrong is named, and nothing is stored."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        refused = await api.post("/traces", {"name": "turn", "started_at": "2026-01-02", **change})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, field)


async def test_sessions_are_listed_in_pages() -> None:
    """Filters, order and paging of `GET /sessions`; wildcards in a query are plain characters."""
    async with PandaProbeEmulator() as emulator, connected(emulator) as api:
        for number, session_id in enumerate(("one", "two", "th%ee")):
            for _ in range(number + 1):
                trace = {"name": "t", "started_at": f"2026-01-0{number + 1}", "session_id": session_id}
                user = {"user_id": "ada"} if number == 0 else {"tags": ["x"]}
                assert (await api.post("/traces", {**trace, **user})).status == 202
        await asyncio.sleep(1)

        async def ids(query: str) -> list[str]:
            return [session["session_id"] for session in (await api.get(f"/sessions?{query}")).json["items"]]

        assert await ids("") == ["th%ee", "two", "one"]
        assert await ids("sort_by=trace_count&sort_order=asc") == ["one", "two", "th%ee"]
        assert await ids("limit=1&offset=1") == ["two"]
        assert await ids("query=%25") == ["th%ee"]
        assert await ids("user_id=ada") == ["one"]
        assert await ids("tags=x&tags=y") == ["th%ee", "two"]
        assert await ids("has_error=true") == []
        assert await ids("started_after=2026-01-02&started_before=2026-01-02") == ["two"]


async def test_a_session_without_traces_cannot_be_added() -> None:
    """A session is its traces, so the emulator refuses to make one without."""
    async with PandaProbeEmulator() as emulator:
        with pytest.raises(ValueError, match="at least one"):
            await emulator.add_sessions(1, traces=0)
