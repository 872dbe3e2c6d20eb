"""What is refused before it is sent: values that the service would refuse, bill twice or break over."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandaprobe.world import RELIABILITY, RUN, open_world

from galtea_async import AsyncPandaProbe, InvalidRequestError

DAY = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
Mistake = Callable[[Any], Any]
"""A call that a type checker would refuse as well."""


async def batch(panda: AsyncPandaProbe, **options: Any) -> None:
    """Ask for a run over a session."""
    chosen: dict[str, Any] = {"metrics": ["m1"], **options}
    await panda.session_runs.create_batch(["s1"], **chosen)


async def filtered(panda: AsyncPandaProbe, **options: Any) -> None:
    """Ask for a run over all sessions."""
    chosen: dict[str, Any] = {"metrics": ["m1"], **options}
    await panda.session_runs.create(**chosen)


@pytest.mark.parametrize("call", [batch, filtered])
@pytest.mark.parametrize(
    "options",
    [
        {"metrics": []},
        {"metrics": "m1"},
        {"metrics": None},
        {"metrics": ["m1", "m2", "m1"]},
        {"metrics": ["m1", ""]},
        {"metrics": ["m\0"]},
        {"metrics": ["m1", 1]},
        {"name": "x" * 249},
        {"name": "a\0b"},
        {"name": 5},
        {"name": "\ud800"},
        {"model": "x" * 256},
        {"model": "\0"},
        {"signal_weights": {"": 1.0}},
        {"signal_weights": {"loops": "1"}},
        {"signal_weights": {"loops": float("nan")}},
        {"signal_weights": {"loops": True}},
        {"signal_weights": ["loops"]},
    ],
)
async def test_runs_that_are_refused_before_they_are_sent(
    call: Callable[..., Any], options: dict[str, Any]
) -> None:
    """What the service would refuse, bill twice or break down over never leaves."""
    async with open_world() as world:
        with pytest.raises(InvalidRequestError):
            await call(world.panda, **options)
        assert world.emulator.requests == []


@pytest.mark.parametrize(
    "session_ids", [[], "s1", b"s1", None, 5, ["s1", ""], ["s1", " "], ["s1", "a\0b"], ["s1", 1], ["\ud800"]]
)
async def test_session_ids_that_are_refused_before_they_are_sent(session_ids: Any) -> None:
    """Nothing, one text in place of a list, and what is no id never leave."""
    async with open_world() as world:
        with pytest.raises(InvalidRequestError, match="session_ids"):
            await world.panda.session_runs.create_batch(session_ids, metrics=[RELIABILITY])
        assert world.emulator.requests == []


REFUSED: list[tuple[Mistake, str]] = [
    (lambda panda: panda.session_runs.create(metrics=["m"], sampling_rate=0), "sampling_rate"),
    (lambda panda: panda.session_runs.create(metrics=["m"], sampling_rate=1.1), "sampling_rate"),
    (lambda panda: panda.session_runs.create(metrics=["m"], min_trace_count=0), "min_trace_count"),
    (lambda panda: panda.session_runs.create(metrics=["m"], tags="a"), "tags"),
    (lambda panda: panda.session_runs.create(metrics=["m"], tags=[]), "tags"),
    (lambda panda: panda.session_runs.create(metrics=["m"], has_error="no"), "has_error"),
    (
        lambda panda: panda.session_runs.create(metrics=["m"], date_from=DAY.replace(tzinfo=None)),
        "date_from",
    ),
    (lambda panda: panda.session_scores.list(date_to=DAY.replace(tzinfo=None)), "date_to"),
    (lambda panda: panda.session_scores.list(date_to="2026-01-05"), "date_to"),
    (lambda panda: panda.session_scores.list(session_id="a\0"), "session_id"),
    (lambda panda: panda.session_scores.of_session("a/b"), "slash"),
    (lambda panda: panda.sessions.get("a/b"), "slash"),
    (lambda panda: panda.sessions.get(""), "session_id"),
    (lambda panda: panda.sessions.get("a\0"), "session_id"),
    (lambda panda: panda.sessions.get("a", limit=1_001), "limit"),
    (lambda panda: panda.sessions.get("a", offset=-1), "offset"),
    (lambda panda: panda.sessions.list(sort_by="age"), "sort_by"),
    (lambda panda: panda.sessions.list(sort_order="up"), "sort_order"),
    (lambda panda: panda.session_runs.list(limit=0), "limit"),
    (lambda panda: panda.session_runs.list(limit=201), "limit"),
    (lambda panda: panda.session_runs.list(limit=None), "limit"),
    (lambda panda: panda.session_runs.list(offset=2**63), "offset"),
    (lambda panda: panda.session_runs.list(offset=True), "offset"),
    (lambda panda: panda.session_runs.iterate(page_size=1), "page_size"),
    (lambda panda: panda.session_scores.iterate(page_size=201), "page_size"),
    (lambda panda: panda.session_runs.wait(RUN, timeout=0), "timeout"),
    (lambda panda: panda.session_runs.wait(RUN, timeout="5"), "timeout"),
    (lambda panda: panda.session_runs.get(" "), "id"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, input={"a": ["\0"]}), "input"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, output={"\0": 1}), "output"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, output=object()), "output"),
    (lambda panda: panda.traces.create(name="t", started_at=DAY, tags="a"), "tags"),
    (
        lambda panda: panda.traces.create(name="t", started_at=DAY, input={"a": [float("nan")]}),
        "input cannot be sent: not JSON: NaN or an infinity",
    ),
    (
        lambda panda: panda.traces.create(name="t", started_at=DAY, output=float("inf")),
        "output cannot be sent",
    ),
    (lambda panda: panda.traces.create(name="t\0", started_at=DAY), "name may have no NUL characters"),
    (
        lambda panda: panda.traces.create(name="t", started_at=DAY, user_id="\ud800"),
        "user_id: an id may have no lone surrogates",
    ),
    (
        lambda panda: panda.session_runs.create_batch(["a\0"], metrics=["m"]),
        "session_ids: an id may have no NUL characters",
    ),
    (lambda panda: panda.session_runs.get("a\0"), "id may have no NUL characters"),
    (
        lambda panda: panda.session_runs.delete(RUN, delete_scores="no"),
        "delete_scores is True or False, not 'no'",
    ),
    (lambda panda: panda.session_runs.delete(RUN, delete_scores=None), "delete_scores is True or False"),
    (lambda panda: panda.request("GET", "/sessions", params=5), "params is a mapping"),
    (lambda panda: panda.request(None, "/sessions"), "is not an HTTP method"),
]


@pytest.mark.parametrize(
    ("ask", "problem"),
    REFUSED,
)
async def test_what_else_is_refused_before_it_is_sent(ask: Mistake, problem: str) -> None:
    """Values that cannot be right are named, and nothing is sent."""
    async with open_world() as world:
        with pytest.raises(InvalidRequestError, match=problem):
            await ask(world.panda)
        assert world.emulator.requests == []


UNKNOWN_FILTERS: list[Mistake] = [
    lambda panda: panda.session_runs.list(name="nightly"),
    lambda panda: panda.session_runs.iterate(created_at=DAY),
    lambda panda: panda.session_runs.create(metrics=["m"], session_ids=["s1"]),
    lambda panda: panda.session_scores.list(metric_name="m"),
    lambda panda: panda.sessions.iterate(sort_by="cost"),
]


@pytest.mark.parametrize(
    "ask",
    UNKNOWN_FILTERS,
)
async def test_a_filter_that_does_not_exist(ask: Mistake) -> None:
    """The service ignores unknown filters and gives everything, so they are a `TypeError` here."""
    async with open_world() as world:
        with pytest.raises(TypeError, match="has no filter"):
            await ask(world.panda)
        assert world.emulator.requests == []


@given(text=st.text(alphabet=["\\", "u", "0", "\0", "n"], max_size=12))
async def test_only_a_nul_is_a_nul(text: str) -> None:
    """A text that merely looks like an escaped NUL is sent; one with a NUL in it never is."""
    async with open_world(sessions=0) as world:
        try:
            await world.panda.traces.create(name="t", started_at=DAY, input={"text": text})
        except InvalidRequestError:
            assert "\0" in text
        else:
            assert "\0" not in text
