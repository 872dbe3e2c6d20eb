"""`evaluate_version`: all sessions of a version, past the cap of one request, each exactly once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest
from bulk.world import BATCH, check_sums, open_world

from galtea_async import (
    BulkEvaluationError,
    InvalidRequestError,
    MetricInput,
    NotFoundError,
    ReconcilePolicy,
    evaluate_version,
)
from galtea_async.emulator import Answer, Delay, EmulatorRules, Fault, Reset

if TYPE_CHECKING:
    from pathlib import Path

Strategy = Literal["follow", "list"]
both_strategies = pytest.mark.parametrize("strategy", ["follow", "list"])


@both_strategies
@pytest.mark.parametrize("size", [0, 1, 999, 1_000, 1_001, 2_500, 10_000])
async def test_each_session_is_evaluated_exactly_once(size: int, strategy: Strategy) -> None:
    """Whatever the size of the version, each session gets one evaluation a metric, older ones aside."""
    async with open_world(sessions=size) as world:
        older = world.emulator.now() - timedelta(hours=1)
        await world.emulator.add_evaluations(world.session_ids[::3], created_at=older)
        report = await evaluate_version(world.galtea, world.version_id, strategy=strategy)
        check_sums(report)
        assert report.sessions_evaluated == report.sessions_requested == size
        assert report.evaluations_created == 2 * size
        assert report.reconciled == 0
        await world.check_once(world.session_ids)
        assert report.requests == len(world.emulator.requests)


@both_strategies
async def test_ten_thousand_sessions_cost_few_batches(strategy: Strategy) -> None:
    """In chunks of 200, a version of 10,000 sessions costs at most 55 batch requests."""
    async with open_world(sessions=10_000) as world:
        await evaluate_version(
            world.galtea, world.version_id, metrics=["Accuracy"], chunk_size=200, strategy=strategy
        )
        assert len(world.batches()) <= 55
        await world.check_once(world.session_ids, metrics=1)


async def test_a_version_that_fits_costs_one_request() -> None:
    """A version of 1,000 sessions is evaluated by one request."""
    async with open_world(sessions=1_000) as world:
        report = await evaluate_version(world.galtea, world.version_id)
        assert (report.requests, len(world.emulator.requests)) == (1, 1)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
async def test_no_order_of_the_first_thousand_is_assumed(seed: int) -> None:
    """Whichever 1,000 sessions the service takes first, the rest is found."""
    async with open_world(sessions=0, seed=seed, rules=EmulatorRules(order="changing")) as world:
        for minutes in range(70):
            created_at = world.emulator.now() - timedelta(minutes=minutes)
            await world.emulator.add_sessions(world.version_id, 20, created_at=created_at)
        report = await evaluate_version(world.galtea, world.version_id, metrics=["Accuracy"])
        assert report.sessions_evaluated == 1_400
        await world.check_once(await world.emulator.session_ids(world.version_id), metrics=1)


@both_strategies
async def test_sessions_of_one_instant_are_all_found(strategy: Strategy) -> None:
    """Sessions that were imported together are all evaluated, also when ties come in any order."""
    async with open_world(sessions=1_400, rules=EmulatorRules(order="changing")) as world:
        report = await evaluate_version(
            world.galtea, world.version_id, metrics=["Accuracy"], strategy=strategy
        )
        assert report.sessions_evaluated == 1_400
        await world.check_once(world.session_ids, metrics=1)


@both_strategies
@pytest.mark.parametrize(
    "rules",
    [
        EmulatorRules(runs=False),
        EmulatorRules(run_ids_in_answer=True),
        EmulatorRules(max_page=170, default_limit=50),
        EmulatorRules(unknown_session="not_found"),
        EmulatorRules(first_filters_only=True),
        EmulatorRules(session_envelope="data"),
        EmulatorRules(url_limit=2_100, url_limit_status=403),
        EmulatorRules(batch_cap=300, compression=True),
        EmulatorRules(session_ids_cap=130),
    ],
    ids=[
        "no runs",
        "run ids in the answer",
        "small pages",
        "404 for unknown ids",
        "the first published filters",
        "sessions in an envelope",
        "a proxy that refuses long URLs",
        "another cap, compressed answers",
        "few ids a request",
    ],
)
async def test_the_service_may_differ_where_its_documents_are_silent(
    rules: EmulatorRules, strategy: Strategy
) -> None:
    """Each session is evaluated once under every reading of the documents."""
    async with open_world(sessions=1_150, rules=rules) as world:
        older = world.emulator.now() - timedelta(hours=1)
        await world.emulator.add_evaluations(world.session_ids[:400], created_at=older)
        report = await evaluate_version(world.galtea, world.version_id, strategy=strategy)
        check_sums(report)
        assert report.sessions_evaluated == 1_150
        await world.check_once(world.session_ids)


@both_strategies
async def test_refused_and_skipped_sessions_are_told_apart(strategy: Strategy) -> None:
    """A refused session fails with its error, a skipped one is skipped, the others are evaluated."""
    async with open_world(sessions=1_300) as world:
        refused, skipped = world.session_ids[::130], world.session_ids[1::260]
        await world.emulator.refuse(refused, "the transcript is empty")
        await world.emulator.skip(skipped)
        report = await evaluate_version(world.galtea, world.version_id, strategy=strategy)
        check_sums(report)
        assert {failure.session_id for failure in report.failures} == set(refused)
        assert {failure.error for failure in report.failures} == {"the transcript is empty"}
        assert report.sessions_skipped == len(skipped)
        assert report.sessions_evaluated == 1_300 - len(refused) - len(skipped)
        evaluated = set(world.session_ids).difference(refused, skipped)
        await world.check_once(evaluated)


@both_strategies
async def test_a_small_version_with_skipped_sessions_adds_up(strategy: Strategy) -> None:
    """Skipped sessions of a version that fits into one request are counted as skipped."""
    async with open_world(sessions=30) as world:
        await world.emulator.skip(world.session_ids[:4])
        report = await evaluate_version(world.galtea, world.version_id, strategy=strategy)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_skipped, report.sessions_failed) == (26, 4, 0)
        await world.check_once(world.session_ids[4:])


@both_strategies
async def test_sessions_added_meanwhile_are_evaluated_at_most_once(strategy: Strategy) -> None:
    """Sessions that existed at the beginning are evaluated once, those added meanwhile at most once."""
    async with open_world(sessions=1_500, latency=3.0) as world:

        async def keep_adding() -> list[str]:
            added: list[str] = []
            for _ in range(10):
                await asyncio.sleep(1.1)
                added += await world.emulator.add_sessions(world.version_id, 20)
            return added

        adding = asyncio.create_task(keep_adding())
        report = await evaluate_version(world.galtea, world.version_id, strategy=strategy)
        added = await adding
        check_sums(report)
        made = await world.made()
        assert {pair: made[pair] for pair in world.once(world.session_ids)} == world.once(world.session_ids)
        assert set(made.values()) == {1}
        assert report.evaluations_created == made.total()
        assert {session_id for session_id, _ in made} <= {*world.session_ids, *added}


async def test_an_unknown_version_ends_the_run_at_once() -> None:
    """A version that does not exist is refused once, and the error says so."""
    async with open_world(sessions=3) as world:
        with pytest.raises(BulkEvaluationError, match="version_unknown not found") as caught:
            await evaluate_version(world.galtea, "version_unknown")
        assert caught.value.report.sessions_requested == 0
        assert len(world.emulator.requests) == 1


@pytest.mark.parametrize(
    "options", [{"strategy": "follow"}, {"strategy": "list"}, {"grouping": "run"}], ids=str
)
async def test_a_version_that_does_not_exist_is_an_error(options: dict[str, Any]) -> None:
    """However its sessions are found: an empty list of them would look like success."""
    async with open_world(sessions=3) as world:
        with pytest.raises(BulkEvaluationError, match="version_typo not found") as caught:
            await evaluate_version(world.galtea, "version_typo", **options)
        assert isinstance(caught.value.reason, NotFoundError)
        assert caught.value.report.sessions_requested == 0


async def test_a_version_without_sessions_is_no_error() -> None:
    """That it exists is asked for once, and then there is nothing to do."""
    async with open_world(sessions=1) as world:
        empty = await world.emulator.add_version(world.product_id, sessions=0)
        report = await evaluate_version(world.galtea, empty, strategy="list")
        assert (report.sessions_requested, report.requests) == (0, 2)


@both_strategies
async def test_metrics_and_specifications_reach_the_service(strategy: Strategy) -> None:
    """Every batch request carries the job's metrics and specifications."""
    async with open_world(sessions=1_200) as world:
        specification_id = await world.emulator.add_specification(
            world.product_id, metric_ids=world.metric_ids[:1]
        )
        report = await evaluate_version(
            world.galtea,
            world.version_id,
            metrics=["Accuracy", MetricInput(id=world.metric_ids[1])],
            specification_ids=[specification_id],
            strategy=strategy,
        )
        assert report.sessions_evaluated == 1_200
        for body in world.bodies():
            assert body["metrics"] == [{"name": "Accuracy"}, {"id": world.metric_ids[1]}]
            assert body["specificationIds"] == [specification_id]


