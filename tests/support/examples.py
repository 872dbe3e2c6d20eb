"""Run the examples of the documentation, so that each of them is true.

Two kinds are understood. *Prompts* are what docstrings hold: lines after `>>>` and the output that must
follow, as in the standard library's `doctest`, with two differences: `await` may stand at the top level, and
`...` and runs of blanks in the expected output match anything and each other. *Scripts* are the fenced
`python` blocks of a page; a page's blocks share one namespace, and so build on one another.

A script with an `await` at its top level runs on the page's own event loop, on which the page's client lives.
One without runs where no loop is running, like a file given to the interpreter, and may call `asyncio.run`.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import doctest
import inspect
import io
import re
import sys
import textwrap
import traceback
import types
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Generator, Iterator
    from pathlib import Path

__all__ = ["Block", "ExampleError", "has_prompts", "read_blocks", "run_page", "run_prompts"]

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`]*)$")
REASON = re.compile(r"<!-- not run: \S.*-->")

Namespace = dict[str, Any]


class ExampleError(AssertionError):
    """An example of the documentation does not do what it says."""


@attrs.frozen(kw_only=True)
class Block:
    """A fenced `python` block of a page."""

    page: str
    line: int
    source: str
    reason_not_to_run: str | None = None


def has_prompts(text: str | None) -> bool:
    """Whether a docstring or block holds an example with prompts."""
    return bool(text) and re.search(r"^\s*>>> ", text or "", re.MULTILINE) is not None


async def run_prompts(text: str, namespace: Namespace, *, name: str, first_line: int = 1) -> int:
    """Run the examples with prompts in a text, and return how many there were.

    Raises:
        ExampleError: The output or the error of one is not what the text says.
    """
    examples = doctest.DocTestParser().get_examples(text, name)
    for example in examples:
        place = f"{name}, line {first_line + example.lineno}"
        flags = _flags_of(example, place)
        output, error = await _run_prompt(example, namespace, place)
        _compare(example, output, error, flags, place)
    return len(examples)


def read_blocks(page: Path, *, name: str) -> list[Block]:
    """The fenced `python` blocks of a Markdown page.

    A block whose info string is `python no-run` is not executed. A comment `<!-- not run: reason -->`
    must stand right above it.

    Raises:
        ExampleError: Such a block gives no reason, or the info string says something else.
    """
    lines = page.read_text(encoding="utf-8").splitlines()
    return [
        _block(lines, opening, closing, info, name)
        for opening, closing, info in _fences(lines)
        if info.split()[:1] == ["python"]
    ]


def run_page(blocks: list[Block], namespace: Namespace, runner: asyncio.Runner) -> int:
    """Run the blocks of a page one after the other, and return how many were run.

    Args:
        blocks: The blocks, in their order on the page.
        namespace: The names that the first block finds; what a block defines is added.
        runner: The page's event loop, for blocks with an `await` at the top level.
    """
    blocks_to_run = [block for block in blocks if block.reason_not_to_run is None]
    for block in blocks_to_run:
        if has_prompts(block.source):
            runner.run(run_prompts(block.source, namespace, name=block.page, first_line=block.line))
        else:
            _run_script(block, namespace, runner)
    return len(blocks_to_run)


def _flags_of(example: doctest.Example, place: str) -> int:
    flags = FLAGS
    for flag, is_set in example.options.items():
        if flag == doctest.SKIP:
            raise ExampleError(f"{place}: an example that is skipped proves nothing")
        flags = flags | flag if is_set else flags & ~flag
    return flags


async def _run_prompt(
    example: doctest.Example, namespace: Namespace, place: str
) -> tuple[str, BaseException | None]:
    """What the example printed, its value included, and what it raised."""
    with _captured_output() as output:
        try:
            await _awaited(_compiled(example.source, f"<{place}>", "single"), namespace)
        except Exception as error:  # noqa: BLE001 - whatever it raises is compared with what the text says
            return output.getvalue(), error
    return output.getvalue(), None


def _compare(
    example: doctest.Example, output: str, error: BaseException | None, flags: int, place: str
) -> None:
    checker = doctest.OutputChecker()
    if error is not None and example.exc_msg is None:
        raise ExampleError(f"{place}: {example.source.strip()!r} raised {error!r}") from error
    if error is None and example.exc_msg is not None:
        raise ExampleError(
            f"{place}: {example.source.strip()!r} raised nothing, but should: {example.exc_msg}"
        )
    if error is not None and example.exc_msg is not None:
        raised = next(iter(traceback.TracebackException.from_exception(error).format_exception_only()))
        if not checker.check_output(example.exc_msg, raised, flags):
            raise ExampleError(
                f"{place}: expected {example.exc_msg.strip()!r}, raised {raised.strip()!r}"
            ) from error
    elif not checker.check_output(example.want, output, flags):
        difference = checker.output_difference(example, output, flags)
        raise ExampleError(f"{place}: {example.source.strip()}\n{difference}")


def _run_script(block: Block, namespace: Namespace, runner: asyncio.Runner) -> None:
    source = "\n" * (block.line - 1) + block.source  # so that tracebacks show the page's lines
    code = _compiled(source, block.page, "exec")
    with _captured_output():
        if code.co_flags & inspect.CO_COROUTINE:
            runner.run(_awaited(code, namespace))
        else:
            types.FunctionType(code, _with_builtins(namespace))()


def _compiled(source: str, filename: str, mode: str) -> types.CodeType:
    code: types.CodeType = compile(
        source, filename, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    return code


def _with_builtins(namespace: Namespace) -> Namespace:
    namespace.setdefault("__builtins__", builtins)
    return namespace


async def _awaited(code: types.CodeType, namespace: Namespace) -> None:
    result: Awaitable[object] | None = types.FunctionType(code, _with_builtins(namespace))()
    if result is not None:
        await result


@contextlib.contextmanager
def _captured_output() -> Generator[io.StringIO]:
    """Collect what is printed, and what the prompt would echo."""
    output, hook = io.StringIO(), sys.displayhook
    sys.displayhook = _echo
    try:
        with contextlib.redirect_stdout(output):
            yield output
    finally:
        sys.displayhook = hook


def _echo(value: object) -> None:
    if value is not None:
        sys.stdout.write(f"{value!r}\n")


def _fences(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """The indexes of the opening and closing line of each fenced block, and its info string."""
    opening: tuple[int, re.Match[str]] | None = None
    for index, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence is None:
            continue
        if opening is None:
            opening = index, fence
        elif not fence["info"].strip() and len(fence["ticks"]) >= len(opening[1]["ticks"]):
            yield opening[0], index, opening[1]["info"].strip()
            opening = None


def _block(lines: list[str], opening: int, closing: int, info: str, name: str) -> Block:
    return Block(
        page=name,
        line=opening + 2,
        source=textwrap.dedent("\n".join(lines[opening + 1 : closing])) + "\n",
        reason_not_to_run=_reason(lines, opening, info, name),
    )


def _reason(lines: list[str], opening: int, info: str, name: str) -> str | None:
    if info == "python":
        return None
    if info != "python no-run":
        raise ExampleError(f"{name}, line {opening + 1}: what does {info!r} mean?")
    above = next((line.strip() for line in reversed(lines[:opening]) if line.strip()), "")
    if not REASON.fullmatch(above):
        raise ExampleError(f"{name}, line {opening + 1}: above it must stand <!-- not run: the reason -->")
    return above
