"""The retry budget: repeats never make an outage worse, however many calls there are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import AsyncGaltea, GalteaError, RateLimitedError, RetryPolicy, ServerError
from galtea_async.http import RetryBudget
from galtea_async.http.verdict import Repeat
from support.raw_server import RawRequest, RawServer, in_turn, json_answer

KEY = "gsk_0123456789"
SESSION = json_answer(200, '{"id": "session_1"}')
BUSY = json_answer(503, '{"message": "busy"}')
COSTS = {Repeat.SOON: 14, Repeat.THROTTLED: 5}
CAPACITY = 500

AT_ONCE = RetryPolicy(attempts=5, base_delay=0.0)
ONCE = RetryPolicy(attempts=1)

Event = Literal["transient", "throttled", "repeat succeeds", "call succeeds"]


async def fail(galtea: AsyncGaltea) -> ServerError:
    """Make a read that fails for good, and return how."""
    with pytest.raises(ServerError) as caught:
        await galtea.sessions.get("session_1")
    return caught.value


@pytest.mark.parametrize(("repeat", "cost"), COSTS.items())
def test_a_repeat_costs_what_its_failure_costs(repeat: Repeat, cost: int) -> None:
    """A full purse pays for 35 repeats after transient failures, or 100 after a 429, and then for none."""
    budget = RetryBudget()
    for paid in range(1, CAPACITY // cost + 1):
        assert budget.spend(repeat) == cost
        assert budget.tokens == CAPACITY - paid * cost
    left = budget.tokens
    assert left < cost
    assert budget.spend(repeat) is None
    assert budget.tokens == left


def test_a_cheaper_repeat_is_still_paid() -> None:
    """What does not suffice for a repeat after a failure may suffice for one after a 429."""
    budget = RetryBudget()
    while budget.spend(Repeat.SOON) is not None:
        pass
    assert budget.tokens == 10
    assert [budget.spend(Repeat.THROTTLED) for _ in range(3)] == [5, 5, None]
    assert budget.tokens == 0


@pytest.mark.parametrize(("repeat", "cost"), COSTS.items())
def test_a_repeat_that_succeeds_is_paid_back(repeat: Repeat, cost: int) -> None:
    """The cost of a repeat comes back with its success, whole, and no token more."""
    budget = RetryBudget()
    paid = [budget.spend(repeat) for _ in range(10)]
    assert budget.tokens == CAPACITY - 10 * cost
    budget.succeeded(paid[0] or 0)
    assert budget.tokens == CAPACITY - 9 * cost


def test_a_call_that_succeeds_at_once_puts_one_token_in() -> None:
    """An emptied purse fills by one token a success, so fourteen successes buy a repeat."""
    budget = RetryBudget()
    while budget.spend(Repeat.THROTTLED) is not None:
        pass
    for _ in range(13):
        budget.succeeded(0)
    assert budget.spend(Repeat.SOON) is None
    budget.succeeded(0)
    assert budget.spend(Repeat.SOON) == 14


def test_a_full_purse_stays_as_it_is() -> None:
    """Successes while all is well save nothing up for a later storm."""
    budget = RetryBudget()
    for paid in (0, 0, 14, 5):
        budget.succeeded(paid)
    assert budget.tokens == CAPACITY


EVENTS = st.lists(
    st.sampled_from(("transient", "throttled", "repeat succeeds", "call succeeds")), max_size=400
)


@given(events=EVENTS)
def test_any_fate_keeps_the_bounds(events: Sequence[Event]) -> None:
    """Whatever fails and succeeds: the purse holds 0 to 500 tokens, and no more is spent than it had."""
    budget, unanswered, spent, earned = RetryBudget(), list[int](), 0, 0
    for event in events:
        before = budget.tokens
        match event:
            case "transient" | "throttled":
                repeat = Repeat.SOON if event == "transient" else Repeat.THROTTLED
                paid = budget.spend(repeat)
                assert (paid is None) == (before < COSTS[repeat])
                assert budget.tokens == before - (paid or 0)
                if paid is not None:
                    unanswered.append(paid)
                    spent += paid
            case "repeat succeeds" if unanswered:
                refund = unanswered.pop()
                budget.succeeded(refund)
                assert budget.tokens == min(CAPACITY, before + refund)
                earned += refund
            case _:
                budget.succeeded(0)
                assert budget.tokens == min(CAPACITY, before + 1)
                earned += 1
        assert 0 <= budget.tokens <= CAPACITY
    assert spent <= CAPACITY + earned


async def test_a_dead_service_is_not_hammered() -> None:
    """Of 200 concurrent reads that all fail, 35 are repeated in all, and the others say why they were not."""
    async with RawServer(BUSY) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        calls = (galtea.sessions.get(f"session_{number}") for number in range(200))
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(error, ServerError) for error in errors)
        assert len(server.requests) == 200 + 35
        assert galtea.statistics().retried == 35
        assert galtea.statistics().retry_budget == CAPACITY - 35 * 14
    reasons = [str(error) for error in errors]
    spent = [reason for reason in reasons if "the retry budget is spent" in reason]
    used_up = [reason for reason in reasons if "RetryPolicy allows 5 attempts" in reason]
    assert len(spent) + len(used_up) == 200
    assert len(spent) >= 200 - 35 // 4
    assert sum(error.attempts for error in errors if isinstance(error, ServerError)) == 235


async def test_a_storm_of_refusals_is_bounded_too() -> None:
    """What is left of the purse pays for the repeats of throttled calls, at 5 tokens each."""
    throttled = json_answer(429, "{}", {"Retry-After": 0})
    async with RawServer(BUSY) as server, AsyncGaltea(KEY, base_url=server.url, retry=AT_ONCE) as galtea:
        await asyncio.gather(*(fail(galtea) for _ in range(35)))
        assert galtea.statistics().retry_budget == 10
        server.reply = throttled
        calls = (galtea.sessions.create(version_id="version_1") for _ in range(5))
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(error, RateLimitedError) for error in errors)
        assert galtea.statistics().throttled == 5 + 2
        assert galtea.statistics().retry_budget == 0


async def test_success_fills_the_purse_again() -> None:
    """After an outage a repeat can be made again when 14 tokens have come together, one for each success."""
    async with RawServer(BUSY) as server, AsyncGaltea(KEY, base_url=server.url, retry=AT_ONCE) as galtea:
        await asyncio.gather(*(fail(galtea) for _ in range(50)))
        assert galtea.statistics().retry_budget == 10
        assert (await fail(galtea)).attempts == 1
        server.reply = SESSION
        for tokens in range(11, 15):
            await galtea.sessions.get("session_1")
            assert galtea.statistics().retry_budget == tokens
        server.reply = BUSY
        error = await fail(galtea)
        assert error.attempts == 2
        assert "the retry budget is spent" in str(error)
        assert galtea.statistics().retry_budget == 0


async def test_a_success_after_repeats_gets_back_the_last_one() -> None:
    """Of two repeats the first has failed and stays paid; the second has succeeded and is paid back."""
    seen: list[int] = []
    answers = in_turn(BUSY, BUSY, SESSION)

    async def reply(request: RawRequest, writer: asyncio.StreamWriter) -> None:
        seen.append(galtea.statistics().retry_budget)
        await answers(request, writer)

    async with RawServer(reply) as server, AsyncGaltea(KEY, base_url=server.url, retry=AT_ONCE) as galtea:
        await galtea.sessions.get("session_1")
        assert seen == [500, 486, 472]
        assert galtea.statistics().retry_budget == 486


async def test_what_is_not_repeated_costs_nothing() -> None:
    """A refusal, a write of unknown outcome and a call with one attempt leave the purse full."""
    async with RawServer(BUSY) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        await fail(galtea.with_options(retry=ONCE))
        with pytest.raises(GalteaError, match="503"):
            await galtea.sessions.create(version_id="version_1")
        server.reply = json_answer(404, "{}")
        with pytest.raises(GalteaError, match="404"):
            await galtea.sessions.get("session_1")
        assert galtea.statistics().retry_budget == CAPACITY


async def test_a_view_spends_the_purse_of_its_client() -> None:
    """Many views, such as one a web request, have no more repeats than one client."""
    async with RawServer(BUSY) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        views = [galtea.with_options(retry=RetryPolicy(attempts=3, base_delay=0.0)) for _ in range(40)]
        await asyncio.gather(*(fail(view) for view in views))
        assert len(server.requests) == 40 + 35
        assert galtea.statistics().retry_budget == 10
        error = await fail(galtea)
        assert error.attempts == 1


async def test_two_clients_have_two_purses() -> None:
    """What one client has spent is not missing to another."""
    async with (
        RawServer(BUSY) as server,
        AsyncGaltea(KEY, base_url=server.url, retry=AT_ONCE) as one,
        AsyncGaltea(KEY, base_url=server.url, retry=AT_ONCE) as other,
    ):
        await asyncio.gather(*(fail(one) for _ in range(20)))
        assert one.statistics().retry_budget == 10
        assert other.statistics().retry_budget == CAPACITY
        assert (await fail(other)).attempts == 5
