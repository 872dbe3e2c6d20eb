"""`galtea-async evaluate`: evaluate a version, or the sessions that a file names."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, TextIO

from galtea_async import (
    AsyncGaltea,
    BulkReport,
    ConfigurationError,
    ReconcilePolicy,
    evaluate_sessions,
    evaluate_version,
)
from galtea_async.cli.bulk_run import add_bulk_options, run_and_report
from galtea_async.cli.chosen_service import KEYS, add_service_options, chosen_client
from galtea_async.cli.command import Command
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.id_lines import id_lines
from galtea_async.cli.progress_line import ProgressLine

__all__ = ["COMMAND"]

_EPILOG: Final = f"""\
{KEYS}
exit codes:
  0  every session was evaluated, or skipped by the service
  1  some sessions failed or are unresolved
  2  the arguments, the settings or the journal cannot be right; nothing was sent
  3  the run ended early; with --journal the same command continues it
"""


def _add_arguments(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--version", metavar="ID", help="evaluate all sessions of this version")
    what.add_argument(
        "--ids", metavar="FILE", help="evaluate the sessions in a file, an id a line; - reads stdin"
    )
    add = parser.add_argument
    add("--metric", action="append", metavar="NAME", help="a metric; may be repeated (the product's own)")
    add("--specification", action="append", metavar="ID", help="a specification; may be repeated")
    add("--journal", metavar="FILE", help="makes the job resumable: the same command continues it")
    add("--retry-failed", action="store_true", help="also send what failed in an earlier run of the journal")
    add(
        "--strategy",
        choices=("follow", "list"),
        default="follow",
        help="of --version; follow: one call by version, then the rest by id; list: all by id (follow)",
    )
    add_service_options(parser)
    add_bulk_options(parser, chunk_size_help="ids a request (200)")


def _run(arguments: Namespace) -> ExitCode:
    if arguments.retry_failed and arguments.journal is None:
        raise ConfigurationError("--retry-failed needs --journal: without it no earlier run is known")
    return run_and_report(lambda progress: _evaluated(arguments, progress), as_json=arguments.json)


def _evaluated(arguments: Namespace, progress: ProgressLine) -> BulkReport:
    if arguments.ids is None:
        return asyncio.run(_evaluate_version(arguments, progress))
    with _opened(arguments.ids) as lines:
        return asyncio.run(_evaluate_ids(arguments, lines, progress))


async def _evaluate_version(arguments: Namespace, progress: ProgressLine) -> BulkReport:
    async with chosen_client(arguments) as client:
        if not isinstance(client, AsyncGaltea):
            raise ConfigurationError("only Galtea has versions: name the sessions with --ids")
        return await evaluate_version(
            client,
            arguments.version,
            metrics=arguments.metric,
            specification_ids=arguments.specification,
            chunk_size=arguments.chunk_size,
            journal=arguments.journal,
            retry_failed=arguments.retry_failed,
            reconcile=ReconcilePolicy(settle=arguments.settle),
            progress=progress,
            strategy=arguments.strategy,
        )


async def _evaluate_ids(arguments: Namespace, lines: TextIO, progress: ProgressLine) -> BulkReport:
    async with chosen_client(arguments) as client:
        return await evaluate_sessions(
            client,
            id_lines(lines),
            metrics=arguments.metric,
            specification_ids=arguments.specification,
            chunk_size=arguments.chunk_size,
            journal=arguments.journal,
            retry_failed=arguments.retry_failed,
            reconcile=ReconcilePolicy(settle=arguments.settle),
            progress=progress,
        )


@contextmanager
def _opened(path: str) -> Generator[TextIO]:
    """Open a file of ids, or standard input, which stays open."""
    source: str | int = sys.stdin.fileno() if path == "-" else path
    # A byte-order mark, which some editors put in front, is no part of the first id. What is not UTF-8 is
    # kept as it is, so that the library can say which id is wrong.
    with open(source, encoding="utf-8-sig", errors="surrogateescape", closefd=path != "-") as lines:
        yield lines


COMMAND: Final = Command(
    description="Evaluate the sessions of a version, or those that a file names, each exactly once.",
    epilog=_EPILOG,
    add_arguments=_add_arguments,
    run=_run,
)
