"""The line and the slots: never above the limit, first come first served, and no cancel leaks anything."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import RateLimit, WouldWaitError
from galtea_async.http import AccountWide, Admission, Rate, RouteClass, RouteTable, Slot


def now() -> float:
    return asyncio.get_running_loop().time()


def admission_of(limit: int, interval: float = 0.0) -> Admission:
    """An admission of two classes that are counted together, as a client has."""
    declared = RateLimit(1, interval / 1.02) if interval else None
    routes = RouteTable.of(AccountWide(declared, limit))
    return Admission(ceiling=limit, routes=routes, clock=asyncio.get_running_loop().time)


def rate_of(admission: Admission) -> Rate:
    return admission.routes.known["reads"].rate


async def a_few_turns() -> None:
    """Let those run who were admitted."""
    for _ in range(5):
        await asyncio.sleep(0)


@attrs.define
class Bank:
    """Customers who pass through an admission, and what was seen of them."""

    admission: Admission
    at_work: int = 0
    admitted: list[int] = attrs.field(factory=list[int])
    moments: list[float] = attrs.field(factory=list[float])

    async def visit(self, number: int, seconds: float) -> None:
        slot = await self.admission.enter("reads")
        try:
            self.at_work += 1
            self.admitted.append(number)
            self.moments.append(now())
            assert self.at_work <= self.admission.in_flight <= self.admission.ceiling
            await asyncio.sleep(seconds)
        finally:
            self.at_work -= 1
            self.admission.leave(slot)


async def test_a_free_slot_is_taken_without_a_turn_of_the_loop() -> None:
    """While slots are free and nobody waits, entering does not give way to other tasks."""
    admission = admission_of(2)
    entering = admission.enter("reads")
    with pytest.raises(StopIteration):
        entering.send(None)
    assert admission.in_flight == 1


async def test_who_comes_first_is_served_first() -> None:
    """Whoever waits is admitted in the order of arrival."""
    bank = Bank(admission_of(3))
    await asyncio.gather(*(bank.visit(number, 1.0 + number % 3) for number in range(30)))
    assert bank.admitted == list(range(30))
    assert bank.admission.in_flight == bank.admission.waiting == 0


async def test_a_newcomer_does_not_overtake_the_line() -> None:
    """A slot that becomes free goes to the head of the line, not to who asks in that moment."""
    admission = admission_of(1)
    slot = await admission.enter("reads")
    order: list[str] = []

    async def come(name: str) -> None:
        slot = await admission.enter("reads")
        order.append(name)
        admission.leave(slot)

    early = asyncio.create_task(come("early"))
    await asyncio.sleep(0)
    admission.leave(slot)
    await come("late")
    await early
    assert order == ["early", "late"]


async def test_a_hold_stops_everybody_until_its_moment() -> None:
    """Nobody enters during a hold, and the longest of several counts."""
    bank = Bank(admission_of(5))
    begun = now()
    bank.admission.hold(rate_of(bank.admission), begun + 10)
    bank.admission.hold(rate_of(bank.admission), begun + 4)
    await asyncio.gather(*(bank.visit(number, 0) for number in range(3)))
    assert bank.moments == [begun + 10] * 3


async def test_a_hold_that_grows_while_somebody_waits() -> None:
    """A hold that is made longer meanwhile counts for those who wait already."""
    bank = Bank(admission_of(1))
    begun = now()
    bank.admission.hold(rate_of(bank.admission), begun + 5)
    visit = asyncio.create_task(bank.visit(1, 0))
    await asyncio.sleep(3)
    bank.admission.hold(rate_of(bank.admission), begun + 9)
    await visit
    assert bank.moments == [begun + 9]


async def test_a_pace_keeps_its_distance() -> None:
    """With an interval, any two admissions are at least so far apart, and no farther than needed."""
    bank = Bank(admission_of(10, interval=0.25))
    await asyncio.gather(*(bank.visit(number, 0.01) for number in range(20)))
    gaps = [late - early for early, late in zip(bank.moments, bank.moments[1:], strict=False)]
    assert gaps == pytest.approx([0.25] * 19)


async def test_a_pace_gives_no_credit_for_idle_time() -> None:
    """After a pause the pace goes on as before; unused turns are not made up for."""
    bank = Bank(admission_of(10, interval=1.0))
    await bank.visit(0, 0)
    await asyncio.sleep(100)
    begun = now()
    await asyncio.gather(*(bank.visit(number, 0) for number in range(1, 4)))
    assert [moment - begun for moment in bank.moments[1:]] == pytest.approx([0, 1, 2])


def window_of(requests: int, ceiling: int) -> Admission:
    """An admission before a service that counts in windows of ten seconds."""
    routes = RouteTable.of(AccountWide(RateLimit(requests, 10.0, shape="window"), ceiling))
    return Admission(ceiling=ceiling, routes=routes, clock=asyncio.get_running_loop().time)


async def test_a_window_waits_for_an_answer() -> None:
    """While all that a window admits are in flight, the next comes a window after the first answer."""
    bank = Bank(window_of(2, 4))
    begun = now()
    visits = [
        asyncio.create_task(bank.visit(number, seconds)) for number, seconds in enumerate((30.0, 4.0, 0.0))
    ]
    await asyncio.gather(*visits)
    assert [moment - begun for moment in bank.moments] == pytest.approx([0.0, 0.0, 4.0 + 10.2])


async def test_who_cannot_wait_for_an_answer_and_a_window_is_told_at_once() -> None:
    """Nobody knows when the answer comes; but its window is long enough to say no."""
    admission = window_of(1, 4)
    slot = await admission.enter("reads")
    begun = now()
    with pytest.raises(WouldWaitError, match=r"not for 10\.2 s more") as caught:
        await admission.enter("reads", until=begun + 10)
    assert [now() - begun, caught.value.wait] == pytest.approx([0.0, 10.2])
    patient = asyncio.create_task(admission.enter("reads", until=begun + 11))
    await asyncio.sleep(5)
    admission.leave(slot)
    with pytest.raises(WouldWaitError, match="did not come in time") as caught:
        await patient
    assert [now() - begun, caught.value.wait] == pytest.approx([11.0, 4.2])
    assert (admission.in_flight, admission.waiting) == (0, 0)


@given(
    requests=st.integers(1, 4),
    ceiling=st.integers(1, 6),
    visits=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.1, 5.0, 10.3]),
            st.sampled_from([0.0, 0.1, 4.0, 10.1, 30.0]),
            st.sampled_from([0.0, 9.0, 11.0, 40.0, math.inf]),
            st.sampled_from([0.0, 2.0, 10.2, 25.0, math.inf]),
            st.floats(0.0, 1.0),
        ),
        max_size=30,
    ),
)
async def test_a_line_before_a_window_never_overruns_it(
    requests: int, ceiling: int, visits: Sequence[tuple[float, float, float, float, float]]
) -> None:
    """Whoever gives up, waits or is cancelled, in the line or in flight: no ten seconds see too many."""
    admission = window_of(requests, ceiling)
    counted: list[float] = []

    async def visit(seconds: float, patience: float, share: float) -> None:
        slot = await admission.enter("reads", until=now() + patience)
        entered = now()
        try:
            await asyncio.sleep(seconds)
        finally:
            counted.append(entered + share * (now() - entered))
            admission.leave(slot)

    async with asyncio.TaskGroup() as group:
        for pause, seconds, patience, cancelled_after, share in visits:
            await asyncio.sleep(pause)
            group.create_task(survive(visit(seconds, patience, share), cancelled_after))
    counted.sort()
    for first, beyond in zip(counted, counted[requests:], strict=False):
        assert beyond - first >= 10.0
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def survive(visit: Coroutine[None, None, None], seconds: float) -> None:
    """Cancel a visit after some seconds, and bear that it is turned away."""
    with contextlib.suppress(TimeoutError, WouldWaitError):
        async with asyncio.timeout(seconds if seconds < math.inf else None):
            await visit


async def test_a_cancel_in_the_line_leaves_it() -> None:
    """Who is cancelled in the line is neither counted nor admitted; those behind move up."""
    admission = admission_of(1)
    slot = await admission.enter("reads")
    cancelled, patient = (asyncio.create_task(admission.enter("reads")) for _ in range(2))
    await asyncio.sleep(0)
    assert admission.waiting == 2
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert admission.waiting == 1
    admission.leave(slot)
    await patient
    assert (admission.in_flight, admission.waiting) == (1, 0)


async def test_a_cancel_in_the_moment_of_admission_gives_the_slot_back() -> None:
    """A slot that was given to a task which is cancelled before it runs again goes to the next one."""
    admission = admission_of(1)
    slot = await admission.enter("reads")
    unlucky, patient = (asyncio.create_task(admission.enter("reads")) for _ in range(2))
    await asyncio.sleep(0)
    admission.leave(slot)
    unlucky.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unlucky
    await patient
    assert (admission.in_flight, admission.waiting) == (1, 0)


async def test_an_urgent_request_goes_first() -> None:
    """Who is urgent is admitted before all others, of any class, and among the urgent it is first come."""
    admission = admission_of(1)
    slot = await admission.enter("writes")
    order: list[str] = []

    async def come(name: str, route: str, urgent: bool) -> None:  # noqa: FBT001  told by the table below
        mine = await admission.enter(route, urgent=urgent)
        order.append(name)
        admission.leave(mine)

    visits = [
        ("write 1", "writes", False),
        ("read 1", "reads", False),
        ("look-up 1", "reads", True),
        ("write 2", "writes", False),
        ("look-up 2", "writes", True),
    ]
    tasks = [asyncio.create_task(come(*visit)) for visit in visits]
    await a_few_turns()
    admission.leave(slot)
    await asyncio.gather(*tasks)
    assert order == ["look-up 1", "look-up 2", "write 1", "read 1", "write 2"]


Step = tuple[str, int]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["come", "come urgently", "come in a hurry"]), st.integers(0, 4)),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("hold"), st.integers(0, 5)),
        st.tuples(st.sampled_from(["turn", "overload", "success", "refusal"]), st.integers(0, 1)),
        st.tuples(st.just("pass"), st.integers(1, 4)),
    ),
    max_size=60,
)


@attrs.define
class Visitor:
    """A request of a random schedule."""

    admission: Admission
    number: int
    seconds: float
    urgent: bool
    patience: float
    slot: Slot | None = None

    @property
    def route(self) -> str:
        return "reads" if self.number % 2 else "writes"

    async def visit(self) -> None:
        until = now() + self.patience
        self.slot = await self.admission.enter(self.route, urgent=self.urgent, until=until)
        try:
            limit = self.slot.route.limit
            assert limit.in_flight <= limit.ceiling
            assert self.admission.in_flight <= self.admission.ceiling
            await asyncio.sleep(self.seconds)
        finally:
            slot, self.slot = self.slot, None
            self.admission.leave(slot)


def teach(route: RouteClass, lesson: str) -> None:
    """Move the limit or the rate of a class, as an answer would."""
    if lesson == "overload":
        route.limit.overloaded(now(), now())
    elif lesson == "success":
        route.limit.succeeded()
    else:
        route.rate.refused(route.rate.learned.phase, now(), now() + 1)


@given(limit=st.integers(1, 4), interval=st.sampled_from([0.0, 0.5]), steps=STEPS)
async def test_any_schedule_keeps_the_invariants(limit: int, interval: float, steps: Sequence[Step]) -> None:
    """Whoever comes, gives up or is cancelled, and however the limit moves: slots are requests at work."""
    admission = admission_of(limit, interval)
    visitors: list[Visitor] = []
    tasks: list[asyncio.Task[None]] = []
    for step, number in steps:
        route = admission.routes.known["reads" if number % 2 else "writes"]
        match step:
            case "come" | "come urgently" | "come in a hurry":
                patience = number / 2 if step == "come in a hurry" else math.inf
                urgent = step == "come urgently"
                visitors.append(Visitor(admission, len(tasks), number / 2, urgent, patience))
                tasks.append(asyncio.create_task(visitors[-1].visit()))
            case "cancel":
                for task in tasks[number : number + 1]:
                    task.cancel()
            case "hold":
                admission.hold(rate_of(admission), now() + number / 2)
            case "turn":
                await asyncio.sleep(0)
            case "overload" | "success" | "refusal":
                teach(route, step)
            case _:
                await asyncio.sleep(number / 2)
                await a_few_turns()
                assert sum(visitor.slot is not None for visitor in visitors) == admission.in_flight
        assert 0 <= admission.in_flight <= limit
        routes = admission.routes.known.values()
        assert admission.in_flight == sum(route.in_flight for route in routes)
        assert all(route.in_flight == route.limit.in_flight for route in routes)
        assert admission.waiting >= sum(route.waiting for route in routes)
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert admission.in_flight == admission.waiting == 0
    kinds = (asyncio.CancelledError, WouldWaitError)
    assert all(result is None or isinstance(result, kinds) for result in results)
    patient = [visitor.patience == math.inf for visitor in visitors]
    assert not any(isinstance(result, WouldWaitError) and patient[n] for n, result in enumerate(results))
    last = Visitor(admission, 0, 0.0, urgent=False, patience=math.inf)
    await asyncio.wait_for(last.visit(), timeout=200)
