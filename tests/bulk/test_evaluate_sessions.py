"""`evaluate_sessions`: any input, any number of sessions, and whatever the service says to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bulk.world import BATCH, check_sums, open_world

from galtea_async import (
    BulkEvaluationError,
    InvalidRequestError,
    MetricInput,
    evaluate_sessions,
)
from galtea_async.emulator import Answer, EmulatorRules, Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from galtea_async.bulk.intake import Ids


def generated(ids: Iterable[str]) -> Iterator[str]:
    yield from ids


async def streamed(ids: Iterable[str]) -> AsyncIterator[str]:
    for id_ in ids:
        yield id_


@pytest.mark.parametrize("form", [list, tuple, set, frozenset, dict.fromkeys, generated, streamed])
async def test_ids_come_in_any_form(form: Callable[[list[str]], Ids]) -> None:
    """Collections, mappings, generators and async generators of ids are all read to their end."""
    async with open_world(sessions=23) as world:
        report = await evaluate_sessions(world.galtea, form(world.session_ids), chunk_size=5)
        check_sums(report)
        assert report.sessions_evaluated == 23
        assert report.evaluations_created == 46
        assert len(world.batches()) == 5
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("form", [list, generated, streamed])
async def test_a_repeated_id_is_evaluated_once(form: Callable[[list[str]], Ids]) -> None:
    """Repetitions count once, whether they stand side by side or far apart."""
    async with open_world(sessions=40) as world:
        repeated = [*world.session_ids, *world.session_ids[::-1], *world.session_ids[:3] * 5]
        report = await evaluate_sessions(world.galtea, form(repeated), chunk_size=7)
        assert report.sessions_requested == report.sessions_evaluated == 40
        await world.check_once(world.session_ids)


@pytest.mark.parametrize("form", [list, generated, streamed])
async def test_no_ids_are_no_requests(form: Callable[[list[str]], Ids]) -> None:
    """An empty input is an empty account."""
    async with open_world(sessions=1) as world:
        report = await evaluate_sessions(world.galtea, form([]))
        check_sums(report)
        assert (report.sessions_requested, report.requests) == (0, 0)
        assert world.emulator.requests == []


@pytest.mark.parametrize("ids", ["session_1", b"session_1", 5, None])
async def test_what_is_no_list_of_ids_is_refused(ids: Ids) -> None:
    """A single text is not a list of its letters."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError, match="session_ids is an iterable of ids"):
            await evaluate_sessions(world.galtea, ids)
        assert world.emulator.requests == []


@pytest.mark.parametrize("bad", ["", " \t", None, 7, b"session", "half \ud800 a character"])
@pytest.mark.parametrize("form", [list, tuple])
async def test_a_collection_is_checked_before_anything_is_sent(
    form: Callable[[list[str]], Ids], bad: str
) -> None:
    """What cannot be an id is refused with its position, wherever in the collection it stands."""
    async with open_world(sessions=30) as world:
        with pytest.raises(InvalidRequestError, match=r"session_ids\[27\]"):
            await evaluate_sessions(
                world.galtea, form([*world.session_ids[:27], bad, "session_x"]), chunk_size=3
            )
        assert world.emulator.requests == []


@pytest.mark.parametrize("form", [generated, streamed])
async def test_a_bad_item_in_a_generator_ends_the_run(form: Callable[[list[str]], Ids]) -> None:
    """What was sent before the bad item is in the report, and the error names the item's position."""
    async with open_world(sessions=30, max_concurrency=1) as world:
        ids = form([*world.session_ids[:27], " ", *world.session_ids[27:]])
        with pytest.raises(BulkEvaluationError, match=r"session_ids\[27\]") as caught:
            await evaluate_sessions(world.galtea, ids, chunk_size=5)
        check_sums(caught.value.report)
        assert caught.value.report.sessions_evaluated == 25
        await world.check_once(world.session_ids[:25])


async def test_what_the_input_raises_surfaces_unchanged() -> None:
    """An error of the caller's own generator reaches the caller as it is; what was in flight was finished."""

    def broken() -> Iterator[str]:
        yield from world.session_ids[:20]
        raise LookupError("the database is away")

    async with open_world(sessions=30) as world:
        with pytest.raises(LookupError, match="the database is away"):
            await evaluate_sessions(world.galtea, broken(), chunk_size=10)
        assert world.galtea.statistics().in_flight == 0
        await world.check_once([id_ for batch in world.batches() for id_ in batch])


