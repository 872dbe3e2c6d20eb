"""A service that is away for a minute in the middle of a run: it is not stormed, and the run completes."""

from __future__ import annotations

import asyncio
from typing import Literal

import attrs
import pytest
from bulk.services import WorldOpener, both_services
from bulk.world import check_sums

from galtea_async.bulk.outage import Outage
from galtea_async.emulator import Action, Answer, Disconnect, Fault, Hang, Reset

MINUTE = 60.0

OUTAGES: dict[str, Action] = {
    "a proxy says 503": Answer(503),
    "a proxy says 502": Answer(502),
    "connections are reset": Reset(),
    "connections are closed": Disconnect(),
    "nothing answers": Hang(),
}


@both_services
@pytest.mark.timeout(120)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("outage", OUTAGES)
async def test_an_outage_is_not_made_worse(
    outage: str, when: Literal["before", "after"], open_service: WorldOpener
) -> None:
    """While the service is away, at most a tenth of the usual requests are sent; then the run completes."""
    fault = Fault(route="*", when=when, action=OUTAGES[outage])
    latency, in_flight = 0.5, 8
    async with open_service(sessions=6_000, latency=latency, max_concurrency=in_flight) as world:
        run = asyncio.create_task(world.evaluate(chunk_size=10))
        await asyncio.sleep(10.0)
        world.emulator.faults = (fault,)
        before = world.client.statistics().sent
        await asyncio.sleep(MINUTE)
        during = world.client.statistics().sent - before
        world.emulator.faults = ()
        report = await run
        check_sums(report)
        assert report.sessions_evaluated == 6_000
        await world.check_once(world.session_ids)
    usual = in_flight / latency * MINUTE
    assert during <= 0.1 * usual, f"{during} requests, where {usual:.0f} are usual"


@attrs.define
class Clock:
    """A clock that is set by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_few_failures_are_no_outage() -> None:
    """Up to four unanswered requests in a row, nobody is held back; an answer starts the count anew."""
    outage = Outage(Clock())
    for _ in range(3):
        for _ in range(4):
            outage.failed()
            assert outage.may_ask()
        outage.answered()


def test_the_questions_become_rarer() -> None:
    """During an outage one request may ask after 0.5, 1, 2, 4, 8 and then every 10 seconds."""
    clock = Clock()
    outage = Outage(clock)
    for _ in range(5):
        outage.failed()
    asked: list[float] = []
    while clock.now < 60:
        if outage.may_ask():
            asked.append(clock.now)
            outage.failed()
        clock.now += 0.25
    assert asked == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 26.0, 36.0, 46.0, 56.0]


def test_an_answer_ends_the_outage_for_all() -> None:
    """After the first answer everybody may send again, and the next outage begins with short pauses."""
    clock = Clock()
    outage = Outage(clock)
    for _ in range(5):
        outage.failed()
    assert not outage.may_ask()
    outage.answered()
    assert all(outage.may_ask() for _ in range(10))
