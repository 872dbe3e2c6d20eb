"""The table of PandaProbe's routes, as far as sessions and their evaluation go."""

from __future__ import annotations

from galtea_async.emulator.pandaprobe import bodies, wire
from galtea_async.emulator.pandaprobe.problems import answer
from galtea_async.emulator.pandaprobe.route_names import BATCH, FILTERED, TRACES
from galtea_async.emulator.pandaprobe.runs import Runs
from galtea_async.emulator.pandaprobe.scores import Scores
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.sessions import Sessions
from galtea_async.emulator.replies import Reply
from galtea_async.emulator.routes import Call, Route, at_once

__all__ = ["pandaprobe_routes"]

_VERSION = "0.5.0"


def pandaprobe_routes(service: Service, runs: Runs, scores: Scores, sessions: Sessions) -> tuple[Route, ...]:
    """The routes, in the order in which the API's documents name them."""
    return (*_run_routes(service, runs, scores), *_score_routes(scores), *_session_routes(service, sessions))


def _run_routes(service: Service, runs: Runs, scores: Scores) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path="/evaluations/session-runs/batch",
            begin=at_once(service.limited(BATCH, bodies.NewBatchRun, runs.create_batch)),
            summary="Create a run over sessions that are named",
            tag="session runs",
            status=202,
            answer=wire.Run,
            body=bodies.NewBatchRun,
        ),
        Route(
            method="POST",
            path="/evaluations/session-runs",
            begin=at_once(service.limited(FILTERED, bodies.NewFilteredRun, runs.create_filtered)),
            summary="Create a run over the sessions that filters let through",
            tag="session runs",
            status=202,
            answer=wire.Run,
            body=bodies.NewFilteredRun,
        ),
        Route(
            method="GET",
            path="/evaluations/session-runs",
            begin=at_once(runs.page),
            summary="List runs, the newest first",
            tag="session runs",
            answer=wire.Page,
        ),
        Route(
            method="GET",
            path="/evaluations/session-runs/{id}",
            begin=at_once(runs.get),
            summary="Get a run",
            tag="session runs",
            answer=wire.Run,
        ),
        Route(
            method="GET",
            path="/evaluations/trace-runs/{id}",
            begin=at_once(runs.get),
            summary="Get a run, at the address of runs over traces",
            tag="session runs",
            answer=wire.Run,
        ),
        Route(
            method="GET",
            path="/evaluations/session-runs/{id}/scores",
            begin=at_once(scores.list_of_run),
            summary="All the scores of a run",
            tag="session runs",
            answer=list[wire.Score],
        ),
        Route(
            method="POST",
            path="/evaluations/session-runs/{id}/retry",
            begin=at_once(runs.retry),
            summary="Create a run over what failed in another",
            tag="session runs",
            status=202,
            answer=wire.Run,
        ),
        Route(
            method="DELETE",
            path="/evaluations/session-runs/{id}",
            begin=at_once(runs.delete),
            summary="Delete a run",
            tag="session runs",
            status=204,
        ),
    )


def _score_routes(scores: Scores) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path="/evaluations/session-scores",
            begin=at_once(scores.page),
            summary="List scores, the newest first",
            tag="session scores",
            answer=wire.Page,
        ),
        Route(
            method="GET",
            path="/evaluations/session-scores/{id}",
            begin=at_once(scores.list_of_session),
            summary="All the scores of a session",
            tag="session scores",
            answer=list[wire.Score],
        ),
        Route(
            method="DELETE",
            path="/evaluations/session-scores/{id}",
            begin=at_once(scores.delete),
            summary="Delete a score",
            tag="session scores",
            status=204,
        ),
        Route(
            method="GET",
            path="/evaluations/session-metrics",
            begin=at_once(scores.metrics),
            summary="The metrics of sessions",
            tag="session metrics",
            answer=list[wire.Metric],
        ),
    )


def _session_routes(service: Service, sessions: Sessions) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path="/sessions",
            begin=at_once(sessions.page),
            summary="List sessions",
            tag="sessions",
            answer=wire.Page,
        ),
        Route(
            method="GET",
            path="/sessions/{id}",
            begin=at_once(sessions.get),
            summary="Get a session with its traces",
            tag="sessions",
            answer=wire.SessionDetail,
        ),
        Route(
            method="POST",
            path="/traces",
            begin=at_once(service.limited(TRACES, bodies.NewTrace, sessions.create_trace)),
            summary="Send a trace; its session comes with it",
            tag="traces",
            status=202,
            answer=wire.TraceReceipt,
            body=bodies.NewTrace,
        ),
        Route(
            method="GET",
            path="/health",
            begin=at_once(_healthy),
            summary="Whether the service is up",
            tag="health",
            answer=wire.Health,
            needs_key=False,
        ),
    )


def _healthy(_call: Call) -> Reply:
    return answer(200, wire.Health(status="healthy", version=_VERSION))
