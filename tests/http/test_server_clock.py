"""The service's clock, as learnt from `Date` headers, is always inside the bounds."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from email.utils import formatdate
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.http import ServerClock

START = 1_700_000_000.0
SLACK = datetime.timedelta(microseconds=10)
EXCHANGES = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=8)


def moment(seconds: float) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=seconds)


def clock_at(start: float) -> ServerClock:
    return ServerClock(lambda: 0.0, wall_at_start=start)


def observe(clock: ServerClock, offset: float, exchanges: Sequence[tuple[float, float, float]]) -> float:
    """Show a clock exchanges with a service that is `offset` seconds ahead; returns when the last ended."""
    wall = START
    for pause, way_there, way_back in exchanges:
        sent = wall + pause
        answered = sent + way_there
        wall = answered + way_back
        clock.observe(formatdate(math.floor(answered + offset), usegmt=True), sent, wall)
    return wall


@given(
    offset=st.one_of(st.floats(-10, 10), st.floats(295, 305), st.floats(-305, -295), st.floats(-1e8, 1e8)),
    exchanges=EXCHANGES,
)
def test_the_true_time_is_inside_the_span(
    offset: float, exchanges: Sequence[tuple[float, float, float]]
) -> None:
    """Whatever the skew and the delays of the network, the service's true time lies in the span."""
    clock = clock_at(START)
    wall = observe(clock, offset, exchanges)
    span = clock.span(wall)
    assert span.earliest - SLACK <= moment(wall + offset) <= span.latest + SLACK


@given(offset=st.floats(-100, 100), exchanges=EXCHANGES)
def test_every_answer_narrows_the_span(
    offset: float, exchanges: Sequence[tuple[float, float, float]]
) -> None:
    """With a steady clock a further answer never widens the span."""
    clock = clock_at(START)
    widths: list[float] = []
    for count in range(len(exchanges)):
        clock = clock_at(START)
        wall = observe(clock, offset, exchanges[: count + 1])
        span = clock.span(wall)
        widths.append((span.latest - span.earliest).total_seconds())
    assert all(later <= earlier + 1e-4 for earlier, later in pairwise(widths))
    shortest = min(there + back for _, there, back in exchanges)
    assert widths[-1] <= shortest + 1.0 + 1e-4


@given(before=st.floats(-50, 50), after=st.floats(1_000, 1e6), exchanges=EXCHANGES)
def test_a_clock_that_was_set_is_learnt_anew(
    before: float, after: float, exchanges: Sequence[tuple[float, float, float]]
) -> None:
    """When the service's clock jumps, old bounds are forgotten at the next answer."""
    clock = clock_at(START)
    observe(clock, before, exchanges)
    wall = observe(clock, after, exchanges)
    span = clock.span(wall)
    assert span.earliest - SLACK <= moment(wall + after) <= span.latest + SLACK


def test_without_answers_the_margin_is_wide() -> None:
    """Before any `Date`, and without one, the clocks may differ by minutes."""
    clock = clock_at(START)
    clock.observe(None, START, START + 1)
    span = clock.span(START)
    assert span.latest - span.earliest >= datetime.timedelta(minutes=5)
    assert span.earliest < clock.now() < span.latest


@pytest.mark.parametrize(
    "header", ["", "yesterday", "Mon, 01 Jan 2024", "\0", "Mon, 99 Jan 2024 00:00:00 GMT"]
)
def test_an_unreadable_date_teaches_nothing(header: str) -> None:
    """A `Date` that is none changes nothing."""
    clock = clock_at(START)
    before = clock.span(START)
    clock.observe(header, START, START + 1)
    assert clock.span(START) == before


@pytest.mark.parametrize(
    "header",
    ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0100 00:00:00 +2359", "Sat, 01 Jan 0100 00:00:00 GMT"],
)
def test_an_absurd_date_breaks_nothing(header: str) -> None:
    """A `Date` at the end of all dates may be believed or not, but raises nothing."""
    clock = clock_at(START)
    clock.observe(header, START, START + 1)
    assert clock.now().tzinfo is not None
    assert clock.span(START + 100).earliest <= clock.span(START + 100).latest


def test_the_wall_follows_the_loop() -> None:
    """A step of our own wall clock changes nothing: time goes on by the loop's clock."""
    elapsed = 0.0
    clock = ServerClock(lambda: elapsed, wall_at_start=START)
    elapsed = 12.5
    assert clock.wall() == START + 12.5
