"""After a lost answer: what was done is found, what was not is sent again, nobody else's work counts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import pytest
from bulk.services import WorldOpener, both_services
from bulk.world import BATCH, World, check_sums, open_world

from galtea_async import (
    AsyncGaltea,
    AuthenticationError,
    BulkReport,
    NoAnswerError,
    ReconcilePolicy,
    ServerError,
    evaluate_sessions,
    evaluate_version,
)
from galtea_async.bulk.outage import Outage
from galtea_async.bulk.provider import Findings, Stage
from galtea_async.bulk.reconciliation import Reconciliation
from galtea_async.emulator import (
    Answer,
    Corrupt,
    Disconnect,
    EmulatorRules,
    Fault,
    Hang,
    LateWork,
    Reset,
    Truncate,
)

if TYPE_CHECKING:
    from pathlib import Path

    from galtea_async.emulator import Action

LOST: dict[str, Action] = {
    "reset": Reset(),
    "disconnect": Disconnect(),
    "hang": Hang(),
    "truncated": Truncate(15),
    "corrupt": Corrupt(),
    "408": Answer(408),
    "504": Answer(504, body="<html><h1>504 Gateway Time-out</h1></html>"),
    "late": LateWork(4.0, then=Reset()),
}


@both_services
@pytest.mark.parametrize("when", ["before", "during", "after"])
@pytest.mark.parametrize("how", LOST)
async def test_lost_answers_of_explicit_ids(
    how: str, when: Literal["before", "during", "after"], open_service: WorldOpener
) -> None:
    """However much was done before the answer was lost, each session is evaluated once."""
    async with open_service(sessions=100) as world:
        world.emulator.faults = (Fault(route=world.batch_route, when=when, action=LOST[how], nth=[1, 3]),)
        report = await world.evaluate(chunk_size=20)
        check_sums(report)
        assert report.sessions_evaluated == 100
        assert report.evaluations_created == 200
        assert report.reconciled <= 40
        if when == "after" or how == "late":
            assert (report.reconciled, len(world.batches())) == (40, 5)
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("rules", [EmulatorRules(), EmulatorRules(runs=False)], ids=["runs", "no runs"])
async def test_older_evaluations_are_not_taken_for_the_lost_ones(rules: EmulatorRules) -> None:
    """Rows that were made before the request are not its rows, also by a service whose clock is wrong."""
    async with open_world(sessions=30, rules=rules, clock_skew=-200.0) as world:
        first = await evaluate_sessions(world.galtea, world.session_ids)
        assert first.sessions_evaluated == 30
        await asyncio.sleep(5)
        world.emulator.faults = [Fault(route=BATCH, action=Reset(), nth=1)]
        report = await evaluate_sessions(world.galtea, world.session_ids)
        assert report.sessions_evaluated == 30
        assert set((await world.made()).values()) == {2}


Intruder = Callable[[World, AsyncGaltea], Awaitable[object]]


async def single_rows(world: World, _: AsyncGaltea) -> object:
    return await world.emulator.add_evaluations(world.session_ids)


async def a_run_of_her_own(world: World, colleague: AsyncGaltea) -> object:
    run = await colleague.request("POST", "/runs", json={"productId": world.product_id})
    assert isinstance(run, dict)
    return await world.emulator.add_evaluations(world.session_ids, run_id=str(run["id"]))


async def a_larger_batch(world: World, colleague: AsyncGaltea) -> object:
    others = await world.emulator.add_sessions(world.version_id, 10)
    return await colleague.evaluations.from_sessions(session_ids=[*world.session_ids, *others])


async def a_smaller_batch(world: World, colleague: AsyncGaltea) -> object:
    return await colleague.evaluations.from_sessions(session_ids=world.session_ids[:15])


@pytest.mark.parametrize("intruder", [single_rows, a_run_of_her_own, a_larger_batch, a_smaller_batch])
@pytest.mark.parametrize("when", ["before", "during", "after"])
async def test_the_work_of_others_in_the_same_seconds_does_not_count(
    when: Literal["before", "during", "after"], intruder: Intruder
) -> None:
    """Where runs are served, a colleague's evaluations of the same sessions never make the job skip one."""
    async with open_world(sessions=30) as world:
        [other] = await world.emulator.add_sessions(world.version_id, 1)
        await world.galtea.evaluations.from_sessions(session_ids=[other])
        world.emulator.faults = [Fault(route=BATCH, when=when, action=Hang(), nth=1)]
        key = await world.emulator.add_api_key()
        async with AsyncGaltea(key, base_url=world.emulator.url) as colleague:
            run = asyncio.create_task(evaluate_sessions(world.galtea, world.session_ids))
            await asyncio.sleep(30)
            await intruder(world, colleague)
            report = await run
        assert report.sessions_evaluated == 30
        await world.check_once([*world.session_ids, other])


