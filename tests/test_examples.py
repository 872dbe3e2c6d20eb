"""The runner of the documentation's examples: it must see each way in which an example can be wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.examples import ExampleError, has_prompts, read_blocks, run_page, run_prompts

if TYPE_CHECKING:
    from pathlib import Path


async def test_await_and_echo_work_as_at_a_prompt() -> None:
    """Values are echoed, None is not, `await` and `async with` may stand at the top level."""
    text = """
    >>> await asyncio.sleep(1, result=[1, 2])
    [1, 2]
    >>> await asyncio.sleep(1)
    >>> async with asyncio.timeout(5):
    ...     print("inside")
    inside
    >>> {"a": 1,
    ...  "b": 2}
    {'a': ..., 'b': 2}
    """
    assert await run_prompts(text, {"asyncio": asyncio}, name="text") == 4


async def test_an_expected_error_is_compared() -> None:
    """A traceback in the text must name the error that is raised, and its message."""
    text = '>>> int("x")\nTraceback (most recent call last):\n    ...\nValueError: invalid literal ...\n'
    assert await run_prompts(text, {}, name="text") == 1
    with pytest.raises(ExampleError, match="expected 'KeyError"):
        await run_prompts(text.replace("ValueError", "KeyError"), {}, name="text")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (">>> 1 + 1\n3\n", "Expected:"),
        (">>> print('more than nothing')\n", "Expected nothing"),
        (">>> 1 / 0\n", "line 1.*ZeroDivisionError"),
        (">>> 1\nTraceback (most recent call last):\nValueError: no\n", "raised nothing"),
        (">>> 1  # doctest: +SKIP\n2\n", "skipped"),
    ],
)
async def test_a_wrong_example_is_an_error(text: str, complaint: str) -> None:
    """Wrong or surplus output, a surprising or missing error and a skipped example are all seen."""
    with pytest.raises(ExampleError, match=complaint):
        await run_prompts(text, {}, name="text")


def test_prompts_are_recognised() -> None:
    """Only a line that starts with the prompt makes an example."""
    assert has_prompts("Text.\n\n    >>> 1\n    1\n")
    assert not has_prompts("Text with >>> in it.")
    assert not has_prompts(None)


def test_the_blocks_of_a_page_share_names(tmp_path: Path) -> None:
    """Scripts with and without a loop, and prompts, run in their order in one namespace."""
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n```python\nimport asyncio\n\n"
        "async def main():\n    return await asyncio.sleep(0, result=2)\n\n"
        "two = asyncio.run(main())\n```\n\n```console\n$ no python\n```\n\n"
        "1. In a list:\n\n   ```python\n   four = two + await main()\n   ```\n\n```python\n>>> four\n4\n```\n"
        "\n````markdown\n```python\nraise ValueError\n```\n````\n"
    )
    namespace: dict[str, Any] = {}
    with asyncio.Runner() as runner:
        assert run_page(read_blocks(page, name="page.md"), namespace, runner) == 3
    assert namespace["four"] == 4


def test_an_error_on_a_page_names_its_line(tmp_path: Path) -> None:
    """The traceback of a failing block points into the page."""
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nfine = 1\nraise ValueError\n```\n")
    with asyncio.Runner() as runner, pytest.raises(ValueError, match=r"^$") as caught:
        run_page(read_blocks(page, name="page.md"), {}, runner)
    assert (str(caught.traceback[-1].path), caught.traceback[-1].lineno) == (str(page.name), 4)


def test_a_block_that_is_not_run_gives_a_reason(tmp_path: Path) -> None:
    """`no-run` needs the reason above it; another word after `python` is refused."""
    page = tmp_path / "page.md"
    page.write_text("<!-- not run: it would format the disk -->\n\n```python no-run\nformat_disk()\n```\n")
    (block,) = read_blocks(page, name="page.md")
    assert "format the disk" in (block.reason_not_to_run or "")
    page.write_text("Text.\n\n```python no-run\nformat_disk()\n```\n")
    with pytest.raises(ExampleError, match="above it must stand"):
        read_blocks(page, name="page.md")
    page.write_text("```python norun\nformat_disk()\n```\n")
    with pytest.raises(ExampleError, match="what does"):
        read_blocks(page, name="page.md")
