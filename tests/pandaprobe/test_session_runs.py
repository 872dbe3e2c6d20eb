"""Session runs: what goes over the wire, what is refused before that, and what comes back."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandaprobe.world import RELIABILITY, RUN, open_world, run_object

from galtea_async import (
    AsyncPandaProbe,
    AuthenticationError,
    BadRequestError,
    InvalidRequestError,
    NotFoundError,
    PaymentRequiredError,
    SessionRunStatus,
    UnknownOutcomeError,
)
from galtea_async.emulator import Fault, PandaProbeRules, Reset
from support.raw_server import RawServer, json_answer

KEY = "sk_pp_0123"
DAY = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
BATCH = "POST /evaluations/session-runs/batch"
Ask = Callable[[AsyncPandaProbe], Any]
Mistake = Callable[[Any], Any]
"""A call that a type checker would refuse as well."""


async def sent_by(ask: Ask, *, answer: object = None) -> tuple[str, str, object]:
    """What a call puts on the wire: method, target and body."""
    text = json.dumps(run_object() if answer is None else answer)
    async with (
        RawServer(json_answer(200, text)) as server,
        AsyncPandaProbe(KEY, project_name="support bot", base_url=server.url) as panda,
    ):
        await ask(panda)
    (request,) = server.requests
    assert request.header("x-api-key") == KEY
    assert request.header("x-project-name") == "support bot"
    return request.method, request.target, json.loads(request.body) if request.body else None


CALLS: list[tuple[Ask, str, str, object]] = [
    (
        lambda panda: panda.session_runs.create_batch(["s1"], metrics=["m1"]),
        "POST",
        "/evaluations/session-runs/batch",
        {"session_ids": ["s1"], "metrics": ["m1"]},
    ),
    (
        lambda panda: panda.session_runs.create_batch(
            iter(["s2", "s1", "s2"]),
            metrics=("m2", "m1"),
            name=" Größe\n",
            model="openai/gpt",
            signal_weights={"loops": 0.5},
        ),
        "POST",
        "/evaluations/session-runs/batch",
        {
            "session_ids": ["s2", "s1"],
            "metrics": ["m2", "m1"],
            "name": " Größe\n",
            "model": "openai/gpt",
            "signal_weights": {"loops": 0.5},
        },
    ),
    (
        lambda panda: panda.session_runs.create(metrics=["m1"]),
        "POST",
        "/evaluations/session-runs",
        {"metrics": ["m1"], "sampling_rate": 1.0},
    ),
    (
        lambda panda: panda.session_runs.create(
            metrics=["m1"],
            name="n",
            sampling_rate=0.25,
            date_from=DAY,
            date_to=DAY,
            user_id="u",
            has_error=False,
            tags=("a", "b"),
            min_trace_count=2,
        ),
        "POST",
        "/evaluations/session-runs",
        {
            "metrics": ["m1"],
            "name": "n",
            "sampling_rate": 0.25,
            "filters": {
                "date_from": "2026-01-05T00:00:00Z",
                "date_to": "2026-01-05T00:00:00Z",
                "user_id": "u",
                "has_error": False,
                "tags": ["a", "b"],
                "min_trace_count": 2,
            },
        },
    ),
    (lambda panda: panda.session_runs.get(RUN), "GET", f"/evaluations/session-runs/{RUN}", None),
    (
        lambda panda: panda.session_runs.retry(RUN),
        "POST",
        f"/evaluations/session-runs/{RUN}/retry",
        None,
    ),
    (lambda panda: panda.session_runs.delete(RUN), "DELETE", f"/evaluations/session-runs/{RUN}", None),
    (
        lambda panda: panda.session_runs.delete(RUN, delete_scores=True),
        "DELETE",
        f"/evaluations/session-runs/{RUN}?delete_scores=true",
        None,
    ),
]


@pytest.mark.parametrize(
    ("ask", "method", "target", "body"),
    CALLS,
)
async def test_what_is_sent(ask: Ask, method: str, target: str, body: object) -> None:
    """Each call is what the API's page says, and has no field that was not given."""
    assert await sent_by(ask) == (method, target, body)


