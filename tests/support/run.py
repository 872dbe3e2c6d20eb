"""Run a coroutine to its end and insist that it left nothing behind.

`run` is what stands behind every `async def test_...`, and what a test that is a plain function (one of
hypothesis', for example) calls itself. Each call gets a fresh event loop. Beyond the result it checks what a
test seldom looks at: that no task is still pending when the coroutine has ended, and that the loop was never
handed an exception which nobody retrieved.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from support.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LeftBehindError", "run", "run_in_real_time", "run_on"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

TURNS_TO_END = 20
"""Turns of the loop in which tasks that were told to end may do so, such as aiohttp's one per connection."""


class LeftBehindError(AssertionError):
    """The coroutine returned, but left a task running or an exception unseen."""


def run(
    function: Callable[_Parameters, Coroutine[Any, Any, _Result]],
    *args: _Parameters.args,
    **kwargs: _Parameters.kwargs,
) -> _Result:
    """Run a coroutine function on a fresh loop with a virtual clock."""
    return run_on(VirtualTimeLoop, function, *args, **kwargs)


def run_in_real_time(
    function: Callable[_Parameters, Coroutine[Any, Any, _Result]],
    *args: _Parameters.args,
    **kwargs: _Parameters.kwargs,
) -> _Result:
    """Run a coroutine function on a fresh loop with the real clock."""
    return run_on(asyncio.SelectorEventLoop, function, *args, **kwargs)


def run_on(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
    function: Callable[_Parameters, Coroutine[Any, Any, _Result]],
    *args: _Parameters.args,
    **kwargs: _Parameters.kwargs,
) -> _Result:
    """Run a coroutine function on the loop that the factory makes.

    Raises:
        LeftBehindError: The coroutine returned and left a pending task or an exception that nobody retrieved.
    """
    unseen: list[dict[str, Any]] = []
    with asyncio.Runner(debug=True, loop_factory=loop_factory) as runner:
        runner.get_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        result = runner.run(_run_and_check_tasks(function, *args, **kwargs))
    gc.collect()  # a forgotten task reports its exception when it is collected
    if unseen:
        raise _error_for(unseen)
    return result


async def _run_and_check_tasks(
    function: Callable[_Parameters, Coroutine[Any, Any, _Result]],
    *args: _Parameters.args,
    **kwargs: _Parameters.kwargs,
) -> _Result:
    result = await function(*args, **kwargs)
    for _ in range(TURNS_TO_END):
        if not _other_tasks():
            return result
        await asyncio.sleep(0)
    pending = "\n".join(f"  {task!r}" for task in _other_tasks())
    raise LeftBehindError(f"tasks are still pending after the end of the test:\n{pending}")


def _other_tasks() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def _error_for(unseen: list[dict[str, Any]]) -> LeftBehindError:
    error = LeftBehindError(
        "the event loop was handed exceptions that nobody retrieved:\n"
        + "\n".join(f"  {context}" for context in unseen)
    )
    error.__cause__ = next((context["exception"] for context in unseen if "exception" in context), None)
    return error
