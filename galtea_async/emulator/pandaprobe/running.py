"""How the parts of an emulator of PandaProbe are put together."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from galtea_async.emulator import running
from galtea_async.emulator.clock import ServerClock
from galtea_async.emulator.cold_start import ColdStart
from galtea_async.emulator.console import Console
from galtea_async.emulator.errands import Errands
from galtea_async.emulator.exchange import Exchange
from galtea_async.emulator.fixed_window import FixedWindows
from galtea_async.emulator.pandaprobe.backstage import PandaProbeBackstage
from galtea_async.emulator.pandaprobe.contents import Contents
from galtea_async.emulator.pandaprobe.course import Planner
from galtea_async.emulator.pandaprobe.gate import PandaProbeGate
from galtea_async.emulator.pandaprobe.problems import rate_limit_exceeded
from galtea_async.emulator.pandaprobe.route_names import BATCH, FILTERED
from galtea_async.emulator.pandaprobe.routes import pandaprobe_routes
from galtea_async.emulator.pandaprobe.runs import Runs
from galtea_async.emulator.pandaprobe.schema import SCHEMA
from galtea_async.emulator.pandaprobe.scores import Scores
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.sessions import Sessions
from galtea_async.emulator.rewinding import Rewinding
from galtea_async.emulator.server import HttpServer
from galtea_async.emulator.store import Store

if TYPE_CHECKING:
    from galtea_async.emulator.conditions import Conditions
    from galtea_async.emulator.pandaprobe.rules import PandaProbeRules
    from galtea_async.emulator.recording import Recording

__all__ = ["Running", "assemble", "open_service"]


Running = running.Running[Contents, PandaProbeGate]
"""The parts of a running emulator."""


def open_service(*, path: str, seed: int, rules: PandaProbeRules, quota: int | None, skew: float) -> Service:
    """Open the data and set the clock going."""
    store = Store(path, "PandaProbe", SCHEMA)
    loop = asyncio.get_running_loop()
    return Service(
        store=store,
        clock=ServerClock(loop=loop, skew=skew),
        rules=rules,
        seed=seed,
        chance=Random(f"{seed}/{store.generation}/pandaprobe"),  # so that ids in a file stay unique
        windows=FixedWindows(loop=loop, seconds=rules.window),
        planner=Planner(rules),
        quota=quota,
    )


def assemble(
    service: Service,
    *,
    api_key: str,
    token: str,
    project_name: str,
    conditions: Conditions,
    recording: Recording,
) -> Running:
    """Put a server around a service."""
    scores, sessions = Scores(service), Sessions(service)
    runs = Runs(service, scores, sessions)
    routes = pandaprobe_routes(service, runs, scores, sessions)
    gate = PandaProbeGate(service=service, routes=routes, api_keys={api_key}, tokens={token})
    exchange = Exchange(
        clock=service.clock,
        gate=gate,
        errands=Errands(),
        conditions=conditions,
        recording=recording,
        cold_start=ColdStart(seconds=service.rules.cold_start, routes=frozenset({BATCH, FILTERED})),
        throttled=rate_limit_exceeded(service.rules.run_requests),
    )
    contents = Contents(
        service=service,
        runs=runs,
        scores=scores,
        sessions=sessions,
        project_id=service.project_id(project_name),
    )
    backstage = PandaProbeBackstage(
        contents=contents,
        gate=gate,
        api_key=api_key,
        project_name=project_name,
        rewinding=Rewinding([service.chance]),
    )
    return Running(
        store=service.store,
        contents=contents,
        gate=gate,
        exchange=exchange,
        server=HttpServer(
            exchange,
            routes,
            Console(exchange=exchange, backstage=backstage),
            service.rules.keep_alive,
        ),
    )