LIST_CALLS: list[tuple[Ask, str]] = [
    (lambda panda: panda.session_runs.list(), "/evaluations/session-runs?limit=20"),
    (
        lambda panda: panda.session_runs.list(status=SessionRunStatus.FAILED, limit=200, offset=40),
        "/evaluations/session-runs?status=FAILED&limit=200&offset=40",
    ),
    (lambda panda: panda.session_runs.scores(RUN), f"/evaluations/session-runs/{RUN}/scores"),
    (lambda panda: panda.session_metrics.list(), "/evaluations/session-metrics"),
    (
        lambda panda: panda.session_scores.list(
            session_id="a/b c", name="m1", source="ANNOTATION", status="SUCCESS", eval_run_id=RUN
        ),
        (
            "/evaluations/session-scores?session_id=a%2Fb+c&name=m1&source=ANNOTATION&status=SUCCESS"
            f"&eval_run_id={RUN}&limit=200"
        ),
    ),
    (
        lambda panda: panda.session_scores.list(date_from=DAY, date_to=DAY, limit=1),
        (
            "/evaluations/session-scores?date_from=2026-01-05T00%3A00%3A00%2B00%3A00"
            "&date_to=2026-01-05T00%3A00%3A00%2B00%3A00&limit=1"
        ),
    ),
    (
        lambda panda: panda.session_scores.of_session("a b?"),
        "/evaluations/session-scores/a%20b%3F",
    ),
    (
        lambda panda: panda.sessions.list(
            tags=["a", "b"], query="x", has_error=True, user_id="u", started_after=DAY, sort_by="cost"
        ),
        (
            "/sessions?user_id=u&has_error=true&started_after=2026-01-05T00%3A00%3A00%2B00%3A00"
            "&tags=a&tags=b&query=x&sort_by=cost&limit=200"
        ),
    ),
]


@pytest.mark.parametrize(
    ("ask", "target"),
    LIST_CALLS,
)
async def test_what_lists_send(ask: Ask, target: str) -> None:
    """Filters go by the names that the service knows, and never by others, which it would ignore."""
    assert await sent_by(ask, answer=[]) == ("GET", target, None)


async def batch(panda: AsyncPandaProbe, **options: Any) -> None:
    """Ask for a run over a session."""
    chosen: dict[str, Any] = {"metrics": ["m1"], **options}
    await panda.session_runs.create_batch(["s1"], **chosen)


async def filtered(panda: AsyncPandaProbe, **options: Any) -> None:
    """Ask for a run over all sessions."""
    chosen: dict[str, Any] = {"metrics": ["m1"], **options}
    await panda.session_runs.create(**chosen)


@pytest.mark.parametrize("call", [batch, filtered])
@pytest.mark.parametrize(
    "options",
    [
        {"metrics": []},
        {"metrics": "m1"},
        {"metrics": None},
        {"metrics": ["m1", "m2", "m1"]},
        {"metrics": ["m1", ""]},
        {"metrics": ["m\0"]},
        {"metrics": ["m1", 1]},
        {"name": "x" * 249},
        {"name": "a\0b"},
        {"name": 5},
        {"name": "\ud800"},
        {"model": "x" * 256},
        {"model": "\0"},
        {"signal_weights": {"": 1.0}},
        {"signal_weights": {"loops": "1"}},
        {"signal_weights": {"loops": float("nan")}},
        {"signal_weights": {"loops": True}},
        {"signal_weights": ["loops"]},
    ],
)
async def test_runs_that_are_refused_before_they_are_sent(
    call: Callable[..., Any], options: dict[str, Any]
) -> None:
    """What the service would refuse, bill twice or break down over never leaves."""
    async with open_world() as world:
        with pytest.raises(InvalidRequestError):
            await call(world.panda, **options)
        assert world.emulator.requests == []


@pytest.mark.parametrize(
    "session_ids", [[], "s1", b"s1", None, 5, ["s1", ""], ["s1", " "], ["s1", "a\0b"], ["s1", 1], ["\ud800"]]
)
async def test_session_ids_that_are_refused_before_they_are_sent(session_ids: Any) -> None:
    """Nothing, one text in place of a list, and what is no id never leave."""
    async with open_world() as world:
        with pytest.raises(InvalidRequestError, match="session_ids"):
            await world.panda.session_runs.create_batch(session_ids, metrics=[RELIABILITY])
        assert world.emulator.requests == []


