"""`galtea-async demo`: the whole job on an emulator, with a proof at the end.

The proof does not ask the client that did the work. It looks into the emulator's own records: each session
must have exactly one evaluation of each metric.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from galtea_async import AsyncGaltea, ReconcilePolicy, evaluate_version
from galtea_async.cli.command import Command
from galtea_async.cli.duration import seconds
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.number import whole_number
from galtea_async.cli.progress_line import ProgressLine
from galtea_async.cli.proof import Proof
from galtea_async.cli.report_text import report_as_text
from galtea_async.cli.scores import scores_as_text, settled_evaluations
from galtea_async.cli.sent import sent_as_text
from galtea_async.emulator import Fault, GalteaEmulator, Reset

__all__ = ["COMMAND"]

_JUDGING: Final = (0.2, 1.5)
"""Seconds that the emulated judge takes; the real one takes minutes."""

_SETTLE: Final = 1.0
"""Seconds for which rows must stay unchanged; the emulator does not go on working for long."""

_FAULTS: Final = {
    "none": (),
    "lost-replies": (
        Fault(route="POST /evaluations/fromSessions", when="after", action=Reset(), nth={1, 3, 6}),
        Fault(route="GET *", when="after", action=Reset(), probability=0.1),
    ),
}


def _add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--sessions", type=whole_number(least=0), default=2_500, metavar="N", help="of the version (2500)")
    add("--seed", type=int, default=7, help="what ids, scores and orders follow from (7)")
    add(
        "--strategy",
        choices=("follow", "list"),
        default="follow",
        help="follow: one call by version, then the rest by id; list: all by id (follow)",
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
        choices=tuple(_FAULTS),
        default="none",
        help="lost-replies: the work is done, but some answers never arrive (none)",
    )


def _run(arguments: Namespace) -> ExitCode:
    return asyncio.run(_demonstrate(arguments))


async def _demonstrate(arguments: Namespace) -> ExitCode:
    emulator = GalteaEmulator(seed=arguments.seed, latency=arguments.latency, judging=_JUDGING)
    async with emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = await emulator.add_version(sessions=arguments.sessions)
        emulator.faults = _FAULTS[arguments.fault]
        print(f"Version {version_id} has {arguments.sessions:,} sessions, on an emulator at {emulator.url}")
        progress = ProgressLine(sys.stderr)
        report = await evaluate_version(
            galtea,
            version_id,
            strategy=arguments.strategy,
            chunk_size=arguments.chunk_size,
            reconcile=ReconcilePolicy(settle=_SETTLE),
            progress=progress,
        )
        progress.end()
        requests = emulator.requests.copy()
        print(f"\n{await sent_as_text(emulator, version_id, requests)}\n\n{report_as_text(report)}")
        evaluations = await settled_evaluations(galtea, version_id)
        print(f"\n{await scores_as_text(galtea, evaluations)}")
        proof = await Proof.of(emulator, version_id)
        print(f"\n{proof}")
    return (
        ExitCode.DONE
        if proof.holds and report.sessions_evaluated == arguments.sessions
        else ExitCode.INCOMPLETE
    )


COMMAND: Final = Command(
    description="Evaluate a version on a local emulator, and prove that each session was evaluated once.",
    epilog="It needs no account and no network, and takes a few seconds.",
    add_arguments=_add_arguments,
    run=_run,
)
