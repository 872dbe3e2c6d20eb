"""The official client's evaluations and runs, against the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from compat.official import EntityNotFoundException, GalteaDeprecationWarning, HTTPError

from galtea_async.emulator import EmulatorRules

if TYPE_CHECKING:
    from compat.conftest import World

of_failing_judges = pytest.mark.parametrize("rules", [EmulatorRules(failed_share=1.0)])


def recorded(world: World) -> Any:
    """A session with a turn in it."""
    session = world.sdk.sessions.create(version_id=world.version_id, is_production=False)
    world.sdk.traces.create(session_id=session.id, input="Hello?", output="Hello!")
    return session


def settled(world: World, evaluations: list[Any]) -> list[Any]:
    """The evaluations once none of them is pending."""
    settled: list[Any] = world.sdk.evaluations.wait_for([one.id for one in evaluations], poll_interval=0.06)
    return settled


def test_a_session_is_evaluated_and_waited_for(world: World) -> None:
    """A judge's score, the caller's own and a person's metric end as each does."""
    tone = world.do(world.emulator.add_metric, world.product_id, name="Tone")
    world.do(world.emulator.add_metric, world.product_id, name="Length", source="SELF_HOSTED")
    human = world.do(world.emulator.add_metric, name="Taste", source="HUMAN_EVALUATION")
    session = recorded(world)
    metrics = ["Tone", {"name": "Length", "score": 0.4}, {"id": human}]
    created = world.sdk.evaluations.create(session_id=session.id, metrics=metrics)
    assert [(one.session_id, one.metric_id) for one in created[::2]] == [
        (session.id, tone),
        (session.id, human),
    ]
    judged, own, waiting = settled(world, created)
    assert (judged.status, judged.passed, judged.metric_pass_threshold) == (
        "SUCCESS",
        judged.score >= 0.5,
        0.5,
    )
    assert (own.status, own.score, own.passed) == ("SUCCESS", 0.4, False)
    assert (waiting.status, waiting.score, waiting.passed) == ("PENDING_HUMAN", None, None)
    assert world.sdk.evaluations.get(judged.id) == judged
    world.sdk.evaluations.delete(judged.id)
    with pytest.raises(EntityNotFoundException, match=judged.id):
        world.sdk.evaluations.get(judged.id)


def test_specifications_decide_where_no_metric_is_named(world: World) -> None:
    """Without metrics the client asks for the session's specifications, or for those it names."""
    metric_id = world.do(world.emulator.add_metric, world.product_id)
    specification_id = world.do(world.emulator.add_specification, world.product_id, metric_ids=[metric_id])
    session = recorded(world)
    for named in ({}, {"specification_ids": [specification_id]}):
        [evaluation] = world.sdk.evaluations.create(session_id=session.id, **named)
        assert evaluation.metric_id == metric_id


def test_a_single_turn_is_evaluated(world: World) -> None:
    """By its id, together with its creation, and in the way that is about to go."""
    world.do(world.emulator.add_metric, world.product_id, name="Tone")
    session = recorded(world)
    [turn] = world.sdk.traces.list(session_id=session.id)
    [by_id] = world.sdk.evaluations.create(trace_id=turn.id, metrics=["Tone"])
    assert (by_id.trace_id, by_id.session_id) == (turn.id, session.id)
    second, [at_once] = world.sdk.traces.create_and_evaluate(
        session_id=session.id, input="And now?", output="Now too.", metrics=["Tone"]
    )
    assert (at_once.trace_id, at_once.session_id) == (second.id, session.id)
    with pytest.warns(GalteaDeprecationWarning):
        [alone] = world.sdk.evaluations.create_single_turn(
            version_id=world.version_id,
            input="Hello?",
            actual_output="Hello!",
            metrics=["Tone"],
            usage_info={"input_tokens": 3},
        )
    made = world.sdk.traces.get(alone.trace_id)
    assert (made.session_id, made.input, made.input_tokens) == (alone.session_id, "Hello?", 3)


