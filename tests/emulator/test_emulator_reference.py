"""The page about the emulators, held against what they serve and how they can be set."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import attrs
import pytest

from galtea_async.emulator import EmulatorRules, GalteaEmulator, PandaProbeEmulator

PAGE = (Path(__file__).parents[2] / "docs/reference/emulator.md").read_text("utf-8")
WHERE_ROUTES_ARE = {"galtea": "## What it serves", "pandaprobe": "It serves these routes:"}
QUESTIONS = "## What nobody knows, and its switch"


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below a heading or a sentence, up to the next heading."""
    part = re.split(r"\n#+ ", PAGE.partition(heading)[2])[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|- ")}
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for number, line in enumerate(lines)
        if number not in heads and number - 1 not in heads
    ]


def code(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("kind", WHERE_ROUTES_ARE)
async def test_the_page_names_every_route_and_no_other(kind: str) -> None:
    """Each path in the first column, with each verb and the rest of the path in the second."""
    named = [
        (method, re.sub(r"{\w+}", "{id}", f"{path}{rest}"))
        for paths, operations in rows(WHERE_ROUTES_ARE[kind])
        for path in code(paths)
        for method, _, rest in (operation.partition(" ") for operation in code(operations))
    ]
    async with GalteaEmulator() if kind == "galtea" else PandaProbeEmulator() as emulator:
        served = {(route.method, re.sub(r"{\w+}", "{id}", route.path)) for route in emulator.routes}
    assert sorted(named) == sorted(served)


def test_the_page_names_every_switch_and_its_default() -> None:
    """All fields of the rules stand beside a question, with the values that they really have."""
    settings = {field.name: field.default for field in attrs.fields(EmulatorRules)}
    settings["rate_limit"] = attrs.fields(GalteaEmulator).rate_limit.default
    named: dict[str, object] = {}
    for question, switches, defaults in rows(QUESTIONS):
        names = code(switches)
        if names and set(names) <= set(settings):
            values = [ast.literal_eval(value) for value in code(defaults)]
            assert len(names) == len(values), question
            named.update(zip(names, values, strict=True))
    assert named == settings


def test_a_question_without_a_switch_says_why() -> None:
    """Where no switch is named, there are an answer and a reason."""
    names = {field.name for field in attrs.fields(EmulatorRules)} | {"rate_limit"}
    without = [row for row in rows(QUESTIONS) if not names & set(code(row[1]))]
    assert len(without) >= 5
    assert all(all(cells) for cells in without)
