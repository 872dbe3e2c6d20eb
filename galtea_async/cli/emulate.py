"""`galtea-async emulate`: serve a local Galtea, or a local PandaProbe, until somebody stops it."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

from galtea_async.cli.command import Command
from galtea_async.cli.duration import seconds
from galtea_async.cli.emulated_service import SERVICES, EmulatorSettings, Furnished
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.fault_argument import fault
from galtea_async.cli.number import whole_number
from galtea_async.cli.request_log import follow_requests, print_ended_requests
from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator
from galtea_async.emulator.console import CONTROL
from galtea_async.emulator.console.neighbours import is_loopback

__all__ = ["COMMAND"]

_EPILOG: Final = f"""\
The key is no secret: it opens nothing but this emulator, which only this machine can reach unless --host
says otherwise.

A fault is ROUTE:ACTION and details, with colons between them, and may be given several times:
  "POST /evaluations/fromSessions:reset:after:nth=1,3"   done, but the 1st and 3rd answers are lost
  "GET *:throttle=2s:times=5"                            429 with Retry-After: 2, five times
  "*:answer=503:probability=0.1"                         a proxy's error for one request in ten
  "POST /sessions:late=30s:disconnect"                   done half a minute after the client has lost it
Actions: reset, disconnect, hang, corrupt, delay=TIME, truncate=BYTES, throttle, throttle=TIME, answer=STATUS,
late=TIME. Moments: before, during, after. Which requests: nth=N,N, times=N, probability=SHARE.

While it runs, {CONTROL}/faults, {CONTROL}/latency and others change its course, and a browser shows its state
at its address."""


def _add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    port = whole_number(least=0, most=65_535)
    add(
        "--service",
        choices=tuple(SERVICES),
        default="galtea",
        help="which service to serve (galtea)",
    )
    add("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1: this machine only)")
    add("--port", type=port, default=8080, help="the port; 0 takes any that is free (8080)")
    add("--sessions", type=whole_number(least=0), default=2_500, metavar="N", help="to begin with (2500)")
    add("--turns", type=whole_number(least=1), default=2, metavar="N", help="of each session (2)")
    add("--seed", type=int, default=7, help="what ids, scores and orders follow from (7)")
    add(
        "--latency",
        type=seconds,
        default=0.0,
        metavar="TIME",
        help="that each request takes, such as 50ms (0)",
    )
    add(
        "--fault", type=fault, action="append", default=[], metavar="FAULT", help="what goes wrong; see below"
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
        asyncio.run(_serve(arguments))
    return ExitCode.DONE


async def _serve(arguments: Namespace) -> None:
    stop = _set_by_signals()
    settings = EmulatorSettings(
        host=arguments.host,
        port=arguments.port,
        path=arguments.db,
        seed=arguments.seed,
        latency=arguments.latency,
        faults=tuple(arguments.fault),
        records_requests=arguments.log,
    )
    serve = SERVICES[arguments.service]
    async with serve(settings, arguments.sessions, arguments.turns) as furnished:
        emulator = furnished.emulator
        _introduce(furnished)
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


def _introduce(furnished: Furnished) -> None:
    host = furnished.emulator.host
    reach = "Only this machine can reach it" if is_loopback(host) else f"It listens on {host}"
    lines = [
        furnished.headline,
        f"{reach}; a browser shows its state at this address. Ctrl-C stops it.",
        "",
        *(f"  {command}" for command in furnished.commands),
        "",
    ]
    print("\n".join(lines), flush=True)
    if not is_loopback(host):
        warning = f"warning: {host} can be reached from other machines, by anybody who knows the key above"
        print(warning, file=sys.stderr, flush=True)


@asynccontextmanager
async def _logging(emulator: GalteaEmulator | PandaProbeEmulator) -> AsyncGenerator[None]:
    task = asyncio.create_task(follow_requests(emulator, sys.stdout), name="request log")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        print_ended_requests(emulator, sys.stdout)


@asynccontextmanager
async def _silence() -> AsyncGenerator[None]:
    yield


COMMAND: Final = Command(
    description="Serve a service's API locally, with sessions to evaluate, until Ctrl-C.",
    epilog=_EPILOG,
    add_arguments=_add_arguments,
    run=_run,
)
