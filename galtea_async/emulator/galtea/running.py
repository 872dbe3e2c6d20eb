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
from galtea_async.emulator.request_body import LARGEST_BODY
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
    store = Store(path, "Galtea", SCHEMA)
    return Service(
        store=store,
        clock=ServerClock(loop=asyncio.get_running_loop(), skew=skew),
        rules=rules,
        identifiers=_identifiers(seed, store.generation),
        judge=Judge(seed=seed, judging=judging, rules=rules),
        credits=Credits(),
        chance=Random(f"{seed}/{store.generation}/order"),
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
    user_id, colleague_id = _people(service, seed)
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
        throttled=gate.dressed(gate.too_many_requests()),
        compresses=service.rules.compression,
        largest_body=LARGEST_BODY if service.rules.body_limit is None else service.rules.body_limit,
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


def _people(service: Service, seed: int) -> tuple[str, str]:
    """Draw who holds the key, and a colleague: at each start those of the first, whose rows a file keeps."""
    people = _identifiers(seed, generation=1)
    for _ in range(2):
        service.identifiers.new("user")  # what is drawn next never depends on which start this is
    return people.new("user"), people.new("user")


def _identifiers(seed: int, generation: int) -> Identifiers:
    return Identifiers(f"{seed}/{generation}")  # so that ids in a file stay unique


def _bucket(service: Service, rate_limit: tuple[float, float] | None) -> TokenBucket | None:
    if rate_limit is None:
        return None
    requests, seconds = rate_limit
    return TokenBucket(loop=service.clock.loop, requests=requests, seconds=seconds)
