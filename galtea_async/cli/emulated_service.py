"""The services that can be emulated, each with sessions to begin with and an introduction."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypedDict

from attrs import frozen

from galtea_async.emulator import Fault, GalteaEmulator, PandaProbeEmulator

__all__ = ["SERVICES", "EmulatorSettings", "Furnished"]


class EmulatorSettings(TypedDict):
    """The settings that the emulators have in common."""

    host: str
    port: int
    path: str
    seed: int
    latency: float
    faults: tuple[Fault, ...]
    records_requests: bool


@frozen(kw_only=True)
class Furnished:
    """A running emulator with sessions.

    Attributes:
        emulator: The emulator.
        headline: What it is.
        commands: What its users may want to type.
    """

    emulator: GalteaEmulator | PandaProbeEmulator
    headline: str
    commands: tuple[str, ...]


@asynccontextmanager
async def _galtea(settings: EmulatorSettings, sessions: int, turns: int) -> AsyncGenerator[Furnished]:
    """Serve the version that the file holds from an earlier start, or a new one."""
    async with GalteaEmulator(**settings) as emulator:
        known = await emulator.version_ids()
        version_id = known[0] if known else await emulator.add_version(sessions=sessions, turns=turns)
        count = len(await emulator.session_ids(version_id))
        yield Furnished(
            emulator=emulator,
            headline=f"A local Galtea at {emulator.url}, with a version of {_sessions(count)}.",
            commands=(
                f"export GALTEA_API_URL={emulator.url}",
                f"export GALTEA_API_KEY={emulator.api_key}",
                f"galtea-async evaluate --version {version_id}",
            ),
        )


@asynccontextmanager
async def _pandaprobe(settings: EmulatorSettings, sessions: int, turns: int) -> AsyncGenerator[Furnished]:
    """Serve the project that the file holds from an earlier start, or a new one."""
    async with PandaProbeEmulator(**settings) as emulator:
        known = await emulator.session_ids()
        count = len(known or await emulator.add_sessions(sessions, traces=turns))
        yield Furnished(
            emulator=emulator,
            headline=f"A local PandaProbe at {emulator.url}, with a project of {_sessions(count)}.",
            commands=(
                f"export PANDAPROBE_ENDPOINT={emulator.url}",
                f"export PANDAPROBE_API_KEY={emulator.api_key}",
                f"export PANDAPROBE_PROJECT_NAME='{emulator.project_name}'",
            ),
        )


SERVICES: Final[
    Mapping[str, Callable[[EmulatorSettings, int, int], AbstractAsyncContextManager[Furnished]]]
] = {"galtea": _galtea, "pandaprobe": _pandaprobe}
"""Each serves an emulator with so many sessions of so many turns."""


def _sessions(count: int) -> str:
    return f"{count:,} session{'' if count == 1 else 's'}"
