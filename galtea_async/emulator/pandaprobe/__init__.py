"""The emulated PandaProbe."""

from __future__ import annotations

from galtea_async.emulator.pandaprobe.emulator import PandaProbeEmulator
from galtea_async.emulator.pandaprobe.rules import PandaProbeRules

__all__ = ["PandaProbeEmulator", "PandaProbeRules"]
