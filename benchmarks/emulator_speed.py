"""The emulator beside a client: requests a second of the simple kinds, and a page of 10,000 evaluations.

The emulator runs in another process, as the command line starts it, and has a core of its own. The client is
as bare as can be, so that what is measured is the emulator.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

import galtea_async
from benchmarks.measurement import Effort, Measurement

__all__ = ["measure"]

CONNECTIONS: Final = 8
RATE_GOAL: Final = 2_000
ROWS: Final = 10_000
PAGE_GOAL: Final = 0.150

_FOUND: Final = re.compile(
    r"export GALTEA_API_URL=http://(?P<host>[\d.]+):(?P<port>\d+)\s+"
    r"export GALTEA_API_KEY=(?P<key>\S+)\s+galtea-async evaluate --version (?P<version>\S+)"
)


@frozen(kw_only=True)
class _Server:
    """A running emulator."""

    host: str
    port: int
    key: str
    version_id: str

    def request(self, method: str, target: str, body: object = None) -> bytes:
        """The bytes of a request."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {self.host}",
            f"Authorization: Bearer {self.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
            "\r\n",
        ]
        return "\r\n".join(lines).encode() + content

    def send(self, request: bytes, *, times: int = 1, connections: int = 1) -> tuple[float, bytes]:
        """Send a request so many times on each of some connections; return the seconds and the last body."""
        return asyncio.run(self._send(request, times, connections))

    async def _send(self, request: bytes, times: int, connections: int) -> tuple[float, bytes]:
        streams = [
            await asyncio.open_connection(self.host, self.port, limit=2**16) for _ in range(connections)
        ]
        began = time.perf_counter()
        bodies = await asyncio.gather(*(_ask(reader, writer, request, times) for reader, writer in streams))
        taken = time.perf_counter() - began
        for _, writer in streams:
            writer.close()
            await writer.wait_closed()
        return taken, bodies[-1]


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, times: int
) -> bytes:
    body = b""
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")), head
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
    return body


@contextmanager
def _server(sessions: int) -> Generator[_Server]:
    command = [sys.executable, "-m", "galtea_async", "emulate", "--port", "0", "--sessions", str(sessions)]
    folder = Path(galtea_async.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            yield _introduced(process)
        finally:
            process.kill()


def _introduced(process: subprocess.Popen[str]) -> _Server:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        found = _FOUND.search(said)
        if found is not None:
            host, port, key, version_id = found.groups()
            return _Server(host=host, port=int(port), key=key, version_id=version_id)
    raise RuntimeError(f"the emulator ended after {said!r}")


def measure(effort: Effort) -> Iterable[Measurement]:
    """Measure rates of reading and writing one session, and the time of a page."""
    with _server(ROWS // 2) as server:
        _, page = server.send(server.request("GET", f"/sessions?versionIds={server.version_id}&limit={ROWS}"))
        session_ids = [row["id"] for row in json.loads(page)]
        yield _rate("GET of a session", server, server.request("GET", f"/sessions/{session_ids[0]}"), effort)
        body = {"versionId": server.version_id}
        yield _rate("POST of a session", server, server.request("POST", "/sessions", body), effort)
        server.send(server.request("POST", "/evaluations/fromSessions", {"sessionIds": session_ids}))
        yield _page(server, effort)


def _rate(what: str, server: _Server, request: bytes, effort: Effort) -> Measurement:
    times = effort.choose(250, 25)
    taken = [
        server.send(request, times=times, connections=CONNECTIONS)[0] for _ in range(effort.choose(9, 2))
    ]
    rate = times * CONNECTIONS / statistics.median(taken)
    return Measurement(
        what=f"emulator: {what}, {CONNECTIONS} in flight",
        measured=f"{rate:,.0f}/s",
        goal=f">= {RATE_GOAL:,}/s",
        reached=rate >= RATE_GOAL,
    )


def _page(server: _Server, effort: Effort) -> Measurement:
    request = server.request("GET", f"/evaluations?limit={ROWS}&sort=createdAt&sort=asc")
    taken: list[float] = []
    for _ in range(effort.choose(9, 2)):
        seconds, page = server.send(request)
        assert len(json.loads(page)) == ROWS
        taken.append(seconds)
    seconds = statistics.median(taken)
    return Measurement(
        what=f"emulator: a page of {ROWS:,} evaluations",
        measured=f"{seconds * 1000:.0f} ms",
        goal=f"< {PAGE_GOAL * 1000:.0f} ms",
        reached=seconds < PAGE_GOAL,
    )
