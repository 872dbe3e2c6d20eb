"""What is believed of a run, whatever it says of itself and whenever it is looked at."""

from __future__ import annotations

import datetime
import math

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import CompletionPolicy, SessionRun, SessionRunStatus
from galtea_async.pandaprobe.run_progress import RunProgress, RunState

POLICY = CompletionPolicy()
EARLY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
PENDING, RUNNING, COMPLETED, FAILED = (
    SessionRunStatus(status) for status in ("PENDING", "RUNNING", "COMPLETED", "FAILED")
)


def run(
    status: SessionRunStatus | None,
    done: int = 0,
    failed: int = 0,
    *,
    failure: int | None = None,
    ids: int = 0,
) -> SessionRun:
    """A run as it may be read; `failure` tells one failure from another."""
    return SessionRun(
        id="run",
        status=status,
        total_targets=10,
        evaluated_count=done,
        failed_count=failed,
        completed_at=None if failure is None else EARLY + datetime.timedelta(seconds=failure),
        filters={"session_ids": [str(number) for number in range(ids)]},
    )


@attrs.frozen(kw_only=True)
class Look:
    """A look at a run, some seconds after the one before."""

    run: SessionRun
    after: float
    queue_moved_before: float


RUNS = st.builds(
    run,
    st.sampled_from([None, PENDING, RUNNING, COMPLETED, FAILED, SessionRunStatus("PAUSED")]),
    st.integers(0, 3),
    st.integers(0, 1),
    failure=st.none() | st.integers(0, 2),
)
LOOKS = st.builds(
    Look,
    run=RUNS,
    after=st.sampled_from([0.0, 2.0, 12.0, 30.0, 61.0, 600.0, 10_000.0]) | st.floats(0, 2_000),
    queue_moved_before=st.sampled_from([0.0, 29.0, 30.0, 599.0, 600.0, math.inf]),
)


@given(looks=st.lists(LOOKS, max_size=25))
def test_what_is_believed_follows_the_rules(looks: list[Look]) -> None:
    """Over any history: each verdict is justified by the whole history, read afresh."""
    progress = RunProgress(POLICY)
    now = 0.0
    seen: list[tuple[float, SessionRun]] = []
    for look in looks:
        now += look.after
        seen.append((now, look.run))
        state = progress.observe(look.run, now, now - look.queue_moved_before)
        assert state is expected_of(seen, now - look.queue_moved_before)


def expected_of(seen: list[tuple[float, SessionRun]], queue_moved_at: float) -> RunState:
    """The rules once more, without a memory: all is worked out from the whole history."""
    now, last = seen[-1]
    if any(old.status is COMPLETED for _, old in seen):
        return RunState.COMPLETED
    if last.status is FAILED:
        failures = [
            (at, old)
            for index, (at, old) in enumerate(seen)
            if old.status is FAILED and (index == 0 or not is_same_failure(seen[index - 1][1], old))
        ]
        lasted = now - max(failures[-1][0], queue_moved_at)
        is_final = len(failures) >= 3 or lasted >= POLICY.failed_for
        return RunState.FAILED if is_final else RunState.UNDER_WAY
    changes = [
        at for index, (at, old) in enumerate(seen) if index == 0 or marks(seen[index - 1][1]) != marks(old)
    ]
    still_since = max(changes[-1], queue_moved_at) if last.status is PENDING else changes[-1]
    return RunState.STUCK if now - still_since >= POLICY.no_progress else RunState.UNDER_WAY


def is_same_failure(before: SessionRun, after: SessionRun) -> bool:
    """Whether two looks that follow each other saw one failure."""
    return before.status is FAILED and before.completed_at == after.completed_at


def marks(of: SessionRun) -> tuple[object, ...]:
    """What changes while a run is worked on."""
    return of.status, of.evaluated_count, of.failed_count


@pytest.mark.parametrize("outcome", [COMPLETED, FAILED])
def test_a_run_that_fails_and_is_tried_again(outcome: SessionRunStatus) -> None:
    """The course that was observed on a server: two failures ten seconds apart, and then the end."""
    progress = RunProgress(POLICY)
    course = [
        (0.0, run(PENDING)),
        (1.0, run(RUNNING, 2)),
        (1.6, run(FAILED, 2, failure=1)),
        (11.7, run(RUNNING, 0)),
        (12.8, run(FAILED, 2, failure=12)),
        (23.0, run(RUNNING, 0)),
    ]
    assert {progress.observe(look, at) for at, look in course} == {RunState.UNDER_WAY}
    assert progress.observe(run(outcome, 2, failure=24), 24.1).name == outcome.value