REFUSED: list[tuple[Mistake, str]] = [
    (lambda panda: panda.session_runs.create(metrics=["m"], sampling_rate=0), "sampling_rate"),
    (lambda panda: panda.session_runs.create(metrics=["m"], sampling_rate=1.1), "sampling_rate"),
    (lambda panda: panda.session_runs.create(metrics=["m"], min_trace_count=0), "min_trace_count"),
    (lambda panda: panda.session_runs.create(metrics=["m"], tags="a"), "tags"),
    (lambda panda: panda.session_runs.create(metrics=["m"], tags=[]), "tags"),
    (lambda panda: panda.session_runs.create(metrics=["m"], has_error="no"), "has_error"),
    (
        lambda panda: panda.session_runs.create(metrics=["m"], date_from=DAY.replace(tzinfo=None)),
        "date_from",
    ),
    (lambda panda: panda.session_scores.list(date_to=DAY.replace(tzinfo=None)), "date_to"),
    (lambda panda: panda.session_scores.list(date_to="2026-01-05"), "date_to"),
    (lambda panda: panda.session_scores.list(session_id="a\0"), "session_id"),
    (lambda panda: panda.session_scores.of_session("a/b"), "slash"),
    (lambda panda: panda.sessions.get("a/b"), "slash"),
    (lambda panda: panda.sessions.get(""), "session_id"),
    (lambda panda: panda.sessions.get("a\0"), "session_id"),
    (lambda panda: panda.sessions.get("a", limit=1_001), "limit"),
    (lambda panda: panda.sessions.get("a", offset=-1), "offset"),
    (lambda panda: panda.sessions.list(sort_by="age"), "sort_by"),
    (lambda panda: panda.sessions.list(sort_order="up"), "sort_order"),
    (lambda panda: panda.session_runs.list(limit=0), "limit"),
    (lambda panda: panda.session_runs.list(limit=201), "limit"),
    (lambda panda: panda.session_runs.list(limit=None), "limit"),
    (lambda panda: panda.session_runs.list(offset=2**63), "offset"),
    (lambda panda: panda.session_runs.list(offset=True), "offset"),
    (lambda panda: panda.session_runs.iterate(page_size=1), "page_size"),
    (lambda panda: panda.session_scores.iterate(page_size=201), "page_size"),
    (lambda panda: panda.session_runs.wait(RUN, timeout=0), "timeout"),
    (lambda panda: panda.session_runs.wait(RUN, timeout="5"), "timeout"),
    (lambda panda: panda.session_runs.get(" "), "id"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, input={"a": ["\0"]}), "input"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, output={"\0": 1}), "output"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, output=object()), "output"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, tags="a"), "tags"),
]


@pytest.mark.parametrize(
    ("ask", "problem"),
    REFUSED,
)
async def test_what_else_is_refused_before_it_is_sent(ask: Mistake, problem: str) -> None:
    """Values that cannot be right are named, and nothing is sent."""
    async with open_world() as world:
        with pytest.raises(InvalidRequestError, match=problem):
            await ask(world.panda)
        assert world.emulator.requests == []


UNKNOWN_FILTERS: list[Mistake] = [
    lambda panda: panda.session_runs.list(name="nightly"),
    lambda panda: panda.session_runs.iterate(created_at=DAY),
    lambda panda: panda.session_runs.create(metrics=["m"], session_ids=["s1"]),
    lambda panda: panda.session_scores.list(metric_name="m"),
    lambda panda: panda.sessions.iterate(sort_by="cost"),
]


@pytest.mark.parametrize(
    "ask",
    UNKNOWN_FILTERS,
)
async def test_a_filter_that_does_not_exist(ask: Mistake) -> None:
    """The service ignores unknown filters and gives everything, so they are a `TypeError` here."""
    async with open_world() as world:
        with pytest.raises(TypeError, match="has no filter"):
            await ask(world.panda)
        assert world.emulator.requests == []


@given(text=st.text(alphabet=["\\", "u", "0", "\0", "n"], max_size=12))
async def test_only_a_nul_is_a_nul(text: str) -> None:
    """A text that merely looks like an escaped NUL is sent; one with a NUL in it never is."""
    async with open_world(sessions=0) as world:
        try:
            await world.panda.traces.create(name="t", started_at=DAY, input={"text": text})
        except InvalidRequestError:
            assert "\0" in text
        else:
            assert "\0" not in text


async def test_a_name_of_just_the_right_length_survives_a_retry() -> None:
    """248 characters are sent, and are still few enough when the service puts its own in front."""
    async with open_world(rules=PandaProbeRules(failed_share=1.0)) as world:
        runs = world.panda.session_runs
        run = await runs.create_batch(world.session_ids, metrics=[RELIABILITY], name="ß" * 248)
        assert (await runs.wait(run.id)).failed_count == 5
        again = await runs.retry(run.id)
        assert again.name == "Retry: " + "ß" * 248
        assert again.filters == {"session_ids": world.session_ids, "retry_of": run.id}


