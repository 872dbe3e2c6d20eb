"""A journal by itself: continuing a job from it, and reading what became of each session."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Literal

import pytest
from bulk.services import WorldOpener, both_services
from bulk.world import BATCH, check_sums, open_world

from galtea_async import (
    AsyncGaltea,
    BulkEvaluationError,
    BulkReport,
    JournalError,
    JournalMismatchError,
    OutcomeStatus,
    ReconcilePolicy,
    SessionOutcome,
    evaluate_sessions,
    evaluate_version,
    journal_outcomes,
    read_journal,
    resume_bulk_evaluation,
)
from galtea_async.emulator import Answer, EmulatorRules, Fault, GalteaEmulator, Reset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from pathlib import Path
    from typing import Any

OUT_OF_CREDITS = Answer(402, body='{"message": "Not enough credits"}', content_type="application/json")
POLICY = ReconcilePolicy(settle=12.0)


async def cancel_after(seconds: float, job: Coroutine[Any, Any, BulkReport]) -> None:
    """Run a job for a while, and cancel it before it is done."""
    run = asyncio.create_task(job)
    await asyncio.sleep(seconds)
    assert not run.done(), "the job was to be interrupted"
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def read_outcomes(path: Path, status: OutcomeStatus | str | None = None) -> list[SessionOutcome]:
    """All outcomes of a journal."""
    return [outcome async for outcome in journal_outcomes(path, status)]


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def check_agreement(outcomes: list[SessionOutcome], report: BulkReport) -> None:
    """Insist on one outcome a session, and on the numbers of the report."""
    names = Counter(outcome.session_id for outcome in outcomes)
    assert [name for name, times in names.items() if times > 1] == []
    counts = Counter(outcome.status for outcome in outcomes)
    assert counts[OutcomeStatus.EVALUATED] == report.sessions_evaluated
    assert counts[OutcomeStatus.FAILED] == report.sessions_failed
    assert counts[OutcomeStatus.SKIPPED] == report.sessions_skipped
    assert counts[OutcomeStatus.UNRESOLVED] == report.sessions_unresolved


async def test_a_job_is_continued_without_its_input(tmp_path: Path) -> None:
    """All ids had been sent when the run died; the journal is enough to see each to its end."""
    async with open_world(sessions=100, latency=3.0) as world:
        path = tmp_path / "job.db"
        metrics = [{"name": "Accuracy"}]
        await cancel_after(
            1,
            evaluate_sessions(world.galtea, world.session_ids, metrics=metrics, chunk_size=10, journal=path),
        )
        assert (await read_journal(path)).input_complete
        report = await resume_bulk_evaluation(world.galtea, path, reconcile=POLICY)
        check_sums(report)
        assert (report.sessions_evaluated, report.reconciled) == (100, 100)
        await world.check_once(world.session_ids, metrics=1)


async def test_what_was_refused_is_sent_when_the_credits_are_back(tmp_path: Path) -> None:
    """A run that credits ended is continued with its own metrics and specifications."""
    async with open_world(sessions=40, latency=1.0) as world:
        path = tmp_path / "job.db"
        world.emulator.faults = [Fault(route=BATCH, action=OUT_OF_CREDITS)]
        with pytest.raises(BulkEvaluationError):
            await evaluate_sessions(
                world.galtea, world.session_ids, metrics=["Politeness"], chunk_size=10, journal=path
            )
        world.emulator.faults = ()
        report = await resume_bulk_evaluation(world.galtea, path)
        assert report.sessions_evaluated == 40
        assert {metric for _, metric in await world.made()} == {world.metric_ids[1]}
        assert set((await world.made()).values()) == {1}


@pytest.mark.parametrize("form", ["generator", "async generator", "bad item"])
@both_services
async def test_an_input_that_broke_off_is_not_all_of_it(
    form: str, open_service: WorldOpener, tmp_path: Path
) -> None:
    """A source that raises looks empty afterwards; the journal does not take that for its end."""

    def broken() -> Iterator[Any]:
        yield from world.session_ids[:10]
        if form == "bad item":
            yield 5
        raise LookupError(form)

    async def streamed() -> AsyncIterator[Any]:
        for id_ in broken():
            yield id_

    async with open_service(sessions=20) as world:
        path = tmp_path / "job.db"
        source: Any = streamed() if form == "async generator" else broken()
        with pytest.raises((LookupError, BulkEvaluationError)):
            await world.evaluate(source, chunk_size=3, journal=path)
        assert not (await read_journal(path)).input_complete
        with pytest.raises(JournalError, match="does not have all of the ids"):
            await resume_bulk_evaluation(world.client, path)
        report = await world.evaluate(chunk_size=3, journal=path)
        assert report.sessions_evaluated == 20
        await world.check_once(world.session_ids)


@both_services
async def test_a_journal_without_all_of_the_input_is_refused(
    open_service: WorldOpener, tmp_path: Path
) -> None:
    """The error says what to do, nothing is sent, and the call that it names does the rest."""
    async with open_service(sessions=100, latency=1.0, max_concurrency=1) as world:
        path = tmp_path / "job.db"
        await cancel_after(3.5, world.evaluate(chunk_size=10, journal=path))
        assert not (await read_journal(path)).input_complete
        sent = len(world.emulator.requests)
        with pytest.raises(JournalError, match=r"does not have all of the ids.*call evaluate_sessions"):
            await resume_bulk_evaluation(world.client, path)
        assert len(world.emulator.requests) == sent
        report = await world.evaluate(chunk_size=10, journal=path, reconcile=POLICY)
        assert report.sessions_evaluated == 100
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("strategy", ["follow", "list"])
@pytest.mark.parametrize("seconds", [0.5, 1.5, 4.5, 7.0])
async def test_a_version_can_always_be_continued(
    seconds: float, strategy: Literal["follow", "list"], tmp_path: Path
) -> None:
    """Its sessions are listed again, so nothing but the journal is needed, however early the run died."""
    async with open_world(sessions=1_200, latency=1.0, max_concurrency=2) as world:
        path = tmp_path / "job.db"
        await cancel_after(
            seconds,
            evaluate_version(world.galtea, world.version_id, chunk_size=50, strategy=strategy, journal=path),
        )
        report = await resume_bulk_evaluation(world.galtea, path, chunk_size=100, reconcile=POLICY)
        check_sums(report)
        assert report.sessions_evaluated == 1_200
        await world.check_once(world.session_ids)


@both_services
async def test_a_job_that_is_done_sends_nothing(open_service: WorldOpener, tmp_path: Path) -> None:
    """Continuing it once more returns the same account."""
    async with open_service(sessions=30) as world:
        path = tmp_path / "job.db"
        first = await world.evaluate(journal=path)
        sent = len(world.emulator.requests)
        again = await resume_bulk_evaluation(world.client, path)
        assert len(world.emulator.requests) == sent
        assert (again.sessions_evaluated, again.requests) == (30, first.requests)


async def test_failed_sessions_are_sent_again_on_request(tmp_path: Path) -> None:
    """`retry_failed=True` sends only what failed; what then succeeds is counted as evaluated."""
    async with open_world(sessions=30) as world:
        path, ids = tmp_path / "job.db", world.session_ids
        await world.emulator.refuse(ids[:5], "the transcript is empty")
        first = await evaluate_sessions(world.galtea, [*ids, "session_gone"], chunk_size=10, journal=path)
        assert first.sessions_failed == 6
        kept = await resume_bulk_evaluation(world.galtea, path)
        assert kept.sessions_failed == 6
        sent = len(world.batches())
        report = await resume_bulk_evaluation(world.galtea, path, chunk_size=10, retry_failed=True)
        assert {id_ for batch in world.batches()[sent:] for id_ in batch} == {*ids[:5], "session_gone"}
        check_agreement(await read_outcomes(path), report)
        await world.check_once(ids[5:])


async def test_a_journal_of_another_service_is_refused(tmp_path: Path) -> None:
    """Neither service hears of it."""
    async with open_world(sessions=3) as world, GalteaEmulator() as elsewhere:
        path = tmp_path / "job.db"
        await evaluate_sessions(world.galtea, world.session_ids, journal=path)
        sent = len(world.emulator.requests)
        async with AsyncGaltea(elsewhere.api_key, base_url=elsewhere.url) as other:
            with pytest.raises(JournalMismatchError) as caught:
                await resume_bulk_evaluation(other, path)
        assert set(caught.value.differences) == {"target"}
        assert (len(world.emulator.requests), elsewhere.requests) == (sent, [])


@pytest.mark.parametrize("unknown_session", ["failure", "not_found"])
@pytest.mark.parametrize("seed", range(4))
async def test_each_session_has_one_outcome(
    seed: int, unknown_session: Literal["failure", "not_found"], tmp_path: Path
) -> None:
    """After splits, lost answers, refusals, skips and retries, the outcomes are those of the report."""
    random = Random(seed)
    faults = [Fault(route=BATCH, when="during", action=Reset(), probability=0.3, times=8)]
    rules = EmulatorRules(unknown_session=unknown_session)
    async with open_world(sessions=300, faults=faults, rules=rules, seed=seed) as world:
        path, ids = tmp_path / "job.db", list(world.session_ids)
        await world.emulator.refuse(random.sample(ids, 20), "the transcript is empty")
        await world.emulator.skip(random.sample(ids, 20))
        unknown = [f"session_gone_{number}" for number in range(5)]
        for name in unknown:
            ids.insert(random.randrange(len(ids)), name)
        report = await evaluate_sessions(
            world.galtea, ids, chunk_size=random.choice((7, 40)), journal=path, reconcile=POLICY
        )
        outcomes = await read_outcomes(path)
        check_agreement(outcomes, report)
        assert {outcome.session_id for outcome in outcomes} == set(ids)
        assert {outcome.session_id for outcome in outcomes if outcome.error} >= set(unknown)
        for _ in range(2):
            report = await resume_bulk_evaluation(world.galtea, path, retry_failed=True, reconcile=POLICY)
            outcomes = await read_outcomes(path)
            check_agreement(outcomes, report)
            assert {outcome.session_id for outcome in outcomes} == set(ids)
        assert (await read_journal(path)).report == report


async def test_outcomes_are_filtered(tmp_path: Path) -> None:
    """A status, as a name or a member, picks its outcomes, and together they are all."""
    async with open_world(sessions=50) as world:
        path = tmp_path / "job.db"
        await world.emulator.refuse(world.session_ids[:3], "the transcript is empty")
        await world.emulator.skip(world.session_ids[3:7])
        await evaluate_sessions(world.galtea, world.session_ids, chunk_size=8, journal=path)
        failed = await read_outcomes(path, "failed")
        assert sorted(outcome.session_id for outcome in failed) == sorted(world.session_ids[:3])
        assert {outcome.error for outcome in failed} == {"the transcript is empty"}
        parts = [outcome for status in OutcomeStatus for outcome in await read_outcomes(path, status)]
        assert sorted(parts, key=str) == sorted(await read_outcomes(path), key=str)
        with pytest.raises(ValueError, match="lost"):
            await read_outcomes(path, "lost")


async def test_what_has_no_verdict_is_unresolved(tmp_path: Path) -> None:
    """After a crash, what was in flight is unresolved in the summary as in the outcomes."""
    async with open_world(sessions=60, latency=2.0, max_concurrency=2) as world:
        path = tmp_path / "job.db"
        await cancel_after(3, world.evaluate(chunk_size=10, journal=path))
        summary = await read_journal(path)
        assert (summary.report.sessions_evaluated, summary.report.sessions_unresolved) == (20, 20)
        check_agreement(await read_outcomes(path), summary.report)


async def test_what_is_to_be_sent_again_has_no_outcome(tmp_path: Path) -> None:
    """A session whose request was refused for lack of credits is planned, and nothing else."""
    async with open_world(sessions=20, max_concurrency=1) as world:
        path = tmp_path / "job.db"
        world.emulator.faults = [Fault(route=BATCH, action=OUT_OF_CREDITS)]
        with pytest.raises(BulkEvaluationError):
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20, journal=path)
        summary = await read_journal(path)
        assert (summary.sessions_planned, summary.report.sessions_requested) == (20, 0)
        assert await read_outcomes(path) == []


async def test_a_summary_tells_what_the_job_is(tmp_path: Path) -> None:
    """Kind, service, settings, owner and the time of its beginning come from the journal."""
    async with open_world(sessions=5) as world:
        path = tmp_path / "job.db"
        specification_id = await world.emulator.add_specification(
            world.product_id, metric_ids=world.metric_ids[:1]
        )
        await evaluate_version(
            world.galtea,
            world.version_id,
            metrics=["Accuracy"],
            specification_ids=[specification_id],
            journal=path,
        )
        summary = await read_journal(path)
        assert summary.kind == f"version {world.version_id}"
        assert summary.target == world.emulator.url
        assert "Accuracy" in summary.settings["metrics"]
        assert summary.settings["specification_ids"] == specification_id
        assert summary.created_at.tzinfo is not None
        assert summary.owner
        assert summary.input_complete


@both_services
async def test_a_journal_is_read_while_its_job_runs(open_service: WorldOpener, tmp_path: Path) -> None:
    """Each reading is of one moment: it has no session twice, and its numbers only grow."""
    async with open_service(sessions=200, latency=1.0, max_concurrency=2) as world:
        path = tmp_path / "job.db"
        run = asyncio.create_task(world.evaluate(chunk_size=10, journal=path))
        await asyncio.sleep(0.5)
        evaluated = [0]
        while not run.done():
            names = [outcome.session_id for outcome in await read_outcomes(path)]
            assert len(set(names)) == len(names)
            summary = await read_journal(path)
            check_sums(summary.report)
            evaluated.append(summary.report.sessions_evaluated)
            await asyncio.sleep(0.7)
        report = await run
        assert evaluated == sorted(evaluated)
        assert len(set(evaluated)) > 5
        check_agreement(await read_outcomes(path), report)


@both_services
async def test_reading_slowly_while_answers_are_lost_names_no_session_twice(
    open_service: WorldOpener, tmp_path: Path
) -> None:
    """A reader that takes its time meets sessions that have moved on, and yields each of them once."""
    async with open_service(sessions=600, latency=0.2, max_concurrency=4) as world:
        lost = Fault(route=world.batch_route, when="before", action=Reset(), probability=0.5, times=30)
        world.emulator.faults = (lost,)
        path = tmp_path / "job.db"
        run = asyncio.create_task(world.evaluate(chunk_size=5, journal=path))
        await asyncio.sleep(5)
        names: list[str] = []
        async for outcome in journal_outcomes(path):
            names.append(outcome.session_id)
            await asyncio.sleep(0.3)
        assert len(names) > 50
        assert len(set(names)) == len(names)
        await run


@pytest.mark.parametrize("content", [None, b"not a journal\n" * 500, b"", "database"])
async def test_what_is_no_journal_is_an_error(content: bytes | str | None, tmp_path: Path) -> None:
    """A missing, empty or foreign file is named by the error, and is left as it was."""
    path = tmp_path / "job.db"
    if content == "database":
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE addresses (name TEXT)")
        connection.commit()
        connection.close()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    before = contents(tmp_path)
    async with open_world(sessions=1) as world:
        for read in (read_journal(path), read_outcomes(path), resume_bulk_evaluation(world.galtea, path)):
            with pytest.raises(JournalError, match=r"job\.db"):
                await read
        assert world.emulator.requests == []
    assert contents(tmp_path) == before


async def test_an_early_end_carries_the_report(tmp_path: Path) -> None:
    """A refused key ends the continued run as it ends any other, and the journal can be continued again."""
    refusal = Answer(401, body='{"message": "no"}', content_type="application/json")
    async with open_world(sessions=20) as world:
        path, ids = tmp_path / "job.db", [*world.session_ids, "session_gone"]
        await evaluate_sessions(world.galtea, ids, journal=path)
        world.emulator.faults = [Fault(route=BATCH, action=refusal)]
        with pytest.raises(BulkEvaluationError) as caught:
            await resume_bulk_evaluation(world.galtea, path, retry_failed=True)
        assert caught.value.report.sessions_evaluated == 20
        world.emulator.faults = ()
        report = await resume_bulk_evaluation(world.galtea, path)
        assert (report.sessions_evaluated, report.sessions_failed) == (20, 1)
        await world.check_once(world.session_ids)
