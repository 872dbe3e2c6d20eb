"""PandaProbe's own SDK against the emulator: it sends traces, from which sessions come, and reads them."""

from __future__ import annotations

import asyncio
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from galtea_async.emulator import PandaProbeEmulator, PandaProbeRules

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

# Not "pandaprobe" alone: without the official client that name finds the folder `tests/pandaprobe`.
platform: Any = pytest.importorskip("pandaprobe.api")
pandaprobe: Any = import_module("pandaprobe")
httpx: Any = import_module("httpx")

_Result = TypeVar("_Result")


def said(role: str, text: str) -> dict[str, Any]:
    """What the SDK wants of inputs and outputs: one side of a chat."""
    return {"messages": [{"role": role, "content": text}]}


@attrs.frozen(kw_only=True)
class Probe:
    """An emulator in a thread of its own, and a client that sends to it in another.

    Attributes:
        emulator: The service.
        portal: The way into its thread.
        client: The official client.
    """

    emulator: PandaProbeEmulator
    portal: BlockingPortal
    client: Any

    def recorded(self, session_id: str, *questions: str) -> list[str]:
        """Trace an agent that answers questions, send the traces, and return their ids."""
        identifiers: list[str] = []
        for question in questions:
            with self.client.trace("turn", input=said("user", question), session_id=session_id) as trace:
                with trace.span("answer", kind="LLM") as span:
                    span.set_input(said("user", question))
                    span.set_output(said("assistant", question.upper()))
                trace.set_output(said("assistant", question.upper()))
                identifiers.append(str(trace.trace_id))
        self.client.flush()
        return identifiers

    def read(self, reading: Callable[[Any], Coroutine[Any, Any, _Result]]) -> _Result:
        """Read with the official client for that, which is asynchronous."""

        async def run() -> _Result:
            async with platform.PlatformClient(self.client) as reader:
                return await reading(reader)

        return asyncio.run(run())


@pytest.fixture
def probe() -> Iterator[Probe]:
    """The official client, connected to an emulator that shows traces after a twentieth of a second."""
    emulator = PandaProbeEmulator(rules=PandaProbeRules(trace_delay=0.05, pick_up=0.0))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(emulator):
        client = pandaprobe.Client(
            api_key=emulator.api_key, project_name=emulator.project_name, endpoint=emulator.url
        )
        yield Probe(emulator=emulator, portal=portal, client=client)
        client.shutdown()
        assert [one.path for one in emulator.requests if one.route is None] == []


def test_a_trace_that_is_sent_is_stored_with_its_spans(probe: Probe) -> None:
    """It can be seen a moment later, as it was recorded."""
    [trace_id] = probe.recorded("chat-1", "Hello?")

    async def reading(reader: Any) -> Any:
        return await reader.traces.wait_visible(trace_id, timeout=5, poll_interval=0.02)

    trace = probe.read(reading)
    assert (trace.trace_id, trace.name, trace.status) == (UUID(trace_id), "turn", "COMPLETED")
    assert (trace.session_id, str(trace.project_id)) == ("chat-1", probe.emulator.project_id)
    assert (trace.input, trace.output) == (said("user", "Hello?"), said("assistant", "HELLO?"))
    [span] = trace.spans
    assert (span.name, span.kind, span.trace_id) == ("answer", "LLM", trace.trace_id)
    assert span.output == said("assistant", "HELLO?")
    sent = [(one.method, one.route, one.status) for one in probe.emulator.requests]
    assert sent[0] == ("POST", "/traces", 202)


def test_traces_are_listed_by_session_and_page_by_page(probe: Probe) -> None:
    """All of one session's, none of another's."""
    mine = probe.recorded("chat-1", "One", "Two", "Three")
    theirs = probe.recorded("chat-2", "Four")

    async def reading(reader: Any) -> Any:
        for trace_id in (*mine, *theirs):
            await reader.traces.wait_visible(trace_id, timeout=5, poll_interval=0.02)
        listed = [one async for one in reader.traces.iterate(session_id="chat-1")]
        return listed, await reader.traces.list(limit=3, offset=3)

    listed, last_page = probe.read(reading)
    assert {str(one.trace_id) for one in listed} == set(mine)
    assert (len(last_page.items), last_page.total, last_page.limit, last_page.offset) == (1, 4, 3, 3)


def test_sessions_that_were_traced_can_be_evaluated(probe: Probe) -> None:
    """The session is what its traces have in common; a run over it scores it, and the SDK reads the run."""
    trace_ids = probe.recorded("chat-1", "Hello?", "Are you there?")

    async def reading(reader: Any) -> Any:
        for trace_id in trace_ids:
            await reader.traces.wait_visible(trace_id, timeout=5, poll_interval=0.02)
        key = {"X-API-Key": probe.emulator.api_key, "X-Project-Name": probe.emulator.project_name}
        body = {"session_ids": ["chat-1"], "metrics": ["agent_reliability"]}
        async with httpx.AsyncClient(base_url=probe.emulator.url, headers=key) as http:
            session = (await http.get("/sessions/chat-1")).json()
            run_id = (await http.post("/evaluations/session-runs/batch", json=body)).json()["id"]
        return session, await reader.evaluations.get(run_id)

    session, run = probe.read(reading)
    assert (session["trace_count"], session["has_error"]) == (2, False)
    assert (run.metric_names, run.total_targets, run.target_type) == (["agent_reliability"], 1, "SESSION")
    runs = probe.portal.call(probe.emulator.run_counts)
    assert runs == {"chat-1": 1}


def test_a_trace_that_fails_is_an_error_of_its_session(probe: Probe) -> None:
    """What the agent raises is on the trace, and the session shows that there was an error."""
    with (
        pytest.raises(ValueError, match="no answer"),
        probe.client.trace("turn", input=said("user", "Hello?"), session_id="chat-1") as trace,
    ):
        raise ValueError("no answer")
    probe.client.flush()

    async def reading(reader: Any) -> Any:
        return await reader.traces.wait_visible(str(trace.trace_id), timeout=5, poll_interval=0.02)

    assert probe.read(reading).status == "ERROR"


def test_a_key_that_is_not_valid_and_an_unknown_trace_are_told_apart(probe: Probe) -> None:
    """The SDK raises another error for each."""
    unknown = "00000000-0000-4000-8000-000000000000"
    stranger = pandaprobe.Client(
        api_key="sk_pp_0", project_name=probe.emulator.project_name, endpoint=probe.emulator.url
    )

    async def as_stranger() -> None:
        async with platform.PlatformClient(stranger) as reader:
            await reader.traces.list()

    with pytest.raises(platform.AuthenticationError):
        asyncio.run(as_stranger())
    stranger.shutdown()
    with pytest.raises(platform.NotFoundError):
        probe.read(partial(_get, trace_id=unknown))


async def _get(reader: Any, trace_id: str) -> Any:
    return await reader.traces.get(trace_id)
