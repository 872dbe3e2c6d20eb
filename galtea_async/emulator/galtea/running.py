"""How the parts of an emulator of Galtea are put together."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from galtea_async.emulator import running
from galtea_async.emulator.clock import ServerClock
from galtea_async.emulator.console import Console
from galtea_async.emulator.errands import Errands
from galtea_async.emulator.exchange import Exchange
from galtea_async.emulator.galtea.backstage import GalteaBackstage
from galtea_async.emulator.galtea.contents import Contents
from galtea_async.emulator.galtea.credits import Credits
from galtea_async.emulator.galtea.gate import GalteaGate
from galtea_async.emulator.galtea.routes import galtea_routes
from galtea_async.emulator.galtea.schema import SCHEMA
from galtea_async.emulator.galtea.scoring import Judge
from galtea_async.emulator.galtea.service import Service
from galtea_async.emulator.identifiers import Identifiers
from galtea_async.emulator.rate_limit import TokenBucket
from galtea_async.emulator.rewinding import Rewinding
from galtea_async.emulator.server import HttpServer
from galtea_async.emulator.store import Store

if TYPE_CHECKING:
    from galtea_async.emulator.conditions import Conditions
    from galtea_async.emulator.galtea.rules import EmulatorRules
    from galtea_async.emulator.recording import Recording

__all__ = ["Running", "assemble", "open_service"]


Running = running.Running[Contents, GalteaGate]
"""The parts of a running emulator."""


def open_service(
    *, path: str, seed: int, judging: tuple[float, float], rules: EmulatorRules, skew: float
) -> Service:
    """Open the data and set the clock going."""
    store = Store(path, SCHEMA)
    seed_of_this_start = f"{seed}/{store.generation}"  # so that ids in a file stay unique
    return Service(
        store=store,
        clock=ServerClock(loop=asyncio.get_running_loop(), skew=skew),
        rules=rules,
        identifiers=Identifiers(seed_of_this_start),
        judge=Judge(seed=seed, judging=judging, rules=rules),
        credits=Credits(),
        chance=Random(f"{seed_of_this_start}/order"),
    )


def assemble(
    service: Service,
    *,
    api_key: str,
    seed: int,
    conditions: Conditions,
    recording: Recording,
    rate_limit: tuple[float, float] | None,
) -> Running:
    """Put a server around a service."""
    user_id, colleague_id = service.identifiers.new("user"), service.identifiers.new("user")
    gate = GalteaGate(
        rules=service.rules,
        keys={api_key: user_id},
        bucket=_bucket(service, rate_limit),
        identifiers=service.identifiers,
    )
    exchange = Exchange(
        clock=service.clock,
        gate=gate,
        errands=Errands(),
        conditions=conditions,
        recording=recording,
        compresses=service.rules.compression,
    )
    contents = Contents(service=service, user_id=user_id, colleague_id=colleague_id)
    backstage = GalteaBackstage(
        contents=contents,
        gate=gate,
        api_key=api_key,
        seed=seed,
        rewinding=Rewinding([service.identifiers.random, service.chance]),
    )
    return Running(
        store=service.store,
        contents=contents,
        gate=gate,
        exchange=exchange,
        server=HttpServer(exchange, galtea_routes(service), Console(exchange=exchange, backstage=backstage)),
    )


def _bucket(service: Service, rate_limit: tuple[float, float] | None) -> TokenBucket | None:
    if rate_limit is None:
        return None
    requests, seconds = rate_limit
    return TokenBucket(loop=service.clock.loop, requests=requests, seconds=seconds)