@pytest.mark.parametrize("by_version", [False, True], ids=["explicit ids", "by version"])
async def test_only_the_missing_metrics_are_made(by_version: bool) -> None:  # noqa: FBT001  parametrised
    """A session that lacks one of two metrics when the dust settles gets that one, and no other again."""
    fault = Fault(route=BATCH, when="after", action=Reset(), nth=1)
    async with open_world(sessions=30, faults=[fault]) as world:

        async def run_job() -> BulkReport:
            metrics = [{"id": metric} for metric in world.metric_ids]
            if by_version:
                return await evaluate_version(world.galtea, world.version_id, metrics=metrics)
            return await evaluate_sessions(world.galtea, world.session_ids, metrics=metrics)

        run = asyncio.create_task(run_job())
        await asyncio.sleep(1)
        lacking = world.session_ids[:7]
        rows = await world.emulator.evaluations(session_ids=lacking)
        for row in rows:
            if row["metricId"] == world.metric_ids[1]:
                await world.galtea.request("DELETE", f"/evaluations/{row['id']}")
        report = await run
        check_sums(report)
        assert report.sessions_evaluated == 30
        assert report.evaluations_created == 60
        await world.check_once(world.session_ids)


@both_services
async def test_a_silent_service_leaves_sessions_unresolved(open_service: WorldOpener, tmp_path: Path) -> None:
    """Past the policy's time-out sessions are unresolved, and a resume settles them without sending again."""
    async with open_service(sessions=60) as world:
        world.emulator.faults = (
            Fault(route=world.batch_route, when="after", action=Reset(), nth=2),
            Fault(route="GET *", action=Answer(500)),
        )
        policy, path = ReconcilePolicy(settle=5.0, timeout=40.0), tmp_path / "job.db"
        began = asyncio.get_running_loop().time()
        report = await world.evaluate(chunk_size=20, reconcile=policy, journal=path)
        longest = 90 if isinstance(world.client, AsyncGaltea) else 230  # accepted work is waited for longer
        assert 40 <= asyncio.get_running_loop().time() - began <= longest
        check_sums(report)
        assert report.sessions_unresolved >= 20
        assert report.sessions_evaluated + report.sessions_unresolved == 60
        unresolved = report.sessions_unresolved
        world.emulator.faults = ()
        sent = len(world.batches())
        report = await world.evaluate(chunk_size=20, reconcile=policy, journal=path)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_unresolved) == (60, 0)
        assert 20 <= report.reconciled <= unresolved
        assert len(world.batches()) == sent
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("rules", [EmulatorRules(), EmulatorRules(first_filters_only=True)])
async def test_metrics_hidden_from_analytics_are_seen(rules: EmulatorRules) -> None:
    """Rows that lists leave out by default count as made, where the service can show them at all."""
    fault = Fault(route=BATCH, when="after", action=Reset(), nth=1)
    async with open_world(sessions=20, faults=[fault], rules=rules) as world:
        hidden = await world.emulator.add_metric(
            world.product_id, name="Hidden", excluded_from_analytics=not rules.first_filters_only
        )
        report = await evaluate_sessions(
            world.galtea, world.session_ids, metrics=[{"id": hidden}, {"id": world.metric_ids[0]}]
        )
        assert (report.sessions_evaluated, len(world.batches())) == (20, 1)
        made = await world.made()
        assert made == dict.fromkeys(
            [(id_, metric) for id_ in world.session_ids for metric in (hidden, world.metric_ids[0])], 1
        )


