"""Settings of the emulators that could not work: refused when they are built or changed, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from galtea_async import RateLimit
from galtea_async.emulator import (
    BackgroundGaltea,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    PandaProbeEmulator,
    PandaProbeRules,
    Reset,
)

Emulator = GalteaEmulator | PandaProbeEmulator
FAULT = Fault(action=Reset(), nth=1)
A_RATE = r"rate_limit is a pair of numbers, \(requests, seconds\), such as \(20, 1\)"
A_SPAN = r"judging is a pair of numbers, \(shortest, longest\), in seconds"

of_both = pytest.mark.parametrize("kind", [GalteaEmulator, PandaProbeEmulator])


@of_both
@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"host": 5}, TypeError, "host is a `str`, not 5"),
        ({"port": "80"}, TypeError, "port is a whole number, not '80'"),
        ({"port": True}, TypeError, "port is a whole number, not True"),
        ({"port": -1}, ValueError, "port is a whole number, from 0 to 65535, not -1"),
        ({"port": 70_000}, ValueError, "port is a whole number, from 0 to 65535, not 70000"),
        ({"api_key": None}, TypeError, "api_key is a `str`, not None"),
        ({"path": 5}, TypeError, "not int"),
        ({"seed": "x"}, TypeError, "seed is a whole number, not 'x'"),
        ({"seed": 1.5}, TypeError, "seed is a whole number"),
        ({"latency": "50ms"}, TypeError, "latency is a number, not '50ms'"),
        ({"latency": -1}, ValueError, "latency is a finite number, at least 0, not -1"),
        ({"latency": float("nan")}, ValueError, "latency is a finite number"),
        ({"faults": "GET *:reset"}, TypeError, "`fault_from_text` makes one of a text, not 'GET"),
        ({"faults": FAULT}, TypeError, "faults are `Fault`s in a list"),
        ({"faults": ["GET *:reset"]}, TypeError, "and 'GET \\*:reset' is none"),
        ({"faults": None}, TypeError, "faults are `Fault`s in a list"),
        ({"rules": {"runs": False}}, TypeError, "rules is a `(Emulator|PandaProbe)Rules`, not {'runs'"),
        ({"clock_skew": "1s"}, TypeError, "clock_skew is a number"),
        ({"clock_skew": float("inf")}, ValueError, "clock_skew is a finite number, not inf"),
        ({"records_requests": 0}, TypeError, "records_requests is a `bool`, not 0"),
    ],
    ids=repr,
)
def test_settings_of_both_that_could_not_work(
    kind: type[Emulator], settings: dict[str, Any], error: type[Exception], said: str
) -> None:
    """Of a wrong type or out of bounds; the error names the setting, what it takes and what was given."""
    with pytest.raises(error, match=said):
        kind(**settings)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"rate_limit": RateLimit(20, 1)}, TypeError, rf"{A_RATE}, not RateLimit\(requests=20"),
        ({"rate_limit": 20}, TypeError, f"{A_RATE}, not 20"),
        ({"rate_limit": (20,)}, TypeError, A_RATE),
        ({"rate_limit": "20"}, TypeError, A_RATE),
        ({"rate_limit": ("20", 1)}, TypeError, A_RATE),
        ({"rate_limit": (0, 1)}, ValueError, f"{A_RATE}, with at least 1 request"),
        ({"rate_limit": (20, 0)}, ValueError, "in more than 0 seconds"),
        ({"judging": 5}, TypeError, f"{A_SPAN}, not 5"),
        ({"judging": (2, 1)}, ValueError, f"{A_SPAN}, from 0 on and in this order"),
        ({"judging": (-1, 1)}, ValueError, A_SPAN),
        ({"rules": PandaProbeRules()}, TypeError, "rules is a `EmulatorRules`"),
    ],
    ids=repr,
)
def test_settings_of_galtea_that_could_not_work(
    settings: dict[str, Any], error: type[Exception], said: str
) -> None:
    """A rate is requests and seconds, and the time for judging is a span."""
    with pytest.raises(error, match=said):
        GalteaEmulator(**settings)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"token": 5}, TypeError, "token is a `str`"),
        ({"project_name": None}, TypeError, "project_name is a `str`"),
        ({"quota": "10"}, TypeError, "quota is a whole number"),
        ({"quota": -1}, ValueError, "quota is a whole number, at least 0, not -1"),
        ({"rules": EmulatorRules()}, TypeError, "rules is a `PandaProbeRules`"),
    ],
    ids=repr,
)
def test_settings_of_pandaprobe_that_could_not_work(
    settings: dict[str, Any], error: type[Exception], said: str
) -> None:
    """Its credentials, its project and its quota are checked as well."""
    with pytest.raises(error, match=said):
        PandaProbeEmulator(**settings)


async def test_settings_that_are_changed() -> None:
    """What could not be given at first cannot be set later, and what was there stays."""
    for emulator in (GalteaEmulator(faults=[FAULT]), PandaProbeEmulator(faults=[FAULT])):
        async with emulator:
            for name, value in {"faults": "GET *:reset", "latency": "1s", "seed": "x"}.items():
                with pytest.raises(TypeError, match=name):
                    setattr(emulator, name, value)
            assert (emulator.faults, emulator.latency, emulator.seed) == ((FAULT,), 0.0, 7)


def test_settings_that_are_changed_from_another_thread() -> None:
    """The emulator in the background is as particular."""
    wrong: Any = "GET *:reset"
    with BackgroundGaltea() as emulator:
        with pytest.raises(TypeError, match="faults are"):
            emulator.faults = wrong
        emulator.faults = (fault for fault in [FAULT])
        assert emulator.faults == (FAULT,)


@of_both
async def test_settings_that_will_do(kind: type[Emulator], tmp_path: Path) -> None:
    """Whole numbers for any others, a path for its text, any iterable of faults, lists for pairs."""
    settings: dict[str, Any] = {
        "path": tmp_path / "data",
        "latency": 0,
        "clock_skew": -5,
        "faults": iter([FAULT]),
    }
    if kind is GalteaEmulator:
        settings |= {"rate_limit": [20, 0.5], "judging": (0, 0)}
    async with kind(**settings) as emulator:
        assert emulator.path == str(tmp_path / "data")
        assert emulator.faults == (FAULT,)
    assert (tmp_path / "data").exists()
