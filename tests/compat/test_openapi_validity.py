"""The descriptions are documents of OpenAPI 3.0, as those who wrote the specification check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from galtea_async.emulator import EmulatorRules, GalteaEmulator, PandaProbeEmulator
from galtea_async.emulator.galtea.description import GALTEA_API
from galtea_async.emulator.openapi import document
from galtea_async.emulator.pandaprobe.description import PANDAPROBE_API

if TYPE_CHECKING:
    from collections.abc import Sequence

    from galtea_async.emulator.openapi import Api
    from galtea_async.emulator.routes import Route

validator: Any = pytest.importorskip("openapi_spec_validator")


def check(api: Api, routes: Sequence[Route]) -> None:
    described = document(api, routes)
    assert described["openapi"].startswith("3.0.")
    validator.OpenAPIV30SpecValidator(described).validate()


@pytest.mark.parametrize(
    "rules",
    [
        EmulatorRules(),
        EmulatorRules(session_envelope="data", runs=False, first_filters_only=True, rows_in_answer=False),
    ],
    ids=["now", "older"],
)
async def test_galtea_is_described_validly(rules: EmulatorRules) -> None:
    """Whatever the service knows."""
    async with GalteaEmulator(rules=rules) as emulator:
        check(GALTEA_API, emulator.routes)


async def test_pandaprobe_is_described_validly() -> None:
    """With both ways of saying who one is."""
    async with PandaProbeEmulator() as emulator:
        check(PANDAPROBE_API, emulator.routes)
