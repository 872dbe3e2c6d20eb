"""An event loop whose clock jumps: sixty virtual seconds cost no real ones.

A client with time-outs, back-off and pacing spends its life waiting, and a test of it that really waits is
slow and still proves little. On a `VirtualTimeLoop` the clock stands still while anything can happen and
jumps to the next timer as soon as nothing can. Sleeping for a minute is then one jump, and whatever a test
measures with `loop.time()` is exact: work takes no time at all, only waiting does.

Sockets stay real. The loop may serve and call over the loopback interface, so before each jump it asks the
kernel once more whether bytes are still on their way, and waits a very short real time for them (`grace`).
Threads stay real too: while work handed to `run_in_executor` (and so `asyncio.to_thread`) is under way, the
clock does not move.

What the clock cannot see is work that nobody told it of: another process, or a thread started by hand. A test
that needs these raises `loop.grace`, wraps the wait in `loop.real_waiting()`, or is marked `real_time`.

When nothing is ready, no timer is set and no thread is at work, nothing will ever happen again. After five
real seconds that is a `DeadlockError` and not a hanging test.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future

__all__ = ["DeadlockError", "VirtualTimeLoop"]

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")

FIRST_MOMENT = 1_000.0
"""Where each virtual clock starts; not zero, so that a forgotten clock of zero stands out."""

DEFAULT_GRACE = 0.001
"""Real seconds to look for bytes in flight before a jump."""

SECONDS_UNTIL_DEADLOCK = 5.0
"""Real seconds without an event, a timer or a busy thread after which the loop gives up."""

LONG_JUMP = 1.0
"""From so many virtual seconds on a jump may be a time-out, which an answer on its way must beat."""

GRACE_FACTOR_OF_LONG_JUMPS = 5
"""How many times longer the loop looks for bytes in flight before a long jump."""


class DeadlockError(RuntimeError):
    """Nothing is ready, no timer is set, no thread is at work: the test would wait for ever."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector event loop on a virtual clock.

    Attributes:
        grace: Real seconds to wait for bytes in flight before each jump. The environment variable
            `VIRTUAL_TIME_GRACE` changes the default of one millisecond.
        jumps: How often the clock has jumped.
    """

    def __init__(self) -> None:
        self.grace = float(os.environ.get("VIRTUAL_TIME_GRACE", DEFAULT_GRACE))
        self.jumps = 0
        self._now = FIRST_MOMENT
        self._real_waits = 0
        self._thread_pool: ThreadPoolExecutor | None = None
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """The virtual time in seconds."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += seconds
        self.jumps += 1

    @property
    def waits_for_real(self) -> bool:
        """Whether something outside the loop is at work, so that the clock must stand still."""
        return self._real_waits > 0

    @contextmanager
    def real_waiting(self) -> Generator[None]:
        """Keep the clock still while awaiting what the loop cannot see, such as another process."""
        self._real_waits += 1
        try:
            yield
        finally:
            self._real_waits -= 1

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[_Arguments]], _Result],
        *args: *_Arguments,
    ) -> asyncio.Future[_Result]:
        """Run a function in a thread, and keep the clock still until it has ended and its result has arrived.

        A cancelled wait does not end the thread's work, so the work is what is counted, not the wait.
        """
        self._check_open()
        work = (executor or self._own_thread_pool()).submit(func, *args)
        waiter = asyncio.wrap_future(work, loop=self)
        self._real_waits += 1
        work.add_done_callback(
            self._note_end_of_work
        )  # after the callback of wrap_future: first the result, then this
        return waiter

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the loop's API
        """Wait really for the threads to end; the time-out is of virtual time and would be jumped over."""
        del timeout
        with self.real_waiting():
            await super().shutdown_default_executor()

    def _own_thread_pool(self) -> ThreadPoolExecutor:
        if self._thread_pool is None:
            self._thread_pool = ThreadPoolExecutor(thread_name_prefix="virtual-time")
            self.set_default_executor(self._thread_pool)
        return self._thread_pool

    def _check_open(self) -> None:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")

    def _note_end_of_work(self, _work: Future[_Result]) -> None:
        if not self.is_closed():
            self.call_soon_threadsafe(self._count_end_of_work)

    def _count_end_of_work(self) -> None:
        self._real_waits -= 1


class _JumpingSelector(selectors.DefaultSelector):
    """The platform's selector, which lets the loop's clock jump instead of sleeping."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; where nothing is, jump over `timeout` seconds."""
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._loop.waits_for_real:
            return super().select(None)
        if timeout is None:
            return self._select_or_give_up()
        ready = super().select(self._grace_before(timeout))
        if not ready:
            self._loop.jump(timeout)
        return ready

    def _grace_before(self, jump: float) -> float:
        only_the_loops_own_wake_up_pipe = len(self.get_map()) == 1
        if only_the_loops_own_wake_up_pipe and self._loop.grace <= DEFAULT_GRACE:
            return 0.0
        return self._loop.grace * (GRACE_FACTOR_OF_LONG_JUMPS if jump >= LONG_JUMP else 1)

    def _select_or_give_up(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(SECONDS_UNTIL_DEADLOCK)
        if not ready:
            waiting = "\n".join(
                f"  {task.get_name()}: {_trail(task)}" for task in asyncio.all_tasks(self._loop)
            )
            raise DeadlockError(
                "no timer is set, no thread is at work and no socket was ready for "
                f"{SECONDS_UNTIL_DEADLOCK:g} real seconds, so nothing can ever happen; "
                f"these tasks wait:\n{waiting}"
            )
        return ready


def _trail(task: asyncio.Task[Any]) -> str:
    """The chain of coroutines by which a task came to where it waits, the outermost first."""
    steps: list[str] = []
    coroutine: Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        steps.append(f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})")
        coroutine = coroutine.cr_await
    return " -> ".join(steps)
