"""The emulated Galtea."""

from __future__ import annotations

from galtea_async.emulator.galtea.background import BackgroundGaltea
from galtea_async.emulator.galtea.emulator import GalteaEmulator
from galtea_async.emulator.galtea.rules import EmulatorRules

__all__ = ["BackgroundGaltea", "EmulatorRules", "GalteaEmulator"]
