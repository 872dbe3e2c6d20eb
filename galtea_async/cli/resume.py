"""`galtea-async resume`: continue a job from its journal alone."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from typing import Final

from galtea_async import BulkReport, ReconcilePolicy, resume_bulk_evaluation
from galtea_async.cli.bulk_run import add_bulk_options, run_and_report
from galtea_async.cli.chosen_service import KEYS, add_service_options, chosen_client
from galtea_async.cli.command import Command
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.progress_line import ProgressLine

__all__ = ["COMMAND"]

_EPILOG: Final = f"""\
{KEYS}
exit codes:
  0  every session was evaluated, or skipped by the service
  1  some sessions failed or are unresolved
  2  the arguments, the settings or the journal cannot be right; nothing was sent
  3  the run ended early; the same command continues it
"""


def _add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("journal", metavar="JOURNAL", help="the journal of the job")
    add("--retry-failed", action="store_true", help="also send what failed in an earlier run")
    add_service_options(parser)
    add_bulk_options(parser, chunk_size_help="ids a request that is not planned yet (200)")


def _run(arguments: Namespace) -> ExitCode:
    return run_and_report(lambda progress: asyncio.run(_resumed(arguments, progress)), as_json=arguments.json)


async def _resumed(arguments: Namespace, progress: ProgressLine) -> BulkReport:
    async with chosen_client(arguments) as client:
        return await resume_bulk_evaluation(
            client,
            arguments.journal,
            chunk_size=arguments.chunk_size,
            retry_failed=arguments.retry_failed,
            reconcile=ReconcilePolicy(settle=arguments.settle),
            progress=progress,
        )


COMMAND: Final = Command(
    description="Continue a job from its journal alone, with the settings that the journal has.",
    epilog=_EPILOG,
    add_arguments=_add_arguments,
    run=_run,
)
