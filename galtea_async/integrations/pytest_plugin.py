"""A plugin for pytest: a local Galtea for each test that asks for one.

pytest finds it by itself where the package is installed. It adds two fixtures, `galtea_emulator` and
`galtea`, and a marker by the name of the first. Both fixtures are ordinary ones, and the emulator runs in a
thread: it does not matter whether a test is a plain function or runs on asyncio, and by the help of which
plugin.

    def test_my_job(galtea_emulator):
        version_id = galtea_emulator.add_version(sessions=3)
        my_program.main(["--version", version_id])     # finds the emulator by the environment
        assert set(galtea_emulator.evaluation_counts(version_id).values()) == {2}

    @pytest.mark.galtea_emulator(seed=3, sessions=20, faults=["POST *:reset:after:nth=1"])
    async def test_with_a_client(galtea, galtea_emulator):
        [version_id] = galtea_emulator.version_ids()
        async with galtea:
            ...

`-p no:galtea_async` leaves the plugin out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from galtea_async import AsyncGaltea
    from galtea_async.emulator import BackgroundGaltea

__all__ = ["galtea", "galtea_emulator", "pytest_configure"]

# The emulator is imported by the first test that asks for it, and not whenever pytest starts.

_MARKER = (
    "galtea_emulator(sessions=0, turns=2, faults=(), **settings): how the test's local Galtea is set. "
    "With `sessions`, it has a version of so many sessions, of `turns` turns each. `faults` are `Fault`s "
    "or texts, in a list or one alone. The rest goes to `GalteaEmulator`, such as `seed`, `rules`, `latency` "
    "and `judging`."
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def galtea_emulator(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BackgroundGaltea]:
    """A running local Galtea of the test's own.

    It is empty, or as the marker `galtea_emulator` says. `GALTEA_API_URL` and `GALTEA_API_KEY` name it while
    the test runs, and an evaluation is judged within a tenth of a second unless the marker sets `judging`.
    """
    from galtea_async.integrations.marked_emulator import marked_emulator  # noqa: PLC0415 - see above

    with marked_emulator(request.node.iter_markers("galtea_emulator")) as emulator:
        monkeypatch.setenv("GALTEA_API_URL", emulator.url)
        monkeypatch.setenv("GALTEA_API_KEY", emulator.api_key)
        yield emulator


@pytest.fixture
def galtea(galtea_emulator: BackgroundGaltea) -> AsyncGaltea:
    """A client of the test's local Galtea, to be opened by the test: `async with galtea:`."""
    from galtea_async import AsyncGaltea  # noqa: PLC0415 - see above

    return AsyncGaltea(galtea_emulator.api_key, base_url=galtea_emulator.url)
