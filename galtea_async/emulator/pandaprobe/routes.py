"""The table of PandaProbe's routes, as far as sessions and their evaluation go."""

from __future__ import annotations

from types import GenericAlias

from galtea_async.emulator.openapi import openapi_route
from galtea_async.emulator.pandaprobe import bodies, wire
from galtea_async.emulator.pandaprobe.description import PANDAPROBE_API
from galtea_async.emulator.pandaprobe.problems import answer
from galtea_async.emulator.pandaprobe.route_names import BATCH, FILTERED, TRACES
from galtea_async.emulator.pandaprobe.runs import DELETING, Runs
from galtea_async.emulator.pandaprobe.runs import LISTING as LISTING_OF_RUNS
from galtea_async.emulator.pandaprobe.scores import LISTING as LISTING_OF_SCORES
from galtea_async.emulator.pandaprobe.scores import Scores
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.sessions import GETTING, Sessions
from galtea_async.emulator.pandaprobe.sessions import LISTING as LISTING_OF_SESSIONS
from galtea_async.emulator.pandaprobe.traces import LISTING as LISTING_OF_TRACES
from galtea_async.emulator.pandaprobe.traces import Traces
from galtea_async.emulator.pandaprobe.wire import shape_of_run
from galtea_async.emulator.replies import Reply
from galtea_async.emulator.routes import Call, Route, at_once

__all__ = ["pandaprobe_routes"]

_VERSION = "0.5.0"


def pandaprobe_routes(service: Service, runs: Runs, scores: Scores, sessions: Sessions) -> tuple[Route, ...]:
    """The routes, in the order in which the API's documents name them."""
    routes = (
        *_run_routes(service, runs, scores),
        *_score_routes(scores),
        *_session_routes(sessions),
        *_trace_routes(service),
        _health_route(),
    )
    return (*routes, openapi_route(PANDAPROBE_API, routes))


def _run_routes(service: Service, runs: Runs, scores: Scores) -> tuple[Route, ...]:
    run = shape_of_run(service.rules.count_field)
    return (
        Route(
            method="POST",
            path="/evaluations/session-runs/batch",
            begin=at_once(service.limited(BATCH, bodies.NewBatchRun, runs.create_batch)),
            verb="create-batch",
            summary="Create a run over sessions that are named",
            tag="session runs",
            status=202,
            answer=run,
            body=bodies.NewBatchRun,
        ),
        Route(
            method="POST",
            path="/evaluations/session-runs",
            begin=at_once(service.limited(FILTERED, bodies.NewFilteredRun, runs.create_filtered)),
            verb="create",
            summary="Create a run over the sessions that filters let through",
            tag="session runs",
            status=202,
            answer=run,
            body=bodies.NewFilteredRun,
        ),
        Route(
            method="GET",
            path="/evaluations/session-runs",
            begin=at_once(runs.page),
            verb="list",
            summary="List runs, the newest first",
            tag="session runs",
            answer=GenericAlias(wire.Page, (run,)),
            parameters=LISTING_OF_RUNS,
        ),
        Route(
            method="GET",
            path="/evaluations/session-runs/{id}",
            begin=at_once(runs.get),
            verb="get",
            summary="Get a run",
            tag="session runs",
            answer=run,
        ),
        Route(
            method="GET",
            path="/evaluations/trace-runs/{id}",
            begin=at_once(runs.get),
            verb="get-at-trace-runs",
            summary="Get a run, at the address of runs over traces",
            tag="session runs",
            answer=run,
        ),
        Route(
            method="GET",
            path="/evaluations/session-runs/{id}/scores",
            begin=at_once(scores.list_of_run),
            verb="get-scores",
            summary="All the scores of a run",
            tag="session runs",
            answer=list[wire.Score],
        ),
        Route(
            method="POST",
            path="/evaluations/session-runs/{id}/retry",
            begin=at_once(runs.retry),
            verb="retry",
            summary="Create a run over what failed in another",
            tag="session runs",
            status=202,
            answer=run,
        ),
        Route(
            method="DELETE",
            path="/evaluations/session-runs/{id}",
            begin=at_once(runs.delete),
            verb="delete",
            summary="Delete a run",
            tag="session runs",
            status=204,
            parameters=DELETING,
        ),
    )


def _score_routes(scores: Scores) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path="/evaluations/session-scores",
            begin=at_once(scores.page),
            verb="list",
            summary="List scores, the newest first",
            tag="session scores",
            answer=wire.Page[wire.Score],
            parameters=LISTING_OF_SCORES,
        ),
        Route(
            method="GET",
            path="/evaluations/session-scores/{id}",
            begin=at_once(scores.list_of_session),
            verb="get",
            summary="All the scores of a session",
            tag="session scores",
            answer=list[wire.Score],
        ),
        Route(
            method="DELETE",
            path="/evaluations/session-scores/{id}",
            begin=at_once(scores.delete),
            verb="delete",
            summary="Delete a score",
            tag="session scores",
            status=204,
        ),
        Route(
            method="GET",
            path="/evaluations/session-metrics",
            begin=at_once(scores.metrics),
            verb="list",
            summary="The metrics of sessions",
            tag="session metrics",
            answer=list[wire.Metric],
        ),
    )


def _session_routes(sessions: Sessions) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path="/sessions",
            begin=at_once(sessions.page),
            verb="list",
            summary="List sessions",
            tag="sessions",
            answer=wire.Page[wire.Session],
            parameters=LISTING_OF_SESSIONS,
        ),
        Route(
            method="GET",
            path="/sessions/{id}",
            begin=at_once(sessions.get),
            verb="get",
            summary="Get a session with its traces",
            tag="sessions",
            answer=wire.SessionDetail,
            parameters=GETTING,
        ),
    )


def _trace_routes(service: Service) -> tuple[Route, ...]:
    traces = Traces(service)
    return (
        Route(
            method="POST",
            path="/traces",
            begin=at_once(service.limited(TRACES, bodies.NewTrace, traces.create)),
            verb="create",
            summary="Send a trace; its session comes with it",
            tag="traces",
            status=202,
            answer=wire.TraceReceipt,
            body=bodies.NewTrace,
        ),
        Route(
            method="GET",
            path="/traces",
            begin=at_once(traces.page),
            verb="list",
            summary="List traces",
            tag="traces",
            answer=wire.Page[wire.Trace],
            parameters=LISTING_OF_TRACES,
        ),
        Route(
            method="GET",
            path="/traces/{id}",
            begin=at_once(traces.get),
            verb="get",
            summary="Get a trace with its spans",
            tag="traces",
            answer=wire.Trace,
        ),
    )


def _health_route() -> Route:
    return Route(
        method="GET",
        path="/health",
        begin=at_once(_healthy),
        verb="get",
        summary="Whether the service is up",
        tag="health",
        answer=wire.Health,
        needs_key=False,
    )


def _healthy(_call: Call) -> Reply:
    return answer(200, wire.Health(status="healthy", version=_VERSION))