@both_services
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_small_chunks_whose_answers_are_lost_again_and_again(
    size: int, open_service: WorldOpener
) -> None:
    """Chunks of a few sessions survive several requests that came to nothing."""
    async with open_service(sessions=size, max_concurrency=1) as world:
        world.emulator.faults = (Fault(route=world.batch_route, action=Answer(502), times=4),)
        report = await world.evaluate(chunk_size=size)
        check_sums(report)
        assert report.sessions_evaluated == size
        await world.check_once(world.session_ids)


@both_services
async def test_a_session_that_kills_the_service_fails(open_service: WorldOpener) -> None:
    """A session whose requests never get an answer fails in the end, and the error says how often."""
    async with open_service(sessions=1) as world:
        world.emulator.faults = (Fault(route=world.batch_route, action=Answer(502)),)
        report = await world.evaluate(reconcile=ReconcilePolicy(settle=1.0, timeout=9_000.0))
        check_sums(report)
        [failure] = report.failures
        assert f"no verdict in {len(world.batches())} requests" in str(failure.error)


class Listings:
    """A `find` that follows a script of marks; one that is an error is raised, findings are as they are."""

    def __init__(self, *script: tuple[float, str | Exception | Findings]) -> None:
        self.script = script
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.calls: list[float] = []

    async def find(self) -> Findings:
        now = self.loop.time() - self.began
        self.calls.append(now)
        current = [what for since, what in self.script if since <= now][-1]
        if isinstance(current, Exception):
            raise current
        if isinstance(current, Findings):
            return current
        return Findings(covered={current: 1} if current else {}, mark=current)

    async def watch(self, policy: ReconcilePolicy, enough: int = 99) -> Findings | None:
        async def sleep(seconds: float) -> bool:
            await asyncio.sleep(seconds)
            return True

        watching = Reconciliation(policy, self.loop.time, sleep, lambda: self.began, Outage(self.loop.time))
        return await watching.watch(self.find, lambda findings: len(findings.covered) >= enough)


async def test_rows_are_believed_after_the_settling_time() -> None:
    """Findings that never change are believed exactly `settle` seconds after the first listing."""
    listings = Listings((0.0, "a"))
    findings = await listings.watch(ReconcilePolicy(settle=10.0))
    assert findings is not None
    assert set(findings.covered) == {"a"}
    assert listings.calls[0] == 0.0
    assert 10.0 - 1e-6 <= listings.calls[-1] <= 10.5


async def test_a_change_starts_the_wait_anew() -> None:
    """The settling time counts from the last change that was seen."""
    listings = Listings((0.0, ""), (4.0, "a"), (9.0, "b"))
    findings = await listings.watch(ReconcilePolicy(settle=10.0))
    assert findings is not None
    assert set(findings.covered) == {"b"}
    assert listings.calls[-1] >= 19.0


async def test_a_listing_that_fails_is_no_evidence() -> None:
    """Errors neither confirm what was seen nor start the wait anew; belief needs an answer at its end."""
    listings = Listings((0.0, "a"), (2.0, NoAnswerError("lost")), (30.0, "a"))
    findings = await listings.watch(ReconcilePolicy(settle=10.0, timeout=60.0))
    assert findings is not None
    assert listings.calls[-1] >= 30.0
    assert listings.calls[-1] < 60.0


@pytest.mark.parametrize("error", [ServerError(503, "busy"), NoAnswerError("lost")])
async def test_silence_has_an_end(error: Exception) -> None:
    """After `timeout` seconds without an answer there is no finding."""
    listings = Listings((0.0, error))
    assert await listings.watch(ReconcilePolicy(settle=1.0, timeout=25.0)) is None
    assert 25.0 <= listings.calls[-1] < 45.0


async def test_enough_is_enough() -> None:
    """Nothing is waited for once the findings are known to be complete."""
    listings = Listings((0.0, ""), (3.0, "a"))
    assert await listings.watch(ReconcilePolicy(settle=60.0), enough=1) is not None
    assert listings.calls[-1] < 8.0


