"""`galtea-async demo`: the whole job on an emulator, with a proof at the end.

The proof does not ask the client that did the work. It looks into the emulator's own records: each session
must have exactly one evaluation of each metric.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from typing import Final

from galtea_async.cli.command import Command
from galtea_async.cli.duration import seconds
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.galtea_demo import demonstrate_galtea
from galtea_async.cli.number import whole_number
from galtea_async.cli.pandaprobe_demo import demonstrate_pandaprobe

__all__ = ["COMMAND"]

_FAULTS: Final = ("none", "lost-replies")
_DEMONSTRATIONS: Final = {"galtea": demonstrate_galtea, "pandaprobe": demonstrate_pandaprobe}


def _add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--service", choices=tuple(_DEMONSTRATIONS), default="galtea", help="which service to show (galtea)")
    add("--sessions", type=whole_number(least=0), default=2_500, metavar="N", help="to evaluate (2500)")
    add("--seed", type=int, default=7, help="what ids, scores and orders follow from (7)")
    add(
        "--strategy",
        choices=("follow", "list"),
        default="follow",
        help="of galtea; follow: one call by version, then the rest by id; list: all by id (follow)",
    )
    add(
        "--chunk-size",
        type=whole_number(least=1, most=1_000),
        default=200,
        metavar="N",
        help="ids a call (200)",
    )
    add("--latency", type=seconds, default=0.05, metavar="TIME", help="that each request takes (50ms)")
    add(
        "--fault",
        choices=_FAULTS,
        default="none",
        help="lost-replies: the work is done, but some answers never arrive (none)",
    )


def _run(arguments: Namespace) -> ExitCode:
    return asyncio.run(_DEMONSTRATIONS[arguments.service](arguments))


COMMAND: Final = Command(
    description="Evaluate sessions on a local emulator, and prove that each was evaluated once.",
    epilog="It needs no account and no network, and takes a few seconds.",
    add_arguments=_add_arguments,
    run=_run,
)
