"""Targets and headers with bytes in them that no text has: answered as others, never decoded too far."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from emulator import api as galtea_api
from emulator import pandaprobe_api

from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator


async def status_of(url: str, path: str, headers: Mapping[str, bytes]) -> int:
    """Ask with headers of any bytes, and return the status."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n".encode() + lines + b"\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "query",
    [
        "limit=%00",
        "x=%0d%0aSet-Cookie:a=b",
        "query=a%26limit=1",
        "query=a+b%2Bc",
        "query=%E9",
        "query=%c3%A9",
    ],
)
async def test_a_redirect_keeps_the_query_as_it_came(query: str) -> None:
    """A slash too many leads to the same question, byte for byte, and never into the answer's headers."""
    async with PandaProbeEmulator() as emulator, pandaprobe_api.connected(emulator) as api:
        moved = await api.send("GET", f"/sessions/?{query}", allow_redirects=False)
        assert (moved.status, moved.headers["Location"]) == (307, f"{emulator.url}/sessions?{query}")
        assert "Set-Cookie" not in moved.headers


@pytest.mark.parametrize("path", ["/%0d%0a/", "/%0A", "/sessions/%0d%0a/x/y", "/sessions%00/x/y/z"])
async def test_a_route_of_any_bytes_is_unknown(path: str) -> None:
    """It is refused in the service's own words, and recorded."""
    async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
        answer = await api.get(path)
        assert (answer.status, b"Cannot GET" in answer.content) == (404, True)
        assert [request.status for request in galtea.requests] == [404]
    async with PandaProbeEmulator() as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
        answer = await api.get(path)
        assert (answer.status, answer.json) == (404, {"detail": "Not Found"})
        assert [request.status for request in pandaprobe.requests] == [404]


@pytest.mark.parametrize("credential", [b"\xff", b"Bearer \xff", b"Bearer \xc3\xa9"])
async def test_a_credential_of_any_bytes_is_a_wrong_one(credential: bytes) -> None:
    """It is a 401, at either service and in whichever header."""
    async with GalteaEmulator() as galtea:
        assert await status_of(galtea.url, "/sessions", {"Authorization": credential}) == 401
    async with PandaProbeEmulator() as pandaprobe:
        for name in ("Authorization", "X-API-Key"):
            assert await status_of(pandaprobe.url, "/sessions", {name: credential}) == 401