def test_three_failures_are_told_apart_without_a_look_between() -> None:
    """Who looks seldom sees FAILED each time; other times of failure tell that these are three."""
    progress = RunProgress(POLICY)
    states = [progress.observe(run(FAILED, failure=at), at) for at in (2, 14, 14, 26)]
    assert states == [RunState.UNDER_WAY, RunState.UNDER_WAY, RunState.UNDER_WAY, RunState.FAILED]


def test_a_failure_is_also_told_by_its_message() -> None:
    """A service that names no time of failure has a message for each."""
    progress = RunProgress(POLICY)
    looks = [attrs.evolve(run(FAILED), error_message=message) for message in ("one", "two", "three")]
    assert [progress.observe(look, 1.0) for look in looks][-1] is RunState.FAILED


def test_a_restart_is_progress() -> None:
    """Counters that fall back to zero put off the moment at which a run counts as stuck."""
    progress = RunProgress(POLICY)
    progress.observe(run(RUNNING, 5), 0.0)
    assert progress.observe(run(RUNNING, 0), 599.0) is RunState.UNDER_WAY
    assert progress.observe(run(RUNNING, 0), 1_198.0) is RunState.UNDER_WAY
    assert progress.observe(run(RUNNING, 0), 1_199.0) is RunState.STUCK
    assert progress.changed_at == 599.0


def test_a_run_that_waits_for_its_turn_is_not_stuck() -> None:
    """While others of its job make progress PENDING may last; RUNNING may not, for it has its turn."""
    for status, expected in ((PENDING, RunState.UNDER_WAY), (RUNNING, RunState.STUCK)):
        progress = RunProgress(POLICY)
        progress.observe(run(status), 0.0)
        assert progress.observe(run(status), 5_000.0, queue_moved_at=4_990.0) is expected


def test_completed_is_final() -> None:
    """An answer that is out of date does not take back what was seen."""
    progress = RunProgress(POLICY)
    assert progress.observe(run(COMPLETED, 10), 0.0) is RunState.COMPLETED
    assert progress.observe(run(RUNNING, 9), 1.0) is RunState.COMPLETED


def test_cancelled_is_final() -> None:
    """A status that only other versions of the service know ends a run at once."""
    assert RunProgress(POLICY).observe(run(SessionRunStatus.CANCELLED), 0.0) is RunState.FAILED


@pytest.mark.parametrize(
    ("ids", "seconds"), [(0, 2), (1, 2), (1_000, 2), (1_500, 3), (10_000, 20), (30_000, 60), (200_000, 60)]
)
def test_large_runs_are_looked_at_more_rarely(ids: int, seconds: float) -> None:
    """The pause grows with the ids that each answer echoes, up to a minute."""
    assert RunProgress(POLICY).pause(run(RUNNING, ids=ids)) == seconds


@given(interval=st.floats(0.01, 1_000), ids=st.integers(0, 5_000))
def test_a_pause_is_never_shorter_than_asked_for(interval: float, ids: int) -> None:
    """The policy's interval is the least, and only a longer one exceeds a minute."""
    pause = RunProgress(CompletionPolicy(poll_interval=interval)).pause(run(RUNNING, ids=ids))
    assert interval <= pause <= max(60, interval)


def test_a_run_over_filters_has_no_ids_to_echo() -> None:
    """Only ids that are in the answer slow the looks down, whatever the number of sessions."""
    many = SessionRun(id="run", total_targets=100_000, filters={"has_error": True})
    assert RunProgress(POLICY).pause(many) == POLICY.poll_interval
    assert RunProgress(POLICY).pause(SessionRun(id="run")) == POLICY.poll_interval


def test_a_failure_after_another_attempt_is_another_failure() -> None:
    """Where a service names neither time nor message, what was seen between two failures tells them apart."""
    progress = RunProgress(POLICY)
    looks = [run(FAILED), run(RUNNING), run(FAILED), run(PENDING), run(FAILED)]
    assert [progress.observe(look, 1.0) for look in looks] == [RunState.UNDER_WAY] * 4 + [RunState.FAILED]


@pytest.mark.parametrize("later", [run(RUNNING, 2, 1), run(RUNNING, 3, 0), run(PENDING, 2, 0)])
def test_each_change_is_progress(later: SessionRun) -> None:
    """A status, a session more or a failed score more: each shows that somebody is at work."""
    progress = RunProgress(POLICY)
    progress.observe(run(RUNNING, 2), 0.0)
    assert progress.observe(later, 600.0) is RunState.UNDER_WAY
    assert progress.observe(later, 1_200.0) is RunState.STUCK
