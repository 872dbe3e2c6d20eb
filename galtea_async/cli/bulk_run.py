"""What the commands that run a bulk job share: options, progress, the printed report, the exit code."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable

from galtea_async import BulkEvaluationError, BulkReport
from galtea_async.cli.duration import seconds
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.number import whole_number
from galtea_async.cli.progress_line import ProgressLine
from galtea_async.cli.report_text import report_as_json, report_as_text

__all__ = ["add_bulk_options", "run_and_report"]


def add_bulk_options(parser: ArgumentParser, *, chunk_size_help: str) -> None:
    """Add the options that say how a job is run, whatever its sessions are."""
    add = parser.add_argument
    add(
        "--chunk-size",
        type=whole_number(least=1, most=1_000),
        default=200,
        metavar="N",
        help=chunk_size_help,
    )
    add(
        "--settle",
        type=seconds,
        default=10.0,
        metavar="TIME",
        help="after a lost answer, for so long its rows must stay unchanged to be believed (10s)",
    )
    add("--json", action="store_true", help="print the report as JSON")


def run_and_report(execute: Callable[[ProgressLine], BulkReport], *, as_json: bool) -> ExitCode:
    """Run a job with its progress shown, and print its report, also where it ended early."""
    progress = ProgressLine(sys.stderr)
    write = report_as_json if as_json else report_as_text
    try:
        report = execute(progress)
    except BulkEvaluationError as error:
        print(write(error.report), flush=True)
        raise
    finally:
        progress.end()
    print(write(report), flush=True)
    incomplete = report.sessions_failed or report.sessions_unresolved
    return ExitCode.INCOMPLETE if incomplete else ExitCode.DONE
