"""`galtea-async emulate`: serve a local Galtea, or a local PandaProbe, until somebody stops it."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from galtea_async import AsyncGaltea
from galtea_async.cli.command import Command
from galtea_async.cli.duration import seconds
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.number import whole_number
from galtea_async.cli.request_log import follow_requests
from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator

__all__ = ["COMMAND"]


def _add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    port = whole_number(least=0, most=65_535)
    add(
        "--service",
        choices=tuple(_SERVICES),
        default="galtea",
        help="which service to serve (galtea)",
    )
    add("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    add("--port", type=port, default=8080, help="the port; 0 takes any that is free (8080)")
    add("--sessions", type=whole_number(least=0), default=2_500, metavar="N", help="to begin with (2500)")
    add("--seed", type=int, default=7, help="what ids, scores and orders follow from (7)")
    add(
        "--latency",
        type=seconds,
        default=0.0,
        metavar="TIME",
        help="that each request takes, such as 50ms (0)",
    )
    add(
        "--db",
        default=":memory:",
        metavar="FILE",
        help="keep the data in a SQLite file from one start to the next",
    )
    add("--log", action="store_true", help="print a line for each request")


def _run(arguments: Namespace) -> ExitCode:
    # Where the loop cannot handle signals, Ctrl-C arrives as an exception; it is still the way to stop.
    with suppress(KeyboardInterrupt):
        asyncio.run(_SERVICES[arguments.service](arguments))
    return ExitCode.DONE


async def _serve_galtea(arguments: Namespace) -> None:
    stop = _set_by_signals()
    async with GalteaEmulator(
        host=arguments.host,
        port=arguments.port,
        path=arguments.db,
        seed=arguments.seed,
        latency=arguments.latency,
        records_requests=arguments.log,
    ) as emulator:
        version_id = await _version(emulator, arguments.sessions)
        _introduce_galtea(emulator, version_id, len(await emulator.session_ids(version_id)))
        async with _logging(emulator) if arguments.log else _silence():
            await stop.wait()
    print("Stopped.", flush=True)


async def _serve_pandaprobe(arguments: Namespace) -> None:
    stop = _set_by_signals()
    async with PandaProbeEmulator(
        host=arguments.host,
        port=arguments.port,
        path=arguments.db,
        seed=arguments.seed,
        latency=arguments.latency,
        records_requests=arguments.log,
    ) as emulator:
        session_ids = await emulator.session_ids() or await emulator.add_sessions(arguments.sessions)
        _introduce_pandaprobe(emulator, len(session_ids))
        async with _logging(emulator) if arguments.log else _silence():
            await stop.wait()
    print("Stopped.", flush=True)


def _set_by_signals() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows, where Ctrl-C raises KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    return stop


async def _version(emulator: GalteaEmulator, sessions: int) -> str:
    """Return the version that the file holds from an earlier start, or a new one."""
    async with AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        match await galtea.request("GET", "/versions", params={"limit": 1}):
            case [{"id": str(version_id)}, *_]:
                return version_id
            case _:
                return await emulator.add_version(sessions=sessions)


def _introduce_galtea(emulator: GalteaEmulator, version_id: str, sessions: int) -> None:
    lines = [
        f"A local Galtea at {emulator.url}, with a version of {sessions:,} sessions. Ctrl-C stops it.",
        "",
        f"  export GALTEA_API_URL={emulator.url}",
        f"  export GALTEA_API_KEY={emulator.api_key}",
        f"  galtea-async evaluate --version {version_id}",
        "",
    ]
    print("\n".join(lines), flush=True)
    _warn_of_others(emulator.host)


def _introduce_pandaprobe(emulator: PandaProbeEmulator, sessions: int) -> None:
    lines = [
        f"A local PandaProbe at {emulator.url}, with a project of {sessions:,} sessions. Ctrl-C stops it.",
        "",
        f"  export PANDAPROBE_ENDPOINT={emulator.url}",
        f"  export PANDAPROBE_API_KEY={emulator.api_key}",
        f"  export PANDAPROBE_PROJECT_NAME='{emulator.project_name}'",
        "",
    ]
    print("\n".join(lines), flush=True)
    _warn_of_others(emulator.host)


def _warn_of_others(host: str) -> None:
    if not _is_loopback(host):
        warning = f"warning: {host} can be reached from other machines, by anybody who knows the key above"
        print(warning, file=sys.stderr, flush=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def _logging(emulator: GalteaEmulator | PandaProbeEmulator) -> AsyncGenerator[None]:
    emulator.requests.clear()  # what was needed to set it up is nobody's request
    task = asyncio.create_task(follow_requests(emulator, sys.stdout), name="request log")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _silence() -> AsyncGenerator[None]:
    yield


_SERVICES: Final[Mapping[str, Callable[[Namespace], Coroutine[object, object, None]]]] = {
    "galtea": _serve_galtea,
    "pandaprobe": _serve_pandaprobe,
}

COMMAND: Final = Command(
    description="Serve a service's API locally, with sessions to evaluate, until Ctrl-C.",
    epilog="The key is no secret: it opens nothing but this emulator.",
    add_arguments=_add_arguments,
    run=_run,
)