@pytest.mark.parametrize("version_id", ["", "  ", None, 5])
async def test_a_version_id_is_a_text(version_id: str) -> None:
    """What cannot be an id of a version is refused before anything is sent."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError, match="version_id"):
            await evaluate_version(world.galtea, version_id)
        assert world.emulator.requests == []


async def test_there_are_two_strategies() -> None:
    """A strategy that does not exist is refused by name."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError, match="'guess'"):
            await evaluate_version(world.galtea, world.version_id, strategy="guess")  # type: ignore[arg-type]  # what is tested
        assert world.emulator.requests == []


@both_strategies
async def test_a_job_that_ended_early_is_continued(strategy: Strategy, tmp_path: Path) -> None:
    """After a refusal of the key in mid-run, the same journal brings the version to its end."""
    unauthorized = Answer(401, body='{"message": "no"}', content_type="application/json")
    fault = Fault(route=BATCH, action=unauthorized, nth=range(4, 1_000))
    async with open_world(sessions=2_000, faults=[fault]) as world:
        path = tmp_path / "job.db"
        with pytest.raises(BulkEvaluationError) as caught:
            await evaluate_version(world.galtea, world.version_id, strategy=strategy, journal=path)
        check_sums(caught.value.report)
        assert 0 < caught.value.report.sessions_evaluated < 2_000
        world.emulator.faults = ()
        report = await evaluate_version(world.galtea, world.version_id, strategy=strategy, journal=path)
        check_sums(report)
        assert report.sessions_evaluated == 2_000
        assert report.requests == len(world.emulator.requests)
        await world.check_once(world.session_ids)


