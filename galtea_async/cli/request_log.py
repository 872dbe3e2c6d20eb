"""Prints the requests that an emulator answers."""

from __future__ import annotations

import asyncio
from typing import Final, TextIO
from urllib.parse import unquote, urlencode

from galtea_async.cli.named_sessions import named_sessions
from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator, RecordedRequest

__all__ = ["follow_requests"]

_BETWEEN_LOOKS: Final = 0.1
_LONGEST_LINE: Final = 160


async def follow_requests(emulator: GalteaEmulator | PandaProbeEmulator, stream: TextIO) -> None:
    """Print a line for each request once it is answered, and forget it; ends when it is cancelled."""
    while True:
        await asyncio.sleep(_BETWEEN_LOOKS)
        requests = emulator.requests
        answered = [request for request in requests if request.status is not None]
        requests[:] = [request for request in requests if request.status is None]
        for request in answered:
            print(_line(request), file=stream, flush=True)


def _line(request: RecordedRequest) -> str:
    query = f"?{unquote(urlencode(request.query))}" if request.query else ""
    count = len(named_sessions(request))
    size = f" ({count} session ids)" if count else ""
    line = f"{request.at:%H:%M:%S} {request.status} {request.method} {request.path}{query}{size}"
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