@pytest.mark.parametrize("size", [0, -1, 1_001, 2.5, True, None])
async def test_a_chunk_size_has_bounds(size: int) -> None:
    """A chunk holds 1 to 1,000 sessions."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError, match="chunk_size"):
            await evaluate_sessions(world.galtea, world.session_ids, chunk_size=size)
        assert world.emulator.requests == []


@pytest.mark.parametrize("size", [1, 999, 1_000])
async def test_no_request_exceeds_the_chunk_size(size: int) -> None:
    """Chunks are full but for the last one, and never larger than asked for."""
    async with open_world(sessions=min(1_500, 40 * size)) as world:
        await evaluate_sessions(world.galtea, world.session_ids, chunk_size=size)
        sizes = sorted((len(batch) for batch in world.batches()), reverse=True)
        full, rest = divmod(len(world.session_ids), size)
        assert sizes == [size] * full + ([rest] if rest else [])


async def test_metrics_are_named_in_three_ways() -> None:
    """A name, a `MetricInput` and a mapping all reach the service; specifications too."""
    async with open_world(sessions=2) as world:
        own = await world.emulator.add_metric(world.product_id, name="Ours", source="SELF_HOSTED")
        specification_id = await world.emulator.add_specification(
            world.product_id, metric_ids=world.metric_ids[1:]
        )
        report = await evaluate_sessions(
            world.galtea,
            world.session_ids,
            metrics=["Accuracy", MetricInput(id=world.metric_ids[1]), {"id": own, "score": 0.25}],
            specification_ids=[specification_id],
        )
        assert report.evaluations_created == 6
        [body] = world.bodies()
        assert body["metrics"] == [
            {"name": "Accuracy"},
            {"id": world.metric_ids[1]},
            {"id": own, "score": 0.25},
        ]
        assert body["specificationIds"] == [specification_id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": "Accuracy"},
        {"metrics": [5]},
        {"metrics": [{"nome": "Accuracy"}]},
        {"specification_ids": "specification_1"},
        {"specification_ids": [" "]},
    ],
)
async def test_wrong_settings_are_refused(wrong: dict[str, list[str]]) -> None:
    """Metrics and specifications that cannot be right are refused before anything is sent."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError):
            await evaluate_sessions(world.galtea, world.session_ids, **wrong)  # type: ignore[arg-type]  # a choice of keywords
        assert world.emulator.requests == []


@pytest.mark.parametrize("reply", ["failure", "not_found"])
async def test_an_unknown_id_harms_no_other(reply: str) -> None:
    """Unknown ids fail by name, whether the service lists them or refuses the whole chunk."""
    rules = EmulatorRules(unknown_session="not_found" if reply == "not_found" else "failure")
    async with open_world(sessions=400, rules=rules) as world:
        ids = list(world.session_ids)
        for position in (0, 57, 58, 399):
            ids.insert(position, f"session_unknown_{position}")
        report = await evaluate_sessions(world.galtea, ids, chunk_size=100)
        check_sums(report)
        assert report.sessions_evaluated == 400
        assert {failure.session_id for failure in report.failures} == {
            f"session_unknown_{position}" for position in (0, 57, 58, 399)
        }
        assert all("not found" in str(failure.error) for failure in report.failures)
        await world.check_once(world.session_ids)


async def test_a_refusal_that_names_nobody_is_tracked_down() -> None:
    """A 404 for a whole chunk that does not say for whom is split down to the session at fault."""
    short = "x_1"
    async with open_world(sessions=127, rules=EmulatorRules(unknown_session="not_found")) as world:
        ids = [*world.session_ids[:77], short, *world.session_ids[77:]]
        report = await evaluate_sessions(world.galtea, ids, chunk_size=128)
        assert report.sessions_evaluated == 127
        assert [failure.session_id for failure in report.failures] == [short]
        assert len(world.batches()) <= 1 + 2 * 7
        await world.check_once(world.session_ids)


async def test_refused_sessions_fail_with_their_own_error() -> None:
    """What the service says of a session is its error in the report."""
    async with open_world(sessions=50) as world:
        await world.emulator.refuse(world.session_ids[:1], "the transcript is empty")
        await world.emulator.refuse(world.session_ids[1:3], "the transcript is too long")
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20)
        check_sums(report)
        assert {failure.session_id: failure.error for failure in report.failures} == {
            world.session_ids[0]: "the transcript is empty",
            world.session_ids[1]: "the transcript is too long",
            world.session_ids[2]: "the transcript is too long",
        }
        await world.check_once(world.session_ids[3:])


@pytest.mark.parametrize("has_runs", [True, False])
async def test_skipped_sessions_are_found_by_listing(has_runs: bool) -> None:  # noqa: FBT001  parametrised
    """The answer only counts skipped sessions; which ones they are, the rows tell."""
    async with open_world(sessions=60, rules=EmulatorRules(runs=has_runs)) as world:
        skipped = [*world.session_ids[3:7], *world.session_ids[40:60]]
        await world.emulator.skip(skipped)
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=20)
        check_sums(report)
        assert (report.sessions_evaluated, report.sessions_skipped) == (36, 24)
        assert any("Skipped" in message for message in report.messages)
        await world.check_once(set(world.session_ids).difference(skipped))


@pytest.mark.parametrize("status", [413, 414, 431, 403])
async def test_a_blocked_request_is_made_smaller(status: int) -> None:
    """A proxy that refuses large requests gets smaller ones, and nobody fails."""
    page = Answer(status, body="<html><h1>blocked</h1></html>")
    async with open_world(sessions=600, faults=[Fault(route=BATCH, action=page, nth=1)]) as world:
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=200)
        check_sums(report)
        assert report.sessions_evaluated == 600
        assert min(len(batch) for batch in world.batches()) <= 100
        await world.check_once(world.session_ids)


async def test_a_proxy_that_always_blocks_ends_the_run() -> None:
    """When even single sessions are blocked and none ever passed, the run ends before all have failed."""
    page = Answer(403, body="<html><h1>blocked</h1></html>")
    async with open_world(sessions=2_000, faults=[Fault(route=BATCH, action=page)]) as world:
        with pytest.raises(BulkEvaluationError, match="403") as caught:
            await evaluate_sessions(world.galtea, world.session_ids)
        check_sums(caught.value.report)
        assert len(world.batches()) < 1_000


async def test_too_many_ids_are_split() -> None:
    """A service that takes fewer ids a request than the chunk size gets fewer."""
    async with open_world(sessions=500, rules=EmulatorRules(session_ids_cap=60)) as world:
        report = await evaluate_sessions(world.galtea, world.session_ids, chunk_size=250)
        assert report.sessions_evaluated == 500
        await world.check_once(world.session_ids)
