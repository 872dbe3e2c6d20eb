"""Prints the requests that an emulator answers."""

from __future__ import annotations

import asyncio
from typing import Final, TextIO

from galtea_async.cli.named_sessions import named_sessions
from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator, RecordedRequest, fault_as_text
from galtea_async.emulator.request_line import duration_line, printable, target_line

__all__ = ["follow_requests"]

_BETWEEN_LOOKS: Final = 0.1
_LONGEST_LINE: Final = 240


async def follow_requests(emulator: GalteaEmulator | PandaProbeEmulator, stream: TextIO) -> None:
    """Print a line for each request once it has ended, and forget it, until it is cancelled.

    Raises:
        OSError: Nobody reads the lines any more.
    """
    try:
        while True:
            await asyncio.sleep(_BETWEEN_LOOKS)
            _print_ended_requests(emulator, stream)
    except asyncio.CancelledError:
        _print_ended_requests(emulator, stream)
        raise


def _print_ended_requests(emulator: GalteaEmulator | PandaProbeEmulator, stream: TextIO) -> None:
    """Print a line for each request that has ended by now, and forget it."""
    requests = emulator.requests
    ended = [request for request in requests if request.duration is not None]
    requests[:] = [request for request in requests if request.duration is None]
    for request in ended:
        print(_line(request), file=stream, flush=True)


def _line(request: RecordedRequest) -> str:
    """Time, status, verb, path, duration, and the fault that happened.

    In place of the status `---` says that there was no answer, and `cut` that it broke off.
    """
    count = len(named_sessions(request))
    parts = [
        f"{request.at:%H:%M:%S} {_status(request)} {request.method} {target_line(request)}",
        f" ({count} session ids)" if count else "",
        f"  {duration_line(request)}",
        "" if request.fault is None else f"  fault: {printable(fault_as_text(request.fault))}",
    ]
    line = "".join(parts)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def _status(request: RecordedRequest) -> str:
    if request.status is None:
        return "---"
    return "cut" if request.is_cut else str(request.status)
