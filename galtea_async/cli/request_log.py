"""Prints the requests that an emulator answers."""

from __future__ import annotations

import asyncio
from typing import Final, TextIO

from galtea_async.cli.named_sessions import named_sessions
from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator, RecordedRequest, fault_as_text
from galtea_async.emulator.request_line import duration_line, printable, target_line

__all__ = ["follow_requests", "print_ended_requests"]

_BETWEEN_LOOKS: Final = 0.1
_LONGEST_LINE: Final = 240


async def follow_requests(emulator: GalteaEmulator | PandaProbeEmulator, stream: TextIO) -> None:
    """Print a line for each request once it has ended, and forget it; ends when it is cancelled."""
    while True:
        await asyncio.sleep(_BETWEEN_LOOKS)
        print_ended_requests(emulator, stream)


def print_ended_requests(emulator: GalteaEmulator | PandaProbeEmulator, stream: TextIO) -> None:
    """Print a line for each request that has ended by now, and forget it."""
    requests = emulator.requests
    ended = [request for request in requests if request.duration is not None]
    requests[:] = [request for request in requests if request.duration is None]
    for request in ended:
        print(_line(request), file=stream, flush=True)


def _line(request: RecordedRequest) -> str:
    """Time, status, verb, path, duration, and the fault that happened; `---` where there was no answer."""
    count = len(named_sessions(request))
    status = "---" if request.status is None else str(request.status)
    parts = [
        f"{request.at:%H:%M:%S} {status} {request.method} {target_line(request)}",
        f" ({count} session ids)" if count else "",
        f"  {duration_line(request)}",
        "" if request.fault is None else f"  fault: {printable(fault_as_text(request.fault))}",
    ]
    line = "".join(parts)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
