"""Local servers that speak the services' APIs: to try the client on, and to test against.

They need no account and no network, keep their data in SQLite, and fail on demand. Nothing here knows the
client.
"""

from __future__ import annotations

from galtea_async.emulator.fault_proxy import (
    ByteAction,
    ByteFault,
    Cut,
    Drop,
    FaultProxy,
    HalfClose,
    Stall,
    Trickle,
)
from galtea_async.emulator.fault_text import fault_as_text, fault_from_text
from galtea_async.emulator.faults import (
    Action,
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    Fault,
    Hang,
    LateWork,
    Reset,
    Throttle,
    Truncate,
)
from galtea_async.emulator.galtea import BackgroundGaltea, EmulatorRules, GalteaEmulator
from galtea_async.emulator.pandaprobe import PandaProbeEmulator, PandaProbeRules
from galtea_async.emulator.recording import RecordedRequest

__all__ = [
    "Action",
    "Answer",
    "BackgroundGaltea",
    "ByteAction",
    "ByteFault",
    "Corrupt",
    "Cut",
    "Delay",
    "Disconnect",
    "Drop",
    "EmulatorRules",
    "Fault",
    "FaultProxy",
    "GalteaEmulator",
    "HalfClose",
    "Hang",
    "LateWork",
    "PandaProbeEmulator",
    "PandaProbeRules",
    "RecordedRequest",
    "Reset",
    "Stall",
    "Throttle",
    "Trickle",
    "Truncate",
    "fault_as_text",
    "fault_from_text",
]