async def test_a_finished_job_sends_nothing_more(tmp_path: Path) -> None:
    """Calling again with the journal of a finished job returns the same account and evaluates nothing."""
    async with open_world(sessions=1_100) as world:
        path = tmp_path / "job.db"
        first = await evaluate_version(world.galtea, world.version_id, journal=path)
        batches = len(world.batches())
        again = await evaluate_version(world.galtea, world.version_id, journal=path)
        assert len(world.batches()) == batches
        assert again.sessions_evaluated == first.sessions_evaluated == 1_100


@pytest.mark.parametrize("when", ["before", "after", "during"])
async def test_the_lost_answer_of_the_request_by_version(when: Literal["before", "after", "during"]) -> None:
    """However much the request by version did before its answer was lost, each session is evaluated once."""
    fault = Fault(route=BATCH, when=when, action=Reset(), nth=1)
    async with open_world(sessions=1_600, faults=[fault]) as world:
        report = await evaluate_version(world.galtea, world.version_id)
        check_sums(report)
        assert report.sessions_evaluated == 1_600
        await world.check_once(world.session_ids)


async def test_a_slow_request_by_version_is_waited_for() -> None:
    """Work that goes on after the client gave up is found, not repeated."""
    fault = Fault(route=BATCH, action=Delay(65.0), nth=1)
    async with open_world(sessions=1_200, faults=[fault]) as world:
        report = await evaluate_version(world.galtea, world.version_id, reconcile=ReconcilePolicy(settle=8.0))
        assert report.sessions_evaluated == 1_200
        assert report.reconciled == 1_000
        await world.check_once(world.session_ids)
