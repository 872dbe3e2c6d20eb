"""`galtea-async emulate`: serve a local Galtea, or a local PandaProbe, until somebody stops it."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from typing import Final

from galtea_async.cli.command import Command
from galtea_async.cli.duration import seconds
from galtea_async.cli.emulated_service import SERVICES, EmulatorSettings, Furnished
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.fault_argument import fault
from galtea_async.cli.number import whole_number
from galtea_async.cli.reach import Reach, reach_of
from galtea_async.cli.request_log import follow_requests
from galtea_async.emulator.console import CONTROL
from galtea_async.emulator.console.bodies import MOST_SESSIONS, MOST_TURNS, check_amount
from galtea_async.emulator.fault_routes import UnknownRouteError
from galtea_async.errors import InvalidRequestError

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
    sessions = whole_number(least=0, most=MOST_SESSIONS)
    turns = whole_number(least=1, most=MOST_TURNS)
    add("--sessions", type=sessions, default=2_500, metavar="N", help="to begin with (2500)")
    add("--turns", type=turns, default=2, metavar="N", help="of each session (2)")
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
    _check_amount(arguments)
    try:
        # Where the loop cannot handle signals, Ctrl-C arrives as an exception; it is still the way to stop.
        with suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(_serve(arguments))
    except UnknownRouteError as error:
        raise InvalidRequestError(str(error)) from None
    print("Stopped.", flush=True)
    return ExitCode.DONE


def _check_amount(arguments: Namespace) -> None:
    try:
        check_amount(arguments.sessions, arguments.turns)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None


async def _serve(arguments: Namespace) -> None:
    """Serve until a signal cancels it, which may be while the sessions are still being made."""
    _be_cancelled_by_signals()
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
        _introduce(furnished)
        if arguments.log:
            await follow_requests(furnished.emulator, sys.stdout)
        await asyncio.Event().wait()


def _be_cancelled_by_signals() -> None:
    """Let Ctrl-C and SIGTERM cancel the task that runs; what they say again meanwhile changes nothing."""
    serving = asyncio.current_task()
    assert serving is not None

    def stop() -> None:
        if not serving.cancelling():
            serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows, where Ctrl-C raises KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, stop)


def _introduce(furnished: Furnished) -> None:
    host = furnished.emulator.host
    reach = reach_of(host)
    lines = [
        furnished.headline,
        f"{reach.value} Ctrl-C stops it.",
        "",
        *(f"  {command}" for command in furnished.commands),
        "",
    ]
    print("\n".join(lines), flush=True)
    if reach is not Reach.THIS_MACHINE:
        warning = f"warning: {host} can be reached from other machines, by anybody who knows the key above"
        print(warning, file=sys.stderr, flush=True)


COMMAND: Final = Command(
    description="Serve a service's API locally, with sessions to evaluate, until Ctrl-C.",
    epilog=_EPILOG,
    add_arguments=_add_arguments,
    run=_run,
)