async def test_a_run_as_the_service_accepts_it() -> None:
    """The answer has what was asked for, and all the ids."""
    async with open_world() as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY], name="n")
        assert (run.status, run.total_targets, run.evaluated_count) == (SessionRunStatus.PENDING, 5, 0)
        assert (run.name, run.metric_names, run.sampling_rate) == ("n", [RELIABILITY], 1.0)
        assert run.filters == {"session_ids": world.session_ids}
        assert run.project_id == world.emulator.project_id
        assert run.extra == {}


async def test_a_run_of_a_service_of_the_older_kind() -> None:
    """A service that counts under the older name is understood throughout."""
    async with open_world(rules=PandaProbeRules(count_field="total_traces")) as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        (listed,) = await world.panda.session_runs.list()
        assert run.total_targets == listed.total_targets == 5
        assert run.extra == listed.extra == {}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_leaves_the_outcome_open(when: Any) -> None:
    """A run whose answer was lost is never created again by itself."""
    async with open_world(faults=[Fault(route=BATCH, when=when, action=Reset())]) as world:
        with pytest.raises(UnknownOutcomeError):
            await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert len(world.emulator.requests) == 1
        assert len(await world.emulator.runs()) == (when == "after")


@pytest.mark.parametrize("arrange", ["orphan_next_run", "lose_next_answer"])
async def test_a_breakdown_leaves_the_outcome_open(arrange: str) -> None:
    """A 500 does not mean that there is no run."""
    async with open_world() as world:
        await getattr(world.emulator, arrange)()
        with pytest.raises(UnknownOutcomeError) as caught:
            await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert caught.value.status == 500
        assert len(await world.panda.session_runs.list()) == 1


async def test_a_cold_server_does_not_lose_the_answer() -> None:
    """The first run after a restart takes eight seconds, and the usual time-out bears that."""
    async with open_world(rules=PandaProbeRules(cold_start=8.6)) as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert [run.id] == [row["id"] for row in await world.emulator.runs()]


async def test_refusals_of_the_service() -> None:
    """Unknown metrics, filters without a match and a quota that is used up are told apart."""
    async with open_world(quota=5) as world:
        runs = world.panda.session_runs
        with pytest.raises(BadRequestError, match="Unknown session metrics: tone"):
            await runs.create_batch(world.session_ids, metrics=["tone"])
        with pytest.raises(BadRequestError, match="No sessions match"):
            await runs.create(metrics=[RELIABILITY], user_id="nobody")
        await runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        before = len(world.emulator.requests)
        with pytest.raises(PaymentRequiredError, match="quota"):
            await runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        assert len(world.emulator.requests) == before + 1


@pytest.mark.parametrize("delete_scores", [True, False])
async def test_deleting_a_run(delete_scores: bool) -> None:  # noqa: FBT001  a parameter of the test
    """Scores go with their run, or stay behind without it."""
    async with open_world() as world:
        panda = world.panda
        run = await panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        await panda.session_runs.wait(run.id)
        await panda.session_runs.delete(run.id, delete_scores=delete_scores)
        left = await panda.session_scores.list()
        assert len(left) == (0 if delete_scores else 5)
        assert {score.eval_run_id for score in left} <= {None}
        with pytest.raises(NotFoundError):
            await panda.session_runs.delete(run.id)


async def test_a_deletion_whose_answer_was_lost() -> None:
    """A deletion is sent again with its query, and finds that it is done."""
    lost = Fault(route="DELETE *", when="after", action=Reset(), nth=1)
    async with open_world(faults=[lost]) as world:
        run = await world.panda.session_runs.create_batch(world.session_ids, metrics=[RELIABILITY])
        await world.panda.session_runs.wait(run.id)
        await world.panda.session_runs.delete(run.id, delete_scores=True)
        assert await world.emulator.runs() == []
        assert await world.emulator.scores() == []
        deletions = [request.query for request in world.emulator.requests if request.method == "DELETE"]
        assert len(deletions) >= 2
        assert len(set(map(str, deletions))) == 1


async def test_errors_name_the_route_and_no_id() -> None:
    """What was asked is told by its template, so that reports of errors can be put together."""
    calls: list[tuple[Ask, str]] = [
        (lambda panda: panda.session_runs.scores(RUN), "/evaluations/session-runs/{id}/scores"),
        (lambda panda: panda.session_scores.of_session("s1"), "/evaluations/session-scores/{id}"),
        (lambda panda: panda.sessions.get("s1", limit=1), "/sessions/{id}"),
        (lambda panda: panda.session_scores.list(session_id="s1"), "/evaluations/session-scores"),
    ]
    async with open_world() as world:
        await world.emulator.revoke_key()
        for ask, template in calls:
            with pytest.raises(AuthenticationError) as caught:
                await ask(world.panda)
            assert caught.value.path == template
