"""What each call puts on the wire, and by which route its errors name it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from pandaprobe.world import RUN, open_world, run_object

from galtea_async import AsyncPandaProbe, AuthenticationError, SessionRunStatus
from support.raw_server import RawServer, json_answer

KEY = "sk_pp_0123"
DAY = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
Ask = Callable[[AsyncPandaProbe], Any]


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
