"""Faults on routes that are not served: they would never happen, so they are refused."""

from __future__ import annotations

import pytest
from emulator.api import connected

from galtea_async.emulator import (
    EmulatorRules,
    Fault,
    GalteaEmulator,
    PandaProbeEmulator,
    Reset,
    fault_from_text,
)

NOT_SERVED = [
    ("GET /metric", "GET /metrics"),
    ("GET /session", "GET /sessions"),
    ("PUT /sessions", "POST /sessions"),
    ("POST /evaluations/eval_1/claim", "POST /evaluations/{id}/claim"),
    ("POST /evaluations/{evaluationId}/claim", "POST /evaluations/{id}/claim"),
    ("* /evaluations/eval_1", "GET /evaluations/{id}"),
    ("GTE *", "GET *"),
]
SERVED = [
    "*",
    "* *",
    "GET *",
    "put *",
    "* /runs",
    "get /sessions",
    "POST /evaluations/{id}/claim",
    "GET /health",
]


@pytest.mark.parametrize(("route", "meant"), NOT_SERVED)
async def test_a_fault_on_a_route_that_is_not_served_is_refused(route: str, meant: str) -> None:
    """At the start, when it is set, and over HTTP; the message names the nearest route that is served."""
    fault = Fault(route=route, action=Reset())
    broken = GalteaEmulator(faults=[fault])
    with pytest.raises(ValueError, match="no route is") as caught:
        await broken.start()
    assert repr(meant) in str(caught.value)
    with pytest.raises(RuntimeError, match="does not run"):
        _ = broken.url
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        with pytest.raises(ValueError, match="no route is"):
            emulator.faults = [fault]
        answer = await api.send("PUT", "/_emulator/faults", json={"faults": [f"{route}:reset"]})
        assert (answer.status, repr(meant) in answer.message) == (400, True), answer.message
        assert emulator.faults == ()


@pytest.mark.parametrize("route", SERVED)
async def test_a_fault_on_a_route_that_is_served_is_taken(route: str) -> None:
    """Templates as they are written, and `*` for any verb or any path."""
    async with GalteaEmulator() as emulator:
        emulator.faults = [fault_from_text(f"{route}:reset")]
        assert len(emulator.faults) == 1


async def test_what_the_rules_take_away_is_not_served() -> None:
    """A service without runs has no routes of runs."""
    emulator = GalteaEmulator(rules=EmulatorRules(runs=False))
    emulator.faults = [Fault(route="GET /runs", action=Reset())]
    with pytest.raises(ValueError, match="no route is 'GET /runs'"):
        await emulator.start()
    emulator.rules = EmulatorRules()
    async with emulator:
        assert len(emulator.faults) == 1


async def test_each_service_has_its_own_routes() -> None:
    """A route of the other service is refused."""
    async with PandaProbeEmulator() as emulator:
        with pytest.raises(ValueError, match="perhaps 'POST /evaluations/session-runs' is meant"):
            emulator.faults = [Fault(route="POST /evaluations/fromSessions", action=Reset())]
        emulator.faults = [Fault(route="post /evaluations/session-runs/batch", action=Reset())]
