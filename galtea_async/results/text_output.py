"""Writes text to a file batch by batch, in a thread, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from typing import ParamSpec, Protocol, TypeAlias, TypeVar

from galtea_async.results.records import AnyRecords, Batch, batches_of
from galtea_async.uninterrupted import uninterrupted

__all__ = ["Target", "TextFile", "in_thread", "write_batches"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class TextFile(Protocol):
    """An open file of text."""

    def write(self, text: str, /) -> object:
        """Append a text."""
        ...


Target: TypeAlias = str | PathLike[str] | TextFile
"""Where to write: the path of a file, which is replaced, or an open file of text, which stays open."""


def _no_head(_: Batch) -> str:
    return ""


async def write_batches(
    target: Target,
    records: AnyRecords,
    render: Callable[[Batch], str],
    *,
    head: Callable[[Batch], str] = _no_head,
) -> int:
    """Write records to a target.

    Args:
        target: Where to write.
        records: What to write.
        render: Makes a text of a batch.
        head: Makes what stands before the first batch.

    Returns:
        How many records were written.
    """
    count = 0
    async with _opened(target) as file:
        begin = head
        async for batch in batches_of(records):
            await in_thread(_write, file, partial(begin, batch), partial(render, batch))
            count += len(batch.records)
            begin = _no_head
    return count


async def in_thread(
    function: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _Result:
    """Run a function in a thread, and see it to its end also when the caller is cancelled."""
    loop = asyncio.get_running_loop()
    return await uninterrupted(loop.run_in_executor(None, partial(function, *args, **kwargs)))


def _write(file: TextFile, *parts: Callable[[], str]) -> None:
    file.write("".join(part() for part in parts))


@asynccontextmanager
async def _opened(target: Target) -> AsyncGenerator[TextFile]:
    if not isinstance(target, str | PathLike):
        yield target
        return
    resources = ExitStack()
    try:
        yield await in_thread(resources.enter_context, _replaced(target))
    finally:
        await in_thread(resources.close)


@contextmanager
def _replaced(path: str | PathLike[str]) -> Generator[TextFile]:
    # Line ends are written as they are: CSV has its own.
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        yield file
