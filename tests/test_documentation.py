"""The documentation is true: its examples run, and whatever is public has one.

Examples in docstrings run on the virtual clock, against an emulator on the same loop, and find the names that
`support.example_world.names_in_docstrings` lists. The blocks of `README.md` and of the pages under `docs/`
run on ordinary loops against an emulator in a thread, because a script may call `asyncio.run`. They are what
a reader copies, so they import what they use, and find only the names of
`support.example_world.names_on_pages`. The emulator is where `GALTEA_API_URL` and `GALTEA_API_KEY` say, and
the current folder is a fresh one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from galtea_async import AsyncGaltea
from support.example_world import (
    example_world,
    example_world_in_a_thread,
    names_in_docstrings,
    names_on_pages,
)
from support.examples import has_prompts, read_blocks, run_page, run_prompts
from support.package import client_methods, documented_objects, public_objects

if TYPE_CHECKING:
    from support.package import Documented

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES_WITH_BLOCKS = {
    str(page.relative_to(ROOT)): page for page in PAGES if "```python" in page.read_text("utf-8")
}
EXAMPLES = {
    documented.name: documented for documented in documented_objects() if has_prompts(documented.docstring)
}

MOST_BLOCKS_NOT_RUN = 3
"""A block that is not run is an exception, which needs a reason; more of them would be a habit."""


@pytest.mark.parametrize("documented", EXAMPLES.values(), ids=EXAMPLES.keys())
async def test_examples_of_docstrings_are_true(documented: Documented, tmp_path: Path) -> None:
    """Each example in a docstring does what it says."""
    async with (
        example_world() as world,
        AsyncGaltea(world.emulator.api_key, base_url=world.emulator.url) as galtea,
    ):
        names = names_in_docstrings(documented.module, world, galtea, tmp_path)
        assert await run_prompts(documented.docstring or "", names, name=documented.name)


@pytest.mark.parametrize("name", PAGES_WITH_BLOCKS)
def test_blocks_of_pages_are_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each `python` block of a page runs, in the page's order."""
    blocks = read_blocks(PAGES_WITH_BLOCKS[name], name=name)
    monkeypatch.chdir(tmp_path)
    with example_world_in_a_thread() as world, asyncio.Runner() as runner:
        monkeypatch.setenv("GALTEA_API_URL", world.emulator.url)
        monkeypatch.setenv("GALTEA_API_KEY", world.emulator.api_key)
        galtea = AsyncGaltea()
        runner.run(galtea.__aenter__())
        try:
            run_page(blocks, names_on_pages(world, galtea, tmp_path), runner)
        finally:
            runner.run(galtea.__aexit__(None, None, None))


def test_hardly_a_block_is_not_run() -> None:
    """Blocks marked no-run stay few."""
    blocks = [block for name, page in PAGES_WITH_BLOCKS.items() for block in read_blocks(page, name=name)]
    not_run = [
        (block.page, block.line, block.reason_not_to_run) for block in blocks if block.reason_not_to_run
    ]
    assert len(not_run) <= MOST_BLOCKS_NOT_RUN, not_run


def test_every_public_name_has_an_example() -> None:
    """Each class and function that `galtea_async` exports shows how it is used."""
    assert [documented.name for documented in public_objects() if not has_prompts(documented.docstring)] == []


def test_every_method_of_the_clients_has_an_example() -> None:
    """Each public method of a client and of its endpoint groups shows how it is used."""
    methods = list(client_methods())
    assert methods
    assert [documented.name for documented in methods if not has_prompts(documented.docstring)] == []
