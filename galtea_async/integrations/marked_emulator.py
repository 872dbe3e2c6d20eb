"""The emulator that a test's markers describe."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from galtea_async.emulator import BackgroundGaltea, Fault, GalteaEmulator, fault_from_text

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import pytest

__all__ = ["marked_emulator"]

_JUDGING = (0.0, 0.1)
"""Seconds: a test that waits for scores should not wait long."""


@contextmanager
def marked_emulator(marks: Iterable[pytest.Mark]) -> Generator[BackgroundGaltea]:
    """Serve what the marks of a test describe; of two that set the same, the nearer to the test counts.

    Args:
        marks: The marks, the nearest first.

    Raises:
        TypeError: A mark sets what cannot be set.
        ValueError: A fault is written wrongly.
    """
    settings = _settings(marks)
    sessions, turns = settings.pop("sessions", 0), settings.pop("turns", 2)
    faults = _faults(settings.pop("faults", ()))
    settings.setdefault("judging", _JUDGING)
    with BackgroundGaltea(GalteaEmulator(**settings)) as emulator:
        if sessions:
            emulator.add_version(sessions=sessions, turns=turns)
        emulator.faults = faults
        yield emulator


def _faults(given: str | Fault | Iterable[str | Fault]) -> list[Fault]:
    """Read the texts among faults; one alone counts as a list of one."""
    several = [given] if isinstance(given, str | Fault) else given
    return [fault_from_text(fault) if isinstance(fault, str) else fault for fault in several]


def _settings(marks: Iterable[pytest.Mark]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for mark in reversed(list(marks)):
        if mark.args:
            raise TypeError("the marker galtea_emulator takes its arguments by name, such as sessions=20")
        settings.update(mark.kwargs)
    return settings