async def test_a_refused_listing_is_an_error() -> None:
    """A key that does not work any more is not mistaken for silence."""
    listings = Listings((0.0, AuthenticationError(401, "no")))
    with pytest.raises(AuthenticationError):
        await listings.watch(ReconcilePolicy())


async def test_listing_becomes_rarer() -> None:
    """A long settling time does not mean many requests."""
    listings = Listings((0.0, "a"))
    await listings.watch(ReconcilePolicy(settle=300.0))
    assert len(listings.calls) < 40
    assert max(b - a for a, b in zip(listings.calls, listings.calls[1:], strict=False)) <= 15.1


async def test_a_clock_that_falls_short_is_not_asked_again_and_again() -> None:
    """Timers may ring a hair early; the rest of the wait is then no reason for a flood of listings."""
    now, calls = 1_000.0, 0

    async def find() -> Findings:
        nonlocal calls
        calls += 1
        assert calls < 200, "listing after listing without any time between them"
        return Findings(covered={}, mark="same")

    async def sleep(seconds: float) -> bool:
        nonlocal now
        now = math.nextafter(now + seconds, 0.0)
        return True

    watching = Reconciliation(
        ReconcilePolicy(settle=10.0), lambda: now, sleep, lambda: now, Outage(lambda: now)
    )
    assert await watching.watch(find, lambda _: False) is not None


def at(stage: Stage, *, look_again: float = 7.0) -> Findings:
    return Findings(covered={}, mark="the same", stage=stage, look_again=look_again)


@pytest.mark.parametrize("settle", [0.0, 10.0])
async def test_what_is_under_way_is_not_believed(settle: float) -> None:
    """However long a batch under way looks the same, its end is waited for, in the steps that it asks for."""
    listings = Listings((0.0, at(Stage.UNDER_WAY)), (1_000.0, at(Stage.FINAL)))
    findings = await listings.watch(ReconcilePolicy(settle=settle, timeout=60.0))
    assert findings is not None
    assert findings.stage is Stage.FINAL
    assert 1_000.0 <= listings.calls[-1] <= 1_007.0
    assert {round(b - a) for a, b in zip(listings.calls, listings.calls[1:], strict=False)} == {7}


@pytest.mark.parametrize("stage", [Stage.FINAL, Stage.STUCK])
async def test_what_is_decided_needs_no_settling(stage: Stage) -> None:
    """The end of a batch is believed at the first look."""
    listings = Listings((0.0, at(stage)))
    findings = await listings.watch(ReconcilePolicy(settle=60.0))
    assert findings is not None
    assert findings.stage is stage
    assert len(listings.calls) == 1


async def test_what_was_under_way_and_is_gone_has_to_settle() -> None:
    """A batch whose run disappears is not taken for never made at the first look."""
    listings = Listings((0.0, at(Stage.UNDER_WAY)), (50.0, ""))
    findings = await listings.watch(ReconcilePolicy(settle=30.0))
    assert findings is not None
    assert findings.covered == {}
    assert listings.calls[-1] >= 80.0


async def test_silence_has_an_end_while_a_batch_is_under_way() -> None:
    """A service that stops answering is given up on also while it should be at work."""
    listings = Listings((0.0, at(Stage.UNDER_WAY)), (20.0, NoAnswerError("lost")))
    assert await listings.watch(ReconcilePolicy(settle=10.0, timeout=60.0)) is None


async def test_a_listing_is_evidence_for_the_time_at_which_it_began() -> None:
    """What comes into being while a slow listing is under way is not missed, however often that happens."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def find() -> Findings:
        appeared = loop.time() - began >= 11.0
        await asyncio.sleep(5.0)
        return Findings(covered={"late": 1} if appeared else {}, mark=appeared)

    async def sleep(seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return True

    watching = Reconciliation(
        ReconcilePolicy(settle=10.0, timeout=600.0), loop.time, sleep, loop.time, Outage(loop.time)
    )
    findings = await watching.watch(find, lambda _: False)
    assert findings is not None
    assert findings.covered == {"late": 1}
