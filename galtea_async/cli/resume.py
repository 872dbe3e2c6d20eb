"""`galtea-async resume`: continue a job from its journal alone."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from galtea_async import (
    AsyncGaltea,
    BulkEvaluationError,
    BulkReport,
    ReconcilePolicy,
    resume_bulk_evaluation,
)
from galtea_async.cli.command import Command
from galtea_async.cli.duration import seconds
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.number import whole_number
from galtea_async.cli.progress_line import ProgressLine
from galtea_async.cli.report_text import report_as_json, report_as_text

__all__ = ["COMMAND"]

_EPILOG: Final = """\
The key is read from GALTEA_API_KEY, the address of the service from GALTEA_API_URL.

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
    add(
        "--chunk-size",
        type=whole_number(least=1, most=1_000),
        default=200,
        metavar="N",
        help="ids a request that is not planned yet (200)",
    )
    add(
        "--concurrency",
        type=whole_number(least=1),
        default=16,
        metavar="N",
        help="requests in flight at once (16)",
    )
    add(
        "--settle",
        type=seconds,
        default=10.0,
        metavar="TIME",
        help="after a lost answer, for so long its rows must stay unchanged to be believed (10s)",
    )
    add("--json", action="store_true", help="print the report as JSON")


def _run(arguments: Namespace) -> ExitCode:
    progress = ProgressLine(sys.stderr)
    write = report_as_json if arguments.json else report_as_text
    try:
        report = asyncio.run(_resumed(arguments, progress))
    except BulkEvaluationError as error:
        print(write(error.report), flush=True)
        raise
    finally:
        progress.end()
    print(write(report), flush=True)
    incomplete = report.sessions_failed or report.sessions_unresolved
    return ExitCode.INCOMPLETE if incomplete else ExitCode.DONE


async def _resumed(arguments: Namespace, progress: ProgressLine) -> BulkReport:
    async with AsyncGaltea(max_concurrency=arguments.concurrency) as galtea:
        return await resume_bulk_evaluation(
            galtea,
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
