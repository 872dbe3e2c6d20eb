"""The course of a run: what holds at any time, whatever goes wrong with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from galtea_async.emulator.pandaprobe.course import Course, Mishap, Planner
from galtea_async.emulator.pandaprobe.rules import PandaProbeRules

NOW = 1_700_000_000.0

mishaps = st.builds(
    Mishap,
    failures=st.integers(0, 4),
    share=st.floats(0, 1),
    stuck=st.sampled_from([None, "PENDING", "RUNNING"]),
)
sizes = st.integers(1, 2_000)
times = st.lists(st.floats(0, 500), min_size=1, max_size=30).map(sorted)


@given(sizes, mishaps, times)
def test_counts_stay_within_bounds_and_fall_only_at_a_restart(
    sessions: int, mishap: Mishap, offsets: list[float]
) -> None:
    """A count is at most the number of sessions, and falls only after a failure; in the end all are done."""
    course = Planner(PandaProbeRules()).plan(NOW, sessions, mishap)
    failures = [attempt.ends_at for attempt in course.attempts if attempt.outcome == "FAILED"]
    before, count_before = NOW, 0
    for offset in offsets:
        now = NOW + offset
        state = course.at(now)
        assert 0 <= state.evaluated_count <= sessions
        assert (state.completed_at is not None) == (state.status in {"COMPLETED", "FAILED"})
        if state.status == "COMPLETED":
            assert state.evaluated_count == sessions
        if state.evaluated_count < count_before:
            restarts = [attempt.starts_at for attempt in course.attempts[1:]]
            assert any(before < restart <= now for restart in restarts)
            assert failures
        before, count_before = now, state.evaluated_count


@given(sizes, mishaps)
def test_every_run_ends_as_its_mishap_says(sessions: int, mishap: Mishap) -> None:
    """Stuck runs stay where they are, three failures are final, and anything else is COMPLETED."""
    rules = PandaProbeRules()
    course = Planner(rules).plan(NOW, sessions, mishap)
    expected = mishap.stuck or ("FAILED" if mishap.failures >= rules.attempts else "COMPLETED")
    assert course.at(NOW + 1e7).status == expected
    assert course.at(NOW).status == "PENDING"


@given(sizes, mishaps)
def test_a_course_survives_being_written_down(sessions: int, mishap: Mishap) -> None:
    """What the store keeps is the whole course."""
    course = Planner(PandaProbeRules()).plan(NOW, sessions, mishap)
    assert Course.read(course.written()) == course


@given(st.lists(sizes, min_size=1, max_size=20), st.integers(1, 4))
def test_no_more_runs_are_running_than_there_are_workers(counts: list[int], workers: int) -> None:
    """Runs are taken up in the order of their creation, and never by more workers than there are."""
    planner = Planner(PandaProbeRules(workers=workers))
    courses = [planner.plan(NOW, count, Mishap()) for count in counts]
    starts = [course.attempts[0].starts_at for course in courses]
    assert starts == sorted(starts)
    for start in starts:
        assert sum(course.at(start).status == "RUNNING" for course in courses) <= workers