def test_evaluations_are_listed_by_every_filter_of_the_client(world: World) -> None:
    """All that `evaluations.list` can ask for is understood."""
    metric_id = world.do(world.emulator.add_metric, world.product_id, name="Tone")
    test_case_id = world.do(world.emulator.add_test_case, "test_a")
    case = world.sdk.sessions.create(version_id=world.version_id, test_case_id=test_case_id)
    world.sdk.traces.create(session_id=case.id, input="Hello?", output="Hello!")
    session = recorded(world)
    evaluations = world.sdk.evaluations
    created = [evaluations.create(session_id=one.id, metrics=["Tone"])[0] for one in (case, session)]
    of_case, free = settled(world, created)
    both, low = {of_case.id, free.id}, min(of_case.score, free.score)
    assert {one.id for one in evaluations.list(id=[*both])} == both
    assert {one.id for one in evaluations.list(version_id=world.version_id, status="success")} == both
    assert {one.id for one in evaluations.list(metric_id=metric_id, user_id=free.user_id)} == both
    assert [one.id for one in evaluations.list(test_case_id=test_case_id)] == [of_case.id]
    assert [one.id for one in evaluations.list(dataset_id="test_a", from_created_at=0)] == [of_case.id]
    ranked = evaluations.list(metric_id=metric_id, sort_by_score="desc", sort_by_created_at=None)
    assert [one.score for one in ranked] == sorted([of_case.score, free.score], reverse=True)
    assert {one.id for one in evaluations.list(metric_id=metric_id, score_gte=low, score_lte=1)} == both
    assert low not in {one.score for one in evaluations.list(metric_id=metric_id, score_gt=low)}
    assert evaluations.list(metric_id=metric_id, human_score_gte=0) == []
    assert {one.id for one in evaluations.list(metric_id=metric_id, passed=True)} == {
        one.id for one in (of_case, free) if one.passed
    }


@of_failing_judges
def test_failed_evaluations_are_retried(world: World) -> None:
    """The client reads how many were taken, and why the others were not."""
    world.do(world.emulator.add_metric, world.product_id, name="Tone")
    created = world.sdk.evaluations.create(session_id=recorded(world).id, metrics=["Tone"])
    [failed] = settled(world, created)
    assert (failed.status, failed.can_retry) == ("FAILED", True)
    answer = world.sdk.evaluations.retry([failed.id, "evaluation_x"])
    assert answer == {"retried": 1, "skipped": 1, "errors": ["Evaluation evaluation_x: not found"]}
    [again] = settled(world, created)
    assert (again.retries_attempted, again.run_id) == (1, failed.run_id)


def test_a_run_holds_what_is_made_inside_its_block(world: World) -> None:
    """Sessions and evaluations made in the block carry the run, which is closed at its end."""
    world.do(world.emulator.add_metric, world.product_id, name="Tone")
    runs = world.sdk.runs
    with runs.start(product_id=world.product_id, version_id=world.version_id, custom_id="nightly") as run:
        session = recorded(world)
        [evaluation] = world.sdk.evaluations.create(session_id=session.id, metrics=["Tone"])
        assert run.status == "RUNNING"
    assert (session.run_id, evaluation.run_id) == (run.id, run.id)
    ended = runs.get(run.id)
    assert (ended.status, ended.evaluation_count, ended.session_count) == ("COMPLETED", 1, 1)
    assert [one.id for one in world.sdk.evaluations.list(run_id=run.id)] == [evaluation.id]
    with pytest.raises(HTTPError):
        world.sdk.evaluations.create(session_id=session.id, metrics=["Tone"], run_id=run.id)


def test_runs_are_found_closed_and_deleted(world: World) -> None:
    """By every filter of the client; a closed run cannot be closed again."""
    runs = world.sdk.runs
    first = runs.start(product_id=world.product_id, custom_id="one").run
    second = runs.start(product_id=world.product_id, version_id=world.version_id).run
    assert runs.close(first.id).status == "COMPLETED"
    assert [one.id for one in runs.list(product_ids=world.product_id, statuses="running")] == [second.id]
    assert [one.id for one in runs.list(version_ids=world.version_id)] == [second.id]
    assert [one.id for one in runs.list(ids=[first.id], search="#1", custom_ids="one")] == [first.id]
    ordered = runs.list(product_ids=world.product_id, sort_by_created_at="asc", limit=2, from_created_at=0)
    assert {one.ordinal for one in ordered} == {1, 2}
    assert runs.get_by_custom_id(world.product_id, "one").id == first.id
    with pytest.raises(HTTPError):
        runs.close(first.id)
    runs.delete(first.id)
    with pytest.raises(EntityNotFoundException):
        runs.get_by_custom_id(world.product_id, "one")


def test_an_agent_is_evaluated_over_all_test_cases(world: World) -> None:
    """`evaluations.run` with an agent makes sessions, turns and evaluations, all in a run of its own."""
    metric_id = world.do(world.emulator.add_metric, world.product_id)
    world.do(world.emulator.add_specification, world.product_id, metric_ids=[metric_id], test_ids=["test_a"])
    for _ in range(2):
        world.do(world.emulator.add_test_case, "test_a")

    def agent(messages: list[dict[str, str]]) -> str:
        return f"You asked: {messages[-1]['content']}"

    result = world.sdk.evaluations.run(version_id=world.version_id, agent=agent)
    assert (result["testCaseCount"], len(result["evaluations"])) == (2, 2)
    assert {one.run_id for one in result["evaluations"]} == {result["runId"]}
    assert world.sdk.runs.get(result["runId"]).status == "COMPLETED"
